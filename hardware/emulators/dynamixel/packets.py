"""Dynamixel Protocol 2.0 on the wire, from Robotis' published description: framing, stuffing, CRC-16."""

from __future__ import annotations

from dataclasses import dataclass

HEADER = b"\xff\xff\xfd\x00"
BROADCAST = 0xFE
STATUS = 0x55
ALERT = 0x80  # bit of a status error: read the hardware error register
LONGEST = 1024  # bytes after the length field that a sane packet has at most


class Error:
    """Error numbers of a status packet."""

    NONE = 0
    INSTRUCTION, CRC, RANGE, LENGTH, LIMIT, ACCESS = 2, 3, 4, 5, 6, 7


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = (value << 1) ^ (0x8005 if value & 0x8000 else 0)
        table.append(value & 0xFFFF)
    return tuple(table)


_CRC = _table()


def crc16(data: bytes) -> int:
    """CRC-16 (polynomial 0x8005, start 0, not reflected)."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _CRC[value >> 8 ^ byte]
    return value


def stuff(data: bytes) -> bytes:
    """Puts 0xFD after every FF FF FD, so that no header appears inside a packet."""
    return data.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")


def unstuff(data: bytes) -> bytes:
    return data.replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")


def encode(id: int, instruction: int, parameters: bytes = b"") -> bytes:
    """A whole packet."""
    body = stuff(bytes([instruction]) + parameters)
    head = HEADER + bytes([id]) + (len(body) + 2).to_bytes(2, "little")
    return head + body + crc16(head + body).to_bytes(2, "little")


def status(id: int, error: int = Error.NONE, parameters: bytes = b"") -> bytes:
    """A status packet."""
    return encode(id, STATUS, bytes([error]) + parameters)


@dataclass(frozen=True)
class Packet:
    """An instruction or status packet; `intact` is False when its CRC was wrong."""

    id: int
    instruction: int
    parameters: bytes
    intact: bool = True


class Parser:
    """Finds packets in a stream of bytes; garbage between them is skipped."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are complete now."""
        self._buffer += data
        found = []
        while (packet := self._next()) is not None:
            found.append(packet)
        return found

    def _next(self) -> Packet | None:
        buffer = self._buffer
        while True:
            start = buffer.find(HEADER)
            if start < 0:
                del buffer[: max(0, len(buffer) - 3)]  # the beginning of a header may be waiting
                return None
            del buffer[:start]
            if len(buffer) < 7:
                return None
            length = int.from_bytes(buffer[5:7], "little")
            if not 3 <= length <= LONGEST:
                del buffer[:4]
                continue
            if len(buffer) < 7 + length:
                return None
            raw = bytes(buffer[: 7 + length])
            del buffer[: 7 + length]
            body = unstuff(raw[7:-2])
            return Packet(raw[4], body[0], body[1:], crc16(raw[:-2]) == int.from_bytes(raw[-2:], "little"))
