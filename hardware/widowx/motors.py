"""The nine motors of a WidowX-250S (Interbotix X-Series motor configuration, wx250s)."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.dynamixel.registers import NO_SECONDARY
from touchstone.robots.wx250s import JOINTS


@dataclass(frozen=True)
class Motor:
    """One motor. joint: the arm joint that it drives, None for the gripper's. lower, upper: position limits [ticks].

    secondary: id of the master that it obeys, 255 = none. velocity_limit: [0.229 rev/min].
    """

    id: int
    name: str
    joint: str | None
    model: int
    reverse: bool
    lower: int
    upper: int
    secondary: int = NO_SECONDARY
    velocity_limit: int = 131

    @property
    def is_shadow(self) -> bool:
        return self.secondary != NO_SECONDARY


XM430, XL430 = 1020, 1060

MOTORS = (
    Motor(1, "waist", "waist", XM430, False, 0, 4095),
    Motor(2, "shoulder", "shoulder", XM430, False, 819, 3345),
    Motor(3, "shoulder_shadow", "shoulder", XM430, True, 819, 3345, secondary=2),
    Motor(4, "elbow", "elbow", XM430, False, 648, 3094),
    Motor(5, "elbow_shadow", "elbow", XM430, True, 648, 3094, secondary=4),
    Motor(6, "forearm_roll", "forearm_roll", XM430, False, 0, 4095),
    Motor(7, "wrist_angle", "wrist_angle", XM430, True, 910, 3447),
    Motor(8, "wrist_rotate", "wrist_rotate", XL430, False, 0, 4095),
    Motor(9, "gripper", None, XL430, False, 0, 4095),
)
GRIPPER = MOTORS[-1]
#: one motor a joint, in the arm's order: who is commanded and whose position counts
MASTERS = tuple(next(m for m in MOTORS if m.joint == joint and not m.is_shadow) for joint in JOINTS)
SHADOWS = tuple(m for m in MOTORS if m.is_shadow)
