"""Between the controller's units and SI."""

from __future__ import annotations

from touchstone.robots.rm75 import ARM

STANDARD_GRAVITY = 9.80665
GRAM = STANDARD_GRAVITY / 1e3  # [N]

# the Inspire EG2-4C2 behind the controller (RealMan's documentation of set_gripper_*)
SHUT, WIDE = 1, 1000  # positions
SOFTEST, FIRMEST = 50, 1000  # force thresholds [g]
LARGEST_FORCE = FIRMEST * GRAM  # [N]


def gripper_position(opening: float) -> int:
    """The controller's position of an opening 0..1."""
    return SHUT + round(opening * (WIDE - SHUT))


def gripper_opening(position: int) -> float:
    """The opening of the controller's position; measured ones may lie slightly outside 0..1 and are not cut off."""
    return (position - SHUT) / (WIDE - SHUT)


def gripper_width(position: int) -> float:
    """The gap between the pads [m]."""
    return ARM.gripper.width(ARM.gripper.finger_position(gripper_opening(position)))


def grip_threshold(force: float) -> int:
    """The force threshold [g] of a force [N]; the gripper grips no softer than `SOFTEST`.

    Raises ValueError over `LARGEST_FORCE`; nothing is clipped silently.
    """
    grams = round(force / GRAM)
    if grams > FIRMEST:
        raise ValueError(f"the gripper's threshold reaches {LARGEST_FORCE:.1f} N, not {force:.1f} N")
    return max(SOFTEST, grams)
