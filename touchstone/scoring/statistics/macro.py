"""Macro averages over tasks, and their bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from touchstone.errors import UsageError
from touchstone.scoring.statistics.checks import check_choice, check_fraction, outcomes
from touchstone.scoring.statistics.results import CONFIDENCE, Estimate, Interval

Resample = Literal["episodes", "tasks"]
DRAWS = 10_000


def macro_average(
    tasks: Mapping[str, Sequence[float]],
    *,
    resample: Resample,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
) -> Estimate:
    """The mean over tasks of each task's mean, every task with the same weight; n: the number of tasks.

    tasks: task -> the outcome of each episode, 0..1. The interval is the percentile bootstrap (Efron 1979) with
    resample `episodes`: within each task, for statements about these very tasks;
    resample `tasks`: tasks first and episodes within the drawn ones (two-stage cluster bootstrap, Davison and Hinkley
    1997, section 3.8), for statements about tasks like these; needs two tasks.
    Of n units, n - 1 are drawn (Rao and Wu 1988, JASA 83, 231), so that the variance is not too small by 1 / n.
    Undefined where a task has no episode. The interval is undefined where no resample can differ (all outcomes of every
    task alike), because the bootstrap would call that certainty; and it is too narrow for a handful of clusters.
    """
    check_choice(resample, ("episodes", "tasks"), "resample")
    check_fraction(confidence, "confidence")
    values = {name: outcomes(list(each), f"The task {name!r}", binary=False) for name, each in tasks.items()}
    if not values:
        raise UsageError("A macro average needs at least one task.")
    empty = [name for name, each in values.items() if each.size == 0]
    if empty:
        return Estimate(
            value=None, interval=None, n=len(values), reason=f"The task {empty[0]!r} has no episode, so it has no mean."
        )
    groups = list(values.values())
    value = float(np.mean([each.mean() for each in groups]))
    if resample == "tasks" and len(groups) < 2:
        return Estimate(value=value, interval=None, n=1, reason="One task says nothing about how tasks differ.")
    means = _by_episode(groups, rng, draws) if resample == "episodes" else _by_task(groups, rng, draws)
    if np.ptp(means) < 1e-12:
        return Estimate(
            value=value,
            interval=None,
            n=len(groups),
            reason="All outcomes are alike, and a bootstrap is blind to that.",
        )
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    interval = Interval(low=float(low), high=float(high), confidence=confidence, method=f"bootstrap-{resample}")
    return Estimate(value=value, interval=interval, n=len(groups))


def _by_episode(groups: list[np.ndarray], rng: np.random.Generator, draws: int) -> np.ndarray:
    return np.mean([rng.choice(each, (draws, max(1, each.size - 1))).mean(axis=1) for each in groups], axis=0)


def _by_task(groups: list[np.ndarray], rng: np.random.Generator, draws: int) -> np.ndarray:
    drawn = rng.integers(len(groups), size=(draws, len(groups) - 1))
    means = np.empty(drawn.shape)
    for index, each in enumerate(groups):
        places = drawn == index
        means[places] = rng.choice(each, (int(places.sum()), each.size)).mean(axis=1)
    return means.mean(axis=1)
