"""Pushing an object over the table with one finger's narrow side, away from everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from policy_server.policies.int_act.gripper import (
    BAR,
    FINGER,
    HALF_FINGER,
    NARROWEST_GAP,
    TIP,
    nearest,
    pointing_down,
    yaw_of,
)
from policy_server.policies.int_act.moves import Script, go
from policy_server.policies.int_act.tasks import HOVER, NEAR, OVER, up
from policy_server.policies.int_act.view import Body, View
from touchstone.geometry import Pose, quaternion_from_rotation

#: how far, and how much of it in a tick, so slowly that a can does not roll on [m]
WAY, SLOWLY = 0.045, 0.009
#: from the object to the finger when it comes down, and of the tips over what the object lies on [m]
BESIDE, ABOVE = 0.015, 0.0015
#: how near to the end the arm gets while it leans on an object [m]
LEANING = 0.008
#: from the TCP to the middle of either finger of the closed gripper [m]
TO_FINGER = (NARROWEST_GAP + FINGER) / 2
#: what is taller than the fingers are long is pushed with them leant back by so much [rad]: else the bar behind them
#: would meet it first, at its top
LEANT = np.radians(10)
#: of the TCP, measured from the arm's axis, with the gripper straight down near the table [m]
NEAREST_REACH, FARTHEST_REACH = 0.17, 0.45
#: where a finger meets an object that it pushes across, in the object's own frame [m], if not at its centre of mass: a
#: spoon's neck is an arch, and would tip over
PUSHED_AT: Mapping[str, tuple[float, float, float]] = {"spoon": (0.035, 0.0, 0.0)}


@dataclass(frozen=True)
class Push:
    """start: where the finger comes down, float64[2] [m]. direction: float64[2], of unit length. half: of the object
    along it [m]."""

    start: np.ndarray
    direction: np.ndarray
    half: float

    @property
    def end(self) -> np.ndarray:
        """float64[2]: the finger may have to go on to the middle of an object that is not a box before it meets it."""
        return self.start + self.direction * (BESIDE + self.half + WAY)


def push_away(view: View, name: str) -> Script:
    """Comes down beside an object with the gripper closed, pushes the object `WAY` [m], and goes up."""
    body = view.body(name)
    push = push_for(body, view.others(name), view.walls)
    yaw = nearest([np.arctan2(push.direction[1], push.direction[0])], yaw_of(view.commanded))
    lean = LEANT if np.ptp(body.heights) > TIP + BAR else 0.0
    low = body.heights[0] + ABOVE + TIP * np.cos(lean) + HALF_FINGER * np.sin(lean)
    high = max(thing.heights[1] for thing in (body, *view.others(name))) + HOVER + TIP

    def finger_at(xy: np.ndarray, z: float) -> Pose:
        """The TCP, when the finger on its left is at a point [m]."""
        across = np.array([-np.sin(yaw), np.cos(yaw)])
        down = pointing_down((*(xy - TO_FINGER * across), z), yaw)
        forwards = np.cross([0.0, 0.0, -1.0], [*push.direction, 0.0])
        return Pose(down.position, quaternion_from_rotation(Rotation.from_rotvec(lean * forwards) * down.rotation()))

    def along() -> Pose:
        # joints that lag behind differently lift or lower the arm on its way: half of that is taken back
        return finger_at(push.end, low + (low - view.tcp.position[2]) / 2)

    def still_near() -> bool:
        return float(np.linalg.norm(view.body(name).centre - body.centre)) < WAY

    yield from up(view, high, 0.0)
    yield from go(view, lambda: finger_at(push.start, high), 0.0, near=NEAR, sideways=OVER)
    yield from go(view, lambda: finger_at(push.start, low), 0.0, near=ABOVE)
    yield from go(view, along, 0.0, near=LEANING, step=SLOWLY, while_=still_near)
    here = view.commanded
    back = Pose(here.position - [*(push.direction * BESIDE), 0.0], here.quaternion)
    yield from go(view, lambda: back, 0.0, step=SLOWLY, near=OVER)
    yield from up(view, high, 0.0)


def push_for(body: Body, others: Sequence[Body], walls: np.ndarray | None = None) -> Push:
    """The way along one of its level axes on which finger and object stay farthest from everything else, within reach
    of the arm. walls: low and high corner, float64[2,2], of what all of it lies in [m]."""
    return max(_pushes(body), key=lambda push: _room(push, body, others, walls))


def _pushes(body: Body) -> list[Push]:
    across, along = body.level
    point = PUSHED_AT.get(body.kind.name)
    at = {across: body.centre if point is None else body.at(point), along: body.middle}
    found = []
    for axis, place in at.items():
        for sign in (1, -1):
            direction = sign * body.flat(axis)
            half = body.kind.size[axis] / 2
            found.append(Push(place[:2] - direction * (half + BESIDE + HALF_FINGER), direction, half))
    return found


def room_at(xy: np.ndarray, radius: float, others: Sequence[Body], walls: np.ndarray | None = None) -> float:
    """From a circle around a point, float64[2], to the nearest other object or wall [m]."""
    room = [float(np.linalg.norm(other.middle[:2] - xy)) - other.radius - radius for other in others]
    if walls is not None:
        room += [*(xy - walls[0] - radius), *(walls[1] - xy - radius)]
    return float(min(room, default=np.inf))


def _room(push: Push, body: Body, others: Sequence[Body], walls: np.ndarray | None) -> float:
    """Smallest distance [m] from finger and pushed object to anything else on the way; negative out of reach."""
    reach = np.linalg.norm([push.start, push.end], axis=1)
    outside = max(0.0, NEAREST_REACH - reach.min(), reach.max() - FARTHEST_REACH)
    if outside:
        return -10 * outside
    pushed = body.middle[:2] + push.direction * WAY
    return min(room_at(push.start, HALF_FINGER, others, walls), room_at(pushed, body.radius, others, walls))
