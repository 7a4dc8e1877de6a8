"""What the bus makes of status packets: their bytes as they were sent, and only those that answer the question."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

sdk = pytest.importorskip("dynamixel_sdk")

from hardware.dynamixel.bus import _StrictPackets  # noqa: E402
from hardware.emulators.dynamixel.packets import status  # noqa: E402

PACKETS = _StrictPackets()
#: a speed of -1 before a position that ends on 0xFD looks like the header of a packet, and is stuffed
LIKE_A_HEADER = b"\x00\x00\xff\xff\xff\xff\xfd\x07\x00\x00"
BYTES = st.lists(st.sampled_from([0x00, 0x07, 0x55, 0xFD, 0xFF]), min_size=1, max_size=12).map(bytes)


class Line:
    """A port on which these bytes lie."""

    is_using = False

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readPort(self, length):
        taken, self._data = self._data[:length], self._data[length:]
        return list(taken)

    def isPacketTimeout(self):
        return True


@given(BYTES)
@example(LIKE_A_HEADER)
@example(b"\xff\xff\xfd\xff\xff\xfd")
@example(b"\xff\xff\xfd\xfd")
@example(b"\xff\xff\xfd\xff\xfd\xfd")
def test_data_come_out_as_they_went_in(data):
    got, result, error = PACKETS.readRx(Line(status(3, 0, data)), 3, len(data))
    assert (bytes(got), result, error) == (data, sdk.COMM_SUCCESS, 0)


@given(BYTES, st.integers(1, 12))
@example(LIKE_A_HEADER, 11)
def test_an_answer_of_another_length_answers_another_question(data, length):
    if length == len(data):
        return
    assert PACKETS.readRx(Line(status(3, 0, data)), 3, length)[1] == sdk.COMM_RX_CORRUPT


@given(BYTES)
def test_answers_of_other_motors_are_passed_over(data):
    got, result, _ = PACKETS.readRx(Line(status(2, 0, b"\x01") + status(3, 0, data)), 3, len(data))
    assert (bytes(got), result) == (data, sdk.COMM_SUCCESS)
