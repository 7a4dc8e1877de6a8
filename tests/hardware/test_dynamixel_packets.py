"""Framing, stuffing and CRC, and that the real SDK agrees."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hardware.emulators.dynamixel.packets import Packet, Parser, encode, status, stuff, unstuff

# bytes that make stuffing work hard
tricky = st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x55, 0x12]), max_size=40).map(bytes)


def test_the_crc_is_that_of_the_published_example():
    # Robotis, Protocol 2.0: ping of id 1
    assert encode(1, 1) == bytes.fromhex("fffffd00010300 01 194e")


@given(st.binary(max_size=60) | tricky)
def test_stuffing_inverts_and_hides_headers(data):
    assert unstuff(stuff(data)) == data
    assert b"\xff\xff\xfd\x00" not in stuff(data)


@given(st.integers(0, 252), st.integers(0, 255), tricky, st.binary(max_size=9), st.integers(1, 7))
def test_a_packet_is_found_in_pieces_and_behind_garbage(id, instruction, parameters, garbage, piece):
    parser, data = Parser(), garbage.replace(b"\xff", b"\xfe") + encode(id, instruction, parameters)
    found = [packet for i in range(0, len(data), piece) for packet in parser.feed(data[i : i + piece])]
    assert found == [Packet(id, instruction, parameters)]


@given(tricky, st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_the_packet_is_not_found(parameters, bit):
    data = bytearray(encode(5, 3, parameters))
    data[-1] ^= 1 << bit
    assert [packet.intact for packet in Parser().feed(bytes(data))] == [False]


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_a_packet_gets_through_after_any_noise_and_a_pause(noise):
    parser = Parser()
    for piece in noise:
        parser.feed(piece)
    sent = encode(3, 1)
    # noise that looks like a header may swallow packets, but no more than the longest one's bytes
    found = [packet for _ in range(200) for packet in parser.feed(sent)]
    assert found[-1] == Packet(3, 1, b"")


class Line:
    """A port of the SDK whose other end is a list of bytes."""

    is_using = False

    def __init__(self, waiting: bytes = b"") -> None:
        self.sent, self._waiting = b"", waiting

    def clearPort(self): ...
    def setPacketTimeout(self, length): ...
    def isPacketTimeout(self):
        return not self._waiting

    def writePort(self, data):
        self.sent += bytes(data)
        return len(data)

    def readPort(self, length):
        data, self._waiting = self._waiting[:length], self._waiting[length:]
        return data


@given(tricky)
def test_the_sdk_reads_what_we_write(parameters):
    sdk = pytest.importorskip("dynamixel_sdk")
    packet, result = sdk.Protocol2PacketHandler().rxPacket(Line(status(7, 0, parameters)), False)
    assert result == sdk.COMM_SUCCESS
    assert bytes(packet[9 : 9 + len(parameters)]) == parameters


@given(st.integers(0, 252), st.integers(0, 140), tricky)
def test_we_read_what_the_sdk_writes(id, address, data):
    # the SDK drops its own stuffing as it sends: only what a servo would not unstuff comes through whole
    assume(b"\xff\xff\xfd\xfd" not in data)
    sdk = pytest.importorskip("dynamixel_sdk")
    line = Line()
    sdk.Protocol2PacketHandler().writeTxOnly(line, id, address, len(data), list(data))
    [packet] = Parser().feed(line.sent)
    assert packet == Packet(id, 3, address.to_bytes(2, "little") + data)
