"""From episodes to tables: rates of a task, its deltas against its base, means of subcategories and families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from touchstone.facts import Record
from touchstone.scoring.rates import Rate, rate
from touchstone.tasks.int_act.metrics import METRICS, EpisodeScore
from touchstone.tasks.int_act.suite import Suite, suite

#: the scores of a task's episodes by policy seed
BySeed = Mapping[int, Sequence[EpisodeScore]]


class Delta(Record):
    """How a value differs from the base's: `points` (of 1), and `percent` of the base's, None where that is 0."""

    points: float
    percent: float | None


class TaskSummary(Record):
    """One task. The rates pool all episodes; `values` are INT-ACT's: the mean over episodes, then over seeds.

    delta: by metric, against `base`; None when the base has no episodes. counted: among the fifty.
    """

    family: str
    subcategory: str
    counted: bool
    intention: Rate
    grasp: Rate
    moved_correct: Rate
    wrong_object: Rate
    success: Rate
    strict: Rate
    values: dict[str, float]
    base: str
    delta: dict[str, Delta] | None


class GroupSummary(Record):
    """A subcategory or family: the means of its counted tasks' values and deltas, every task with equal weight.

    tasks: how many of the `of` counted ones have episodes. delta: of those whose base has some, too. percent: the mean
    of the tasks' percentages that exist. None where there is nothing to average.
    """

    tasks: int
    of: int
    values: dict[str, float | None]
    delta: dict[str, float | None]
    percent: dict[str, float | None]


class SuiteSummary(Record):
    """The tables of a run. subcategories: the paper's eleven columns, in the table's order."""

    tasks: dict[str, TaskSummary]
    subcategories: dict[str, GroupSummary]
    families: dict[str, GroupSummary]


def summarize(scores: Mapping[str, BySeed], of: Suite | None = None) -> SuiteSummary:
    """The tables of all tasks that have episodes. scores: by task id; raises UsageError for an unknown one."""
    whole = of or suite()
    for name in scores:
        whole.task(name)
    present = {name: scores[name] for name in whole.tasks if any(scores.get(name, {}).values())}
    values = {name: {metric: task_value(by_seed, metric) for metric in METRICS} for name, by_seed in present.items()}
    tasks = {name: _task_summary(whole, name, by_seed, values) for name, by_seed in present.items()}
    return SuiteSummary(
        tasks=tasks,
        subcategories={name: _group(whole, tasks, (name,)) for family in whole.families.values() for name in family},
        families={name: _group(whole, tasks, members) for name, members in whole.families.items()},
    )


def task_value(by_seed: BySeed, metric: str) -> float:
    """INT-ACT's value of a task: the mean over a seed's episodes, then over the seeds that have some."""
    return fmean(fmean(getattr(score, metric) for score in scores) for scores in by_seed.values() if scores)


def delta(value: float, base: float) -> Delta:
    """value minus base, and that in percent of base."""
    return Delta(points=value - base, percent=None if base == 0 else 100 * (value - base) / base)


def _task_summary(whole: Suite, name: str, by_seed: BySeed, values: Mapping[str, Mapping[str, float]]) -> TaskSummary:
    task = whole.tasks[name]
    pooled = [score for scores in by_seed.values() for score in scores]
    base = values.get(task.base)
    return TaskSummary(
        family=task.family,
        subcategory=task.subcategory,
        counted=task.counted,
        **{metric: rate(sum(getattr(score, metric) for score in pooled), len(pooled)) for metric in METRICS},
        values=dict(values[name]),
        base=task.base,
        delta=None if base is None else {metric: delta(values[name][metric], base[metric]) for metric in METRICS},
    )


def _group(whole: Suite, tasks: Mapping[str, TaskSummary], subcategories: Sequence[str]) -> GroupSummary:
    members = [name for name, task in whole.tasks.items() if task.counted and task.subcategory in subcategories]
    there = [tasks[name] for name in members if name in tasks]
    compared = [task.delta for task in there if task.delta is not None]
    return GroupSummary(
        tasks=len(there),
        of=len(members),
        values={metric: _mean([task.values[metric] for task in there]) for metric in METRICS},
        delta={metric: _mean([deltas[metric].points for deltas in compared]) for metric in METRICS},
        percent={
            metric: _mean([d[metric].percent for d in compared if d[metric].percent is not None]) for metric in METRICS
        },
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
