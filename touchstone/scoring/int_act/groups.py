"""Means over tasks, every one with equal weight, and their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from touchstone.scoring.int_act.records import ENDINGS, Group, Mean, Values
from touchstone.scoring.rates import Rate
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.macro import macro_average
from touchstone.tasks.int_act.deltas import SuiteSummary, TaskSummary
from touchstone.tasks.int_act.metrics import METRICS
from touchstone.tasks.int_act.suite import suite

#: of the bootstrap, so that scoring again gives the same bytes
_SEED = 0


def group_of(tables: SuiteSummary, pooled: Mapping[str, Sequence[Values]], subcategories: Sequence[str]) -> Group:
    """The counted tasks of some subcategories. pooled: a task's episodes over all seeds."""
    members = [name for name, task in suite().tasks.items() if task.counted and task.subcategory in set(subcategories)]
    there = {name: tables.tasks[name] for name in members if name in tables.tasks}
    compared = [task.delta for task in there.values() if task.delta is not None]
    endings = Counter(one.ending for name in there for one in pooled[name])
    return Group(
        tasks=len(there),
        of=len(members),
        trials=sum(endings.values()),
        means={metric: mean_over_tasks(list(there.values()), metric) for metric in METRICS},
        delta={metric: _mean([one[metric].points for one in compared]) for metric in METRICS},
        percent={
            metric: _mean([one[metric].percent for one in compared if one[metric].percent is not None])
            for metric in METRICS
        },
        endings={name: endings[name] for name in ENDINGS},
    )


def mean_over_tasks(tasks: Sequence[TaskSummary], metric: str) -> Mean:
    """Every task with equal weight.

    Where all tasks have equally many trials the mean is the pooled rate, and the interval is Wilson's of it: a little
    too wide where tasks differ, never blind. Else it is the percentile bootstrap of episodes within tasks.
    """
    if not tasks:
        return Mean(value=None, ci95=None, method=None)
    value = round(fmean(task.values[metric] for task in tasks), 6)
    rates: list[Rate] = [getattr(task, metric) for task in tasks]
    if len({one.trials for one in rates}) == 1:
        pooled = wilson(sum(one.successes for one in rates), sum(one.trials for one in rates))
        return Mean(value=value, ci95=(round(pooled.low, 6), round(pooled.high, 6)), method="wilson-pooled")
    outcomes = {str(k): [1] * one.successes + [0] * (one.trials - one.successes) for k, one in enumerate(rates)}
    found = macro_average(outcomes, resample="episodes", rng=np.random.default_rng(_SEED)).interval
    if found is None:
        return Mean(value=value, ci95=None, method=None)
    return Mean(value=value, ci95=(round(found.low, 6), round(found.high, 6)), method=found.method)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
