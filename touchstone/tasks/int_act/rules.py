"""INT-ACT's own rules, tick by tick, with their loopholes; `strict.py` closes these.

Source: the suite's environment code. What it lets pass: an object that lies on the table beside a wheel or in no
contact with the target at all, one that is still held, and one that flies over the target at the last tick.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from touchstone.geometry import rotation_from_quaternion
from touchstone.tasks.int_act.moments import Moment, ObjectMoment
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.suite import SuiteTask
from touchstone.tasks.int_act.table import Rule

#: a finger that gives less does not touch, and another body that gives no more does not either [N s]
TOUCH_IMPULSE = 1e-6
#: how close the gripper must come to the source's centre of mass to mean it [m]
INTENTION_WITHIN = 0.05
#: between a finger's impulse and the axis along which it opens [rad]
GRASP_ANGLE = np.radians(60)
#: ticks of grasp in a row that count as consecutive
CONSECUTIVE = 5
#: a planar way that counts as having moved [m]
MOVED = 0.03


@dataclass(frozen=True)
class Flags:
    """What holds at one tick. `on_target` is the plain geometry (with contact rule), also where a task is negated."""

    touched: bool
    intention: bool
    grasp: bool
    consecutive_grasp: bool
    moved_correct: bool
    moved_wrong: bool
    on_target: bool
    in_target: bool
    success: bool


class PaperRule:
    """Feeds on the moments of an episode in time order. settled: the scene right after the objects came to rest."""

    def __init__(self, task: SuiteTask, settled: Moment) -> None:
        self._task = task
        roles = task.objects
        self._origins = {name: settled.objects[name].origin[:2] for name in roles.all}
        self._half_source = _half_extent(roles.source, settled.objects[roles.source])
        self._half_target = _half_extent(roles.target, settled.objects[roles.target])
        self._grasps_in_a_row = 0

    def update(self, moment: Moment) -> Flags:
        rule, roles = self._task.rule, self._task.objects
        source, target = moment.objects[roles.source], moment.objects[roles.target]
        touched = is_touched(source)
        grasp = is_grasped(source)
        self._grasps_in_a_row = self._grasps_in_a_row + 1 if grasp else 0
        consecutive = self._grasps_in_a_row >= CONSECUTIVE
        way, others = self._ways(moment)
        moved_correct = way > MOVED and all(other < way for other in others)
        on_target = self._is_on(rule, source, target)
        in_target = rule.inside and self._is_in(rule, source, target)
        return Flags(
            touched=touched,
            intention=touched or bool(np.linalg.norm(np.subtract(moment.ee, source.centre)) < INTENTION_WITHIN),
            grasp=grasp,
            consecutive_grasp=consecutive,
            moved_correct=moved_correct,
            moved_wrong=any(other > MOVED for other in others) and any(other > way for other in others),
            on_target=on_target,
            in_target=in_target,
            success=(not on_target and moved_correct and consecutive) if rule.negated else on_target or in_target,
        )

    def _ways(self, moment: Moment) -> tuple[float, list[float]]:
        """Planar ways [m] since the objects settled: the source's, and those of all others, the target among them.

        The source's goes from where its frame was to where its centre of mass is, as in the suite's code.
        """
        source = self._task.objects.source
        way = np.linalg.norm(np.array(moment.objects[source].centre[:2]) - self._origins[source])
        others = [
            float(np.linalg.norm(moment.objects[name].origin[:2] - self._origins[name]))
            for name in self._task.objects.all
            if name != source
        ]
        return float(way), others

    def _is_on(self, rule: Rule, source: ObjectMoment, target: ObjectMoment) -> bool:
        planar, height = _apart(source, target)
        beside = planar <= np.linalg.norm(self._half_target[:2]) + rule.xy
        above = height > 0 and self._height_over(height) <= rule.z
        return bool(beside and above and (not rule.only_target or self._touches_only_target(source)))

    def _is_in(self, rule: Rule, source: ObjectMoment, target: ObjectMoment) -> bool:
        planar, height = _apart(source, target)
        return bool(planar <= np.linalg.norm(self._half_target[:2]) and self._height_over(height) <= rule.z)

    def _height_over(self, height: float) -> float:
        return height - self._half_target[2] - self._half_source[2]

    def _touches_only_target(self, source: ObjectMoment) -> bool:
        return not touched_besides(source, (self._task.objects.target,))


def is_touched(thing: ObjectMoment) -> bool:
    """Whether a finger touches it."""
    return any(np.linalg.norm(impulse) >= TOUCH_IMPULSE for impulse in (thing.left, thing.right))


def is_grasped(thing: ObjectMoment) -> bool:
    """Whether both fingers press on it, each nearly along the axis on which it opens."""
    # each finger pushes inwards: the left one, on the positive side, towards negative y
    return all(
        np.linalg.norm(impulse) >= TOUCH_IMPULSE and inwards >= np.cos(GRASP_ANGLE) * np.linalg.norm(impulse)
        for impulse, inwards in ((thing.left, -thing.left[1]), (thing.right, thing.right[1]))
    )


def touched_besides(thing: ObjectMoment, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """What touches it (the arm apart) and is not among `allowed`."""
    return tuple(name for name, impulse in thing.contacts.items() if impulse > TOUCH_IMPULSE and name not in allowed)


def _apart(source: ObjectMoment, target: ObjectMoment) -> tuple[float, float]:
    """How far the source's centre of mass is from the target's, sideways and upwards [m]."""
    x, y, z = np.subtract(source.centre, target.centre)
    return float(np.hypot(x, y)), float(z)


def _half_extent(name: str, settled: ObjectMoment) -> np.ndarray:
    """float64[3]: half of the bounding box's edges, turned as a vector: the suite's code takes no absolute values, so
    that parts of it may be negative."""
    return rotation_from_quaternion(settled.pose[3:]).apply(object_kind(name).size) / 2
