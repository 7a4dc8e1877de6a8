"""The strict second opinion: what counts for INT-ACT's own rule *and* would count for a person who looks at the table.

A source is placed strictly when INT-ACT's rule holds and, for the last `SETTLED_TICKS` ticks, no finger touched it and
it lay still; when it touches the target (or what the target marks); when its centre of mass is over the target's
footprint; and when it touches nothing else, but for what the rule allows beside (the table under a spoon's handle).
The fifty-first task asks for the opposite and ends with the source in the gripper: there, INT-ACT's rule must hold and
the source may touch neither the target nor anything else but the table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from touchstone.geometry import Pose
from touchstone.tasks.int_act.moments import Moment, ObjectMoment
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.rules import TOUCH_IMPULSE, is_touched, touched_besides
from touchstone.tasks.int_act.suite import SuiteTask

#: 0.6 s at 5 Hz
SETTLED_TICKS = 4
#: how far a still object's centre may drift in that time [m]
STILL_WITHIN = 0.002


def strict_problem(task: SuiteTask, moments: Sequence[Moment], by_paper: bool) -> str | None:
    """Why the end of an episode is no strict success, in a few words; None when it is one.

    moments: of the whole episode, in time order. by_paper: whether INT-ACT's rule holds at the last of them.
    """
    roles = task.objects
    last = moments[-1]
    source, target = last.objects[roles.source], last.objects[roles.target]
    if not by_paper:
        return "INT-ACT's own rule does not hold"
    if not task.rule.negated:
        problem = _placing_problem(task, moments, source, target)
        if problem:
            return problem
    allowed = () if task.rule.negated else (roles.target, *task.rule.marks)
    strangers = touched_besides(source, (*allowed, *task.rule.beside))
    return f"it also touches {' and '.join(strangers)}" if strangers else None


def is_over(name: str, target: ObjectMoment, point: Sequence[float]) -> bool:
    """Whether a point [m] is over the footprint of the object `name`: a disc if it is round, else a rectangle."""
    kind = object_kind(name)
    into = Pose.from_list(target.pose).inverse()
    inside = into.rotation().apply(point) + into.position - kind.bounds.mean(axis=0)
    half = kind.size[:2] / 2
    return bool(np.hypot(*inside[:2]) <= half.min() if kind.round else np.all(np.abs(inside[:2]) <= half))


def _placing_problem(
    task: SuiteTask, moments: Sequence[Moment], source: ObjectMoment, target: ObjectMoment
) -> str | None:
    end = [moment.objects[task.objects.source] for moment in moments[-SETTLED_TICKS:]]
    if any(is_touched(then) for then in end):
        return "it was not released in time"
    drift = max(np.linalg.norm(np.subtract(then.centre, source.centre)) for then in end)
    if len(end) < SETTLED_TICKS or drift > STILL_WITHIN:
        return "it does not lie still"
    touching = (task.objects.target, *task.rule.marks)
    if all(source.contacts.get(name, 0.0) <= TOUCH_IMPULSE for name in touching):
        return f"it does not touch the {object_kind(task.objects.target).label}"
    if not is_over(task.objects.target, target, source.centre):
        return f"it lies beside the {object_kind(task.objects.target).label}"
    return None
