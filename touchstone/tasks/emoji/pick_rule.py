"""When the cube counts as placed: the strict rule, and beside it the rule of GrinningFace's paper and code.

strict: the cube was lifted in the gripper, was not back on the bare table since, and lies on a card, flat, released
and still, for `SETTLED_TICKS` ticks.
paper: the cube's centre is within `PLACED_WITHIN` of a card's, the arm is slow, and the cube is not grasped, at one
tick (GrinningFace, section 4). It also fires in mid-drop, for a cube that was pushed and never lifted, and for two
neighbouring cards at once, since their discs overlap; it then counts for the target.

Execution is "on any card", recognition "on the target's". An episode ends when the cube has settled on the target.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from touchstone.bench import CARD_SIDE, CARD_THICKNESS, CUBE_SIDE, TABLE_Z
from touchstone.facts import Facts
from touchstone.geometry import Pose
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict

CUBE = "cube"
#: GrinningFace's code: distance of the centres [m], speed of every arm joint [rad/s], force of each finger [N] and its
#: angle to the axis along which the fingers open [rad]
PLACED_WITHIN = CARD_SIDE / 2 * np.sqrt(2)
SLOW_BELOW = 0.2
GRASP_FORCE = 0.5
GRASP_ANGLE = np.radians(85)
#: half a second at 20 Hz
SETTLED_TICKS = 10
#: how far a still cube may drift in that time, and how far its middle may be from lying flat on the card [m]
STILL_WITHIN = 0.002
FLAT_WITHIN = 0.003
#: how high over the table a lifted cube's underside must have been, in the gripper [m]
LIFTED = 0.01
#: a cube whose underside is lower lies on the bare table, half of a card's thickness [m]
ON_TABLE = CARD_THICKNESS / 2
#: a finger that presses less does not touch [N]
TOUCH_FORCE = 0.05
#: where forces are not measured: a gripper told to close that stays open as far as this holds something, and one that
#: is open as far as `RELEASED` does not
HELD = 0.15
RELEASED = 0.7


class PickMonitor:
    """Feeds on facts in time order; keeps what both rules need. True once the cube has settled on the target."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._cards = [placement.name for placement in spec.layout if placement.kind == "card"]
        self._lying: deque[tuple[str | None, np.ndarray]] = deque(maxlen=SETTLED_TICKS)
        self.lifted = False
        self._carried = False
        self.settled: tuple[str, int] | None = None
        self.fired: dict[str, int] = {}

    def update(self, facts: Facts) -> bool:
        cube = _position(facts, CUBE)
        if cube is not None:
            held = is_grasped(facts)
            underside = cube[2] - CUBE_SIDE / 2 - TABLE_Z
            lost = underside <= ON_TABLE and self._card_under(facts, cube) is None
            self._carried = (held and underside >= LIFTED) or (self._carried and not lost)
            self.lifted = self.lifted or self._carried
            self._by_paper(facts, cube, held)
            self._strictly(facts, cube)
        return self.settled is not None and self.settled[0] == self._spec.target

    def _by_paper(self, facts: Facts, cube: np.ndarray, held: bool) -> None:
        if held or not _arm_is_slow(facts):
            return
        for card in self._cards:
            pose = _pose(facts, card)
            if pose is None:
                continue
            middle = pose.position - pose.rotation().apply([0, 0, CARD_THICKNESS / 2])
            if np.linalg.norm(cube - middle) <= PLACED_WITHIN:
                self.fired.setdefault(card, facts.step)

    def _strictly(self, facts: Facts, cube: np.ndarray) -> None:
        on = self._card_under(facts, cube) if self._carried and _is_released(facts) else None
        self._lying.append((on, cube))
        still = len(self._lying) == SETTLED_TICKS and all(
            where == on and np.linalg.norm(position - cube) <= STILL_WITHIN for where, position in self._lying
        )
        if on is not None and still and (self.settled is None or self.settled[0] != on):
            self.settled = (on, facts.step)

    def _card_under(self, facts: Facts, cube: np.ndarray) -> str | None:
        for card in self._cards:
            pose = _pose(facts, card)
            if pose is None:
                continue
            x, y, z = pose.inverse().rotation().apply(cube - pose.position)
            inside = abs(x) <= CARD_SIDE / 2 and abs(y) <= CARD_SIDE / 2
            if inside and abs(z - CUBE_SIDE / 2) <= FLAT_WITHIN:
                return card
        return None


def judge_pick(spec: Spec, facts: Sequence[Facts]) -> Verdict:
    """The strict verdict on a whole episode, with the paper's beside it."""
    monitor = PickMonitor(spec)
    for one in facts:
        if monitor.update(one):
            break
    return _strict(spec, monitor, {"paper": _paper(spec, monitor)})


def is_grasped(facts: Facts) -> bool:
    """Whether both fingers press on the cube along the axis on which they open, as GrinningFace's code asks."""
    fact = facts.finger_forces.get(CUBE)
    if fact is None or fact.value is None:
        opening, commanded = facts.opening.value, facts.opening_commanded.value
        return opening is not None and commanded is not None and commanded < 0.5 and opening >= HELD
    # each finger pushes inwards: the left one, on the positive side, towards negative y
    left, right = np.reshape(fact.value, (2, 3)) * [[1, -1, 1], [1, 1, 1]]
    return all(
        np.linalg.norm(force) >= GRASP_FORCE and force[1] >= np.cos(GRASP_ANGLE) * np.linalg.norm(force)
        for force in (left, right)
    )


def _is_released(facts: Facts) -> bool:
    fact = facts.finger_forces.get(CUBE)
    if fact is None or fact.value is None:
        return facts.opening.value is not None and facts.opening.value >= RELEASED
    return bool(np.linalg.norm(np.reshape(fact.value, (2, 3)), axis=1).max() < TOUCH_FORCE)


def _arm_is_slow(facts: Facts) -> bool:
    speeds = facts.joint_velocities
    return speeds is not None and speeds.value is not None and bool(np.abs(speeds.value).max() <= SLOW_BELOW)


def _pose(facts: Facts, name: str) -> Pose | None:
    fact = facts.objects.get(name)
    return None if fact is None or fact.value is None else Pose.from_list(fact.value)


def _position(facts: Facts, name: str) -> np.ndarray | None:
    pose = _pose(facts, name)
    return None if pose is None else pose.position


def _strict(spec: Spec, monitor: PickMonitor, beside: dict[str, Verdict]) -> Verdict:
    chosen, step = monitor.settled or (None, None)
    failed = "the cube was lifted, but it did not settle on a card" if monitor.lifted else "the cube was never lifted"
    return _verdict(spec, chosen, step, failed, beside)


def _paper(spec: Spec, monitor: PickMonitor) -> Verdict:
    fired = monitor.fired
    chosen = spec.target if spec.target in fired else max(fired, key=fired.get, default=None)
    return _verdict(spec, chosen, fired.get(chosen), "the cube was never let go of near a card", {})


def _verdict(spec: Spec, chosen: str | None, step: int | None, failed: str, beside: dict[str, Verdict]) -> Verdict:
    if chosen is None:
        reason = failed
    elif chosen == spec.target:
        reason = f"placed the cube on {spec.placement(chosen).label}, as asked"
    else:
        reason = f"placed the cube on {spec.placement(chosen).label} instead of {spec.placement(spec.target).label}"
    return Verdict(
        execution=chosen is not None,
        recognition=None if chosen is None else chosen == spec.target,
        chosen=chosen,
        step=step,
        reason=reason,
        beside=beside,
    )
