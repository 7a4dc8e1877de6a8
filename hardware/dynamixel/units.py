"""From ticks to SI, and the WidowX gripper's linkage."""

from __future__ import annotations

import math

TICKS_A_TURN = 4096
CENTRE = 2048  # ticks at 0 rad
RADIANS = 2 * math.pi / TICKS_A_TURN  # a tick
SPEED_UNIT = 0.229 * 2 * math.pi / 60  # [rad/s], Robotis e-manual
CURRENT_UNIT = 0.00269  # [A], Robotis e-manual

#: torque of a motor per ampere [N m/A]: stall torque over stall current at 12 V (Robotis e-manual XM430-W350).
#: The gear's friction is not in it: an estimate, to be replaced by a bench's measurement.
XM430_TORQUE = 4.1 / 2.3
#: stall torque at 12 V [N m], for the XL430 that reports its load in 0.1 % (Robotis e-manual XL430-W250: 1.5)
XL430_STALL = 1.5
LOAD_UNIT = 0.001

# the linkage of the X-series gripper: crank and rod [m] (Interbotix X-Series driver)
CRANK, ROD = 0.014, 0.024


def radians(ticks: float) -> float:
    """Angle [rad] of a position in ticks."""
    return (ticks - CENTRE) * RADIANS


def ticks(angle: float) -> int:
    """The nearest tick of an angle [rad]."""
    return CENTRE + round(angle / RADIANS)


def ticks_inside(angle: float, lower: int, upper: int) -> int:
    """The nearest tick of an angle that lies inside the motor's limits: rounding must not leave them.

    Raises ValueError if the angle is more than one tick outside; nothing is clipped silently.
    """
    nearest = ticks(angle)
    inside = min(max(nearest, lower), upper)
    if abs(nearest - inside) > 1:
        raise ValueError(f"{angle:.4f} rad is tick {nearest}, outside {lower}..{upper}")
    return inside


def finger_distance(angle: float) -> float:
    """Distance of one finger from the middle [m] of the gripper motor's angle [rad]."""
    return CRANK * math.sin(angle) + math.sqrt(ROD**2 - (CRANK * math.cos(angle)) ** 2)


def gripper_angle(finger: float) -> float:
    """The gripper motor's angle [rad] that holds each finger `finger` metres from the middle.

    Raises ValueError for a distance that the linkage cannot reach.
    """
    gap = 2 * finger
    if not finger > 0 or abs(cosine := (CRANK**2 + (gap / 2) ** 2 - ROD**2) / (CRANK * gap)) > 1:
        raise ValueError(f"the gripper's linkage does not reach {finger * 1e3:.1f} mm")
    return math.pi / 2 - math.acos(cosine)
