"""Where an object is set down: on what part of the target, turned how, and how deep the gripper may follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from policy_server.policies.int_act.gripper import BAR, FINGER, HALF_FINGER, TIP, easy_turn
from policy_server.policies.int_act.grips import BAR_CLEARANCE
from policy_server.policies.int_act.view import Body

#: how far each finger moves off the object to let it go [m]
LET_GO = 0.006
#: left between the tips and the rim of what they do not fit into [m]
RIM_CLEARANCE = 0.001
#: an object that is longer than a target is wide by less than this is laid along it as across [m]
LIES_ACROSS = 0.010


@dataclass(frozen=True)
class Well:
    """A hollow in a target, by its own frame [m]: height of its floor and of its rim, and the radius that is free."""

    floor: float
    rim: float
    radius: float


#: recess of the wheel, inside of the ramekin, and the basket around the plate that marks its floor
WELLS: Mapping[str, Well] = {
    "wheel": Well(0.0095, 0.01875, 0.0365),
    "ramekin": Well(-0.0207, 0.02875, 0.045),
    "basket_floor": Well(0.001, 0.038, 0.045),
}
#: what of an object goes over the target's middle, in its own frame [m], where that is not its centre of mass:
#: the spoon rests on bowl and handle, and its middle is between the two
MIDDLES: Mapping[str, tuple[float, float, float]] = {"spoon": (0.0025, 0.0, 0.0)}


@dataclass(frozen=True)
class Place:
    """Where the source goes.

    xy: of its middle [m]. support: height of what it will lie on [m]. lowest: of the TCP that the target allows [m].
    rim: highest part of the target [m]. turn: about z, from how it is turned now [rad].
    """

    xy: np.ndarray
    support: float
    lowest: float
    rim: float
    turn: float


def place_for(source: Body, target: Body, gap: float, yaw: float) -> Place:
    """Where to set down what is held. gap: between the fingers' inner faces [m]. yaw: of the gripper [rad]."""
    well = WELLS.get(target.kind.name)
    middle, top = target.middle, target.heights[1]
    turn = _turn(source, target, yaw)
    if well is None:
        return Place(middle[:2], top, top + RIM_CLEARANCE + TIP, top, turn)
    origin = target.pose.position[2]
    floor, rim = origin + well.floor, origin + well.rim
    fits = source.radius < well.radius or target.kind.name == "basket_floor"
    corner = np.hypot(gap / 2 + FINGER + LET_GO, HALF_FINGER)
    lowest = max(
        (floor if fits and corner < well.radius else rim) + RIM_CLEARANCE + TIP,
        rim - BAR + BAR_CLEARANCE,
    )
    return Place(middle[:2], floor if fits else rim, lowest, rim, turn)


def middle_of(source: Body) -> np.ndarray:
    """float64[3]: the point of an object that goes over the target's middle [m]."""
    point = MIDDLES.get(source.kind.name)
    return source.centre if point is None else source.at(point)


def _turn(source: Body, target: Body, yaw: float) -> float:
    """About z [rad], so that edges come to lie along edges; along the longer one of a target that is too narrow."""
    if target.kind.round or source.kind.round:
        return 0.0
    long_source, long_target = source.level[1], target.level[1]
    angle = _angle(target.flat(long_target)) - _angle(source.flat(long_source))
    narrow = target.kind.size[target.level[0]]
    square = np.ptp(target.kind.size[list(target.level)]) < LIES_ACROSS
    too_long = source.kind.size[long_source] > narrow + LIES_ACROSS
    along = not square and (too_long or target.kind.name in WELLS)
    return easy_turn(angle, 2 if along else 4, yaw, target.middle[:2])


def _angle(direction: np.ndarray) -> float:
    return float(np.arctan2(direction[1], direction[0]))
