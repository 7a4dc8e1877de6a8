"""What RealMan's error codes mean (its list of error codes of the JSON protocol, generations 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterable

#: of the arm and its controller
ARM = {
    0x1001: "no communication with a joint",
    0x1002: "a target beyond a joint limit",
    0x1003: "a singular or unreachable pose",
    0x1004: "no communication with the real-time kernel",
    0x1005: "the joints' bus",
    0x1006: "the planning kernel",
    0x1007: "a joint too fast",
    0x1008: "no communication with the end interface board",
    0x1009: "a speed over the limit",
    0x100A: "an acceleration over the limit",
    0x100B: "a joint brake that does not open",
    0x100C: "dragged too fast",
    0x100D: "a collision",
    0x100E: "no such work frame",
    0x100F: "no such tool frame",
    0x1010: "a joint lost its drive",
    0x1011: "a circle that cannot be planned",
    0x1012: "a collision with itself",
    0x1013: "an electronic fence",
    0x5003: "the controller too hot",
    0x5005: "the controller's current too high",
    0x5006: "the controller's current too low",
    0x5007: "the controller's voltage too high",
    0x5008: "the controller's voltage too low",
    0x5009: "no communication with the real-time layer",
}
#: bits of a joint's code
JOINT = {
    0x0001: "field-oriented control",
    0x0002: "voltage too high",
    0x0004: "voltage too low",
    0x0008: "too hot",
    0x0010: "did not start",
    0x0020: "encoder",
    0x0040: "current too high",
    0x0080: "software",
    0x0100: "temperature sensor",
    0x0200: "beyond its limits",
    0x0400: "wrong id",
    0x0800: "does not follow",
    0x1000: "current measurement",
    0x2000: "brake does not open",
    0x4000: "a jump in its targets",
    0x8000: "lost count of its turns",
}


def arm_words(codes: Iterable[int]) -> str:
    """`0x100d (a collision) and 0x1007 (a joint too fast)`."""
    return " and ".join(f"0x{code:04x}" + (f" ({ARM[code]})" if code in ARM else "") for code in codes)


def joint_words(code: int) -> str:
    """`0x0048 (too hot, current too high)`."""
    return f"0x{code:04x} ({', '.join(words for bit, words in JOINT.items() if code & bit)})"
