"""Intervals for one success rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from touchstone.scoring.statistics.checks import check_counts, check_fraction
from touchstone.scoring.statistics.results import CONFIDENCE, Interval


def wilson(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Wilson's score interval (Wilson 1927, JASA 22, 209): all p with |k/n - p| <= z sqrt(p (1 - p) / n).

    Its coverage is right on average over p and may be lower at single p. None when there were no trials.
    """
    return _interval(successes, trials, confidence, "wilson")


def clopper_pearson(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Clopper and Pearson's exact interval (1934, Biometrika 26, 404), from the quantiles of Beta(k, n - k + 1) and
    Beta(k + 1, n - k).

    It covers at least at the stated confidence for every p and n, and is wider for it. None when there were no trials.
    """
    return _interval(successes, trials, confidence, "clopper-pearson")


def wilson_bounds(
    successes: ArrayLike, trials: ArrayLike, *, confidence: float = CONFIDENCE
) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of `wilson` for arrays that broadcast; trials > 0 everywhere."""
    return _bounds(successes, trials, confidence, "wilson")


def clopper_pearson_bounds(
    successes: ArrayLike, trials: ArrayLike, *, confidence: float = CONFIDENCE
) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of `clopper_pearson` for arrays that broadcast; trials > 0 everywhere."""
    return _bounds(successes, trials, confidence, "clopper-pearson")


def _interval(successes: int, trials: int, confidence: float, method: str) -> Interval | None:
    check_counts(successes, trials)
    check_fraction(confidence, "confidence")
    if trials == 0:
        return None
    low, high = _bounds(successes, trials, confidence, method)
    return Interval(low=float(low), high=float(high), confidence=confidence, method=method)


def _bounds(successes: ArrayLike, trials: ArrayLike, confidence: float, method: str) -> tuple[np.ndarray, np.ndarray]:
    # imported here, because it takes over a second and every start of the program would pay for it
    from statsmodels.stats.proportion import proportion_confint

    successes, trials = np.broadcast_arrays(np.asarray(successes), np.asarray(trials))
    shape = successes.shape
    names = {"wilson": "wilson", "clopper-pearson": "beta"}
    bounds = proportion_confint(successes.ravel(), trials.ravel(), alpha=1 - confidence, method=names[method])
    # rounding errors of the formulas leave the unit interval, or the rate itself, by a last bit
    rate = (successes / trials).ravel()
    low, high = np.clip(bounds[0], 0.0, rate), np.clip(bounds[1], rate, 1.0)
    return low.reshape(shape), high.reshape(shape)
