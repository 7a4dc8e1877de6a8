"""How each object is taken: where the fingers meet, along which of its edges they close, how deep they reach.

The rule is one for all: across the shorter level edge of its bounding box, at its centre of mass, the pads at half its
height, or as low as the table lets the tips, or as deep as the bar behind the fingers lets them. `HOLDS` has what a
bounding box does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from policy_server.policies.int_act.gripper import BAR, TIP, WIDEST_GAP, nearest, pointing_down, straight, yaw_across
from policy_server.policies.int_act.view import Body
from touchstone.geometry import Pose

#: left between the tips and what an object lies on, and between its top and the bar [m]
TIP_CLEARANCE, BAR_CLEARANCE = 0.002, 0.004
#: left beside the fingers on their way down, both sides together [m]
SIDE_CLEARANCE = 0.006


@dataclass(frozen=True)
class Hold:
    """What is special about taking an object.

    at: where the fingers meet, in its own frame [m]; its centre of mass if None. aside: the fingers' middle stands off
    from there by so much, towards the arm, so that they close on a chord of what is too wide in the middle [m].
    tips: at least so high over its underside [m]. alike: how many ways to close on it within half a turn are alike,
    by the own axis that is upright; else one.
    """

    at: tuple[float, float, float] | None = None
    aside: float = 0.0
    tips: float = TIP_CLEARANCE
    alike: Mapping[int, int] = field(default_factory=dict)


_CUBE = Hold(alike={0: 2, 1: 2, 2: 2})
# twelve facets about y
_CAN = Hold(alike={1: 6})
HOLDS: Mapping[str, Hold] = {
    "green_cube": _CUBE,
    "yellow_cube": _CUBE,
    "coke_can": _CAN,
    "pepsi_can": _CAN,
    "orange": Hold(alike={0: 6, 1: 6, 2: 6}),
    # by the upper half of its flats, so that it can be let down into the wheel
    "nut": Hold(tips=0.006, alike={2: 3}),
    # by the handle: its neck is thinner than the closed gripper
    "spoon": Hold(at=(-0.032, 0.0, -0.0085)),
    # as wide as the gripper: on a chord of 46 mm
    "small_plate": Hold(aside=0.023, alike={2: 6}),
}


@dataclass(frozen=True)
class Grip:
    """tcp: where to close the gripper. top: of the object [m]."""

    tcp: Pose
    top: float


def grip_of(body: Body) -> Grip:
    """How to take an object with the wrist turned as little as can be."""
    hold = HOLDS.get(body.kind.name, Hold())
    x, y, _ = body.centre if hold.at is None else body.at(hold.at)
    alike = hold.alike.get(body.up, 1)
    across = yaw_across(body.flat(body.level[0]))
    yaw = nearest((across + k * np.pi / alike for k in range(alike)), straight(np.array([x, y])))
    low, high = body.heights
    z = max((low + high) / 2, low + hold.tips + TIP, high - BAR + BAR_CLEARANCE)
    # the fingers' broad side is along the arm's reach, more or less, and `aside` is towards the arm
    x, y = x - hold.aside * np.cos(yaw), y - hold.aside * np.sin(yaw)
    return Grip(pointing_down((x, y, z), yaw), high)


def is_graspable(body: Body) -> bool:
    """Whether the gripper opens wide enough for it."""
    return bool(body.kind.size[body.level[0]] <= WIDEST_GAP - SIDE_CLEARANCE or HOLDS.get(body.kind.name, Hold()).aside)
