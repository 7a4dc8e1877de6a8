"""From an object on the table to one that is placed, or kept, with what it takes to try again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation

from policy_server.policies.int_act.gripper import TIP, gap, opening_of, pointing_down, yaw_of
from policy_server.policies.int_act.grips import Grip, grip_of
from policy_server.policies.int_act.moves import Aim, Move, Script, go, stay
from policy_server.policies.int_act.places import LET_GO, Place, middle_of, place_for
from policy_server.policies.int_act.view import View
from touchstone.geometry import Pose
from touchstone.tasks.int_act.strict import is_over

#: of the tips over an object before the way down and after the release [m]
HOVER = 0.025
#: sideways and upwards, within which a way down begins [m]
OVER, NEAR = 0.006, 0.02
#: of a held object over all that stands on the way [m]
CARRY = 0.015
#: under a held object when the last, slow part of its way down begins, and steps of that part [m]
SOON, CREEP = 0.005, 0.003
CREEP_TICKS = 9
#: a way down that ends at a grasp [m a tick]
CAREFUL = 0.02
#: ticks in which the fingers close (their drive's time constant is one tick), and open
CLOSE_TICKS, OPEN_TICKS = 6, 3
#: a held object that moved so far in the gripper is lost [m]
SLIPPED = 0.03
#: ticks that a new attempt needs
ATTEMPT = 38


def pick_and_place(view: View, source: str, target: str) -> Script:
    """Brings `source` to `target`, tries again while there is time, and stays above it."""
    while True:
        held = yield from take(view, source)
        placed = held and (yield from bring(view, source, target))
        if placed:
            yield from let_go(view, source)
        if view.left < ATTEMPT or (placed and _is_on(view, source, target)):
            break
    yield from stay(view, 1.0)


def pick_and_keep(view: View, source: str, away_from: str, way: float = 0.06, height: float = 0.05) -> Script:
    """Takes `source`, carries it `way` [m] away from another object and `height` [m] up, and holds it there."""
    kept = False
    while not kept:
        if not (yield from take(view, source)):
            continue
        flat = view.tcp.position[:2] - view.body(away_from).middle[:2]
        x, y = view.tcp.position[:2] + way * flat / np.linalg.norm(flat)
        end = pointing_down((x, y, view.tcp.position[2] + height), yaw_of(view.commanded))
        kept = yield from go(view, lambda end=end: end, 0.0, near=NEAR, while_=has(view, source))
    yield from stay(view, 0.0)


def take(view: View, name: str) -> Move:
    """Goes over an object, down, and closes; ends with whether it is held."""

    def grip() -> Grip:
        return grip_of(view.body(name))

    def over() -> Pose:
        at = grip()
        return at.tcp @ _back(at.top + HOVER + TIP - at.tcp.position[2])

    if view.tcp.position[2] - TIP < grip().top and np.hypot(*(view.tcp.position - over().position)[:2]) > OVER:
        yield from up(view, grip().top + HOVER + TIP, 1.0)
    if not (yield from go(view, over, 1.0, near=NEAR, sideways=OVER)):
        return False
    at = grip().tcp
    yield from go(view, lambda: at, 1.0, step=CAREFUL)
    pressed = 0
    for _ in range(CLOSE_TICKS):
        yield Aim(at, 0.0)
        pressed = pressed + 1 if view.held(name) else 0
        if pressed == 2:
            return True
    return pressed > 0


def bring(view: View, source: str, target: str) -> Move:
    """Lifts a held object, carries it over its place and lets it down; ends with whether it still has it."""
    before = yaw_of(view.commanded)
    place = place_for(view.body(source), view.body(target), gap(view.opening), before)
    yaw = before + place.turn
    tops = [body.heights[1] for body in view.others(source)]

    def put(bottom: float) -> Pose:
        """The TCP when the object's underside is at a height [m] over its place."""
        body = view.body(source)
        turn = Rotation.from_euler("z", yaw - yaw_of(view.tcp))
        from_middle = turn.apply(view.tcp.position - middle_of(body))
        x, y = place.xy + from_middle[:2]
        z = view.tcp.position[2] + bottom - body.heights[0]
        return pointing_down((x, y, z), yaw)

    high = max([place.rim, *tops]) + CARRY
    lifted = view.tcp.position[2] + high - view.body(source).heights[0]
    here = view.commanded
    lift = Pose(np.array([*here.position[:2], lifted]), here.quaternion)
    keeps = has(view, source)
    if not (yield from go(view, lambda: lift, 0.0, near=NEAR, while_=keeps)):
        return False
    if not (yield from go(view, lambda: put(high), 0.0, near=NEAR, sideways=OVER, while_=keeps)):
        return False
    return (yield from lower(view, source, target, place, put, keeps))


def lower(
    view: View, source: str, target: str, place: Place, put: Callable[[float], Pose], keeps: Callable[[], bool]
) -> Move:
    """Down until it touches the target, or as deep as the gripper may go; ends with whether it still has it."""

    def no_deeper(pose: Pose) -> Pose:
        x, y, z = pose.position
        return Pose(np.array([x, y, max(z, place.lowest)]), pose.quaternion)

    def touches() -> bool:
        return view.rests_on(source, target)

    yield from go(view, lambda: no_deeper(put(place.support + SOON)), 0.0, while_=lambda: keeps() and not touches())
    bottom = place.support + SOON
    for _ in range(CREEP_TICKS):
        if touches() or not keeps() or put(bottom).position[2] < place.lowest:
            break
        bottom -= CREEP
        yield Aim(no_deeper(put(bottom)), 0.0)
    return keeps()


def let_go(view: View, name: str) -> Script:
    """Opens a little, where the arm is, and goes up."""
    here = Pose(view.tcp.position, view.commanded.quaternion)
    opening = opening_of(gap(view.opening) + 2 * LET_GO)
    for _ in range(OPEN_TICKS):
        yield Aim(here, opening)
    yield from up(view, max(view.body(name).heights[1], here.position[2]) + HOVER + TIP, opening)


def up(view: View, height: float, opening: float) -> Move:
    """Straight up, to a height of the TCP [m]."""
    here = view.commanded
    goal = Pose(np.array([*here.position[:2], height]), here.quaternion)
    return (yield from go(view, lambda: goal, opening, near=NEAR))


def has(view: View, name: str) -> Callable[[], bool]:
    """Whether an object is still where it is now in the gripper."""

    def within() -> np.ndarray:
        return view.tcp.inverse().rotation().apply(view.body(name).centre - view.tcp.position)

    first = within()
    return lambda: bool(np.linalg.norm(within() - first) < SLIPPED)


def _is_on(view: View, source: str, target: str) -> bool:
    return is_over(target, view.thing(target), view.body(source).centre) and not view.rests_on(source, "table")


def _back(height: float) -> Pose:
    """Up by a height [m], for a gripper that points down."""
    return Pose(np.array([-height, 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0]))
