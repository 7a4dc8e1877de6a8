"""The WidowX's gripper, pointing down: its measures, and which way it is turned."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.spatial.transform import Rotation

from touchstone.geometry import Pose, quaternion_from_rotation

# measures of the URDF's collision boxes [m]
#: from the TCP to the tips, and back to the bar that carries the fingers
TIP, BAR = 0.010, 0.027
#: widest and narrowest gap between the fingers' inner faces
WIDEST_GAP, NARROWEST_GAP = 0.052, 0.008
#: of a finger: thickness along the axis along which it opens, and half of its width across
FINGER, HALF_FINGER = 0.016, 0.013
#: farthest that the wrist is turned from straight [rad]; near half a turn, the arm's inverse kinematics fail
WRIST = np.radians(115)


def pointing_down(position, yaw: float) -> Pose:
    """The TCP at a position [m] with the gripper straight down; at yaw 0 [rad], it opens along the base's y."""
    sin, cos = np.sin(yaw), np.cos(yaw)
    # x downwards, y along which the fingers open
    matrix = np.array([[0, -sin, cos], [0, cos, sin], [-1, 0, 0]])
    return Pose(np.array(position, dtype=np.float64), quaternion_from_rotation(Rotation.from_matrix(matrix)))


def yaw_of(tcp: Pose) -> float:
    """The yaw [rad] of a gripper that points down, more or less."""
    opens = tcp.rotation().apply([0.0, 1.0, 0.0])
    return float(np.arctan2(-opens[0], opens[1]))


def yaw_across(direction: np.ndarray) -> float:
    """The yaw [rad] at which the fingers open along a level direction, float64[2]."""
    return float(np.arctan2(-direction[0], direction[1]))


def nearest(yaws: Iterable[float], now: float) -> float:
    """The yaw [rad] of least turn from `now`; half a turn changes nothing, since both fingers are alike.

    The result is within a quarter turn of `now`, not wrapped.
    """
    return now + min((_wrapped(yaw - now, np.pi) for yaw in yaws), key=abs)


def easy_turn(turn: float, fold: int, yaw: float, at: np.ndarray) -> float:
    """`turn` [rad] or what differs from it by `fold`-ths of a turn: the smallest with which the wrist, at `yaw` before,
    stays within `WRIST` of straight over a point, float64[2] [m]."""
    choices = [_wrapped(turn, 2 * np.pi / fold) + k * 2 * np.pi / fold for k in range(-fold, fold + 1)]

    def twist(choice: float) -> float:
        return max(0.0, abs(_wrapped(yaw + choice - straight(at), 2 * np.pi)) - WRIST)

    return min(choices, key=lambda choice: (round(twist(choice), 6), round(abs(choice), 6)))


def straight(at: np.ndarray) -> float:
    """The yaw [rad] at which the wrist is not turned, over a point, float64[2] [m], base frame."""
    return float(np.arctan2(at[1], at[0]))


def gap(opening: float) -> float:
    """Between the fingers' inner faces [m], of an opening 0..1."""
    return NARROWEST_GAP + opening * (WIDEST_GAP - NARROWEST_GAP)


def opening_of(gap: float) -> float:
    """Opening 0..1 of a gap [m] between the fingers' inner faces; what lies beyond is cut off."""
    return float(np.clip((gap - NARROWEST_GAP) / (WIDEST_GAP - NARROWEST_GAP), 0.0, 1.0))


def _wrapped(angle: float, period: float) -> float:
    return float((angle + period / 2) % period - period / 2)
