"""What an INT-ACT episode is worth: six yes-or-no values, from the raw facts of its ticks alone."""

from __future__ import annotations

from collections.abc import Sequence

from touchstone.facts import Record
from touchstone.tasks.int_act.moments import Moment
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.rules import PaperRule
from touchstone.tasks.int_act.strict import strict_problem
from touchstone.tasks.int_act.suite import SuiteTask

#: the values of an episode that tables show, in their order
METRICS = ("intention", "grasp", "moved_correct", "wrong_object", "success", "strict")


class EpisodeScore(Record):
    """One episode.

    intention: at some tick a finger touched the source or the gripper came close. grasp: at some tick both fingers
    held it. moved_correct: at the last tick it had moved, further than all else. wrong_object: at the last tick
    something else had moved, and something further than it. success: INT-ACT's rule at the last tick. strict: the
    strict rule. intended_at, grasped_at: first tick of each, None if it never came. consecutive_grasp: at some tick
    the grasp had lasted; the suite keeps it and reports it nowhere. reason: one sentence for people.
    """

    intention: bool
    grasp: bool
    moved_correct: bool
    wrong_object: bool
    success: bool
    strict: bool
    intended_at: int | None
    grasped_at: int | None
    consecutive_grasp: bool
    reason: str


def score_episode(task: SuiteTask, moments: Sequence[Moment]) -> EpisodeScore:
    """The score of an episode. moments: the settled scene first, then one for each control step.

    Raises ValueError when there is no step after the settled scene, or when an object of the task is missing.
    """
    if len(moments) < 2:
        raise ValueError(f"an episode of {task.id} needs the settled scene and at least one step")
    missing = {name for moment in moments for name in task.objects.all if name not in moment.objects}
    if missing:
        raise ValueError(f"the facts of an episode of {task.id} lack {', '.join(sorted(missing))}")
    settled, *steps = moments
    rule = PaperRule(task, settled)
    flags = [rule.update(moment) for moment in steps]
    last = flags[-1]
    problem = strict_problem(task, moments, last.success)
    intended = next((m.step for m, f in zip(steps, flags, strict=True) if f.intention), None)
    grasped = next((m.step for m, f in zip(steps, flags, strict=True) if f.grasp), None)
    return EpisodeScore(
        intention=intended is not None,
        grasp=grasped is not None,
        moved_correct=last.moved_correct,
        wrong_object=last.moved_wrong,
        success=last.success,
        strict=problem is None,
        intended_at=intended,
        grasped_at=grasped,
        consecutive_grasp=any(f.consecutive_grasp for f in flags),
        reason=_reason(task, intended, grasped, last.success, problem),
    )


def _reason(task: SuiteTask, intended: int | None, grasped: int | None, success: bool, problem: str | None) -> str:
    source, target = object_kind(task.objects.source).label, object_kind(task.objects.target).label
    if success:
        done = f"the {source} was kept off the {target}" if task.rule.negated else f"the {source} is on the {target}"
        return done if problem is None else f"{done} by INT-ACT's rule alone: {problem}"
    if grasped is not None:
        return f"the {source} was grasped, and not brought where it was asked"
    if intended is not None:
        return f"the gripper came to the {source}, and did not grasp it"
    return f"the gripper never came to the {source}"
