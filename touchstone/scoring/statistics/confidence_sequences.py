"""Intervals for one success rate that hold at all times at once, so that looking after every trial is allowed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_counts, check_fraction, check_rate, outcomes
from touchstone.scoring.statistics.results import CONFIDENCE, Estimate, Interval


class Advice(Record):
    """stop: whether to stop now; because: why, or what is missing, in one sentence."""

    stop: bool
    because: str


def rate_sequence(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Robbins' confidence sequence at this moment: all p with (n + 1) C(n, k) p^k (1 - p)^(n - k) > 1 - confidence.

    With probability `confidence` it holds p at *every* n, so a study may stop when it likes. (n + 1) C(n, k) p^k
    (1 - p)^(n - k) is one over the mixture of likelihood ratios with a uniform prior, a martingale (Robbins 1970, Ann.
    Math. Stat. 41, 1397, section 3; Lai 1976, Ann. Stat. 4, 265). Without trials it is 0 to 1.
    """
    check_counts(successes, trials)
    check_fraction(confidence, "confidence")
    low, high = rate_sequence_bounds([successes], [trials], confidence=confidence)
    return Interval(low=float(low[0]), high=float(high[0]), confidence=confidence, method="robbins-mixture")


def rate_sequence_bounds(
    successes: Sequence[int], trials: Sequence[int], *, confidence: float = CONFIDENCE
) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of `rate_sequence` for arrays of counts of equal length, by bisection to the last bits."""
    from scipy.special import gammaln, xlog1py, xlogy

    k, n = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    rate = np.divide(k, n, out=np.full(k.shape, 0.5), where=n > 0)
    limit = np.log(1 - confidence) - (gammaln(n + 2) - gammaln(k + 1) - gammaln(n - k + 1))

    def outside(p: np.ndarray) -> np.ndarray:
        return xlogy(k, p) + xlog1py(n - k, -p) <= limit

    low, high = _edge(np.zeros(k.shape), rate, outside), _edge(np.ones(k.shape), rate, outside)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)


def rate_sequence_path(results: Sequence[float], *, confidence: float = CONFIDENCE) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) float[n] after each trial, every interval cut with all before it, which the guarantee allows.

    Where low > high no single rate fits, which at this confidence means that the rate drifts.
    """
    array = outcomes(results, "results")
    check_fraction(confidence, "confidence")
    low, high = rate_sequence_bounds(np.cumsum(array), np.arange(1, array.size + 1), confidence=confidence)
    return np.maximum.accumulate(low), np.minimum.accumulate(high)


def rate_advice(
    successes: int,
    trials: int,
    *,
    half_width: float | None = None,
    threshold: float | None = None,
    confidence: float = CONFIDENCE,
) -> tuple[Estimate, Advice]:
    """Whether a study of one rate may stop: its interval is within +- half_width, or on one side of a threshold.

    Either or both may be asked for; any that is met stops. Looking after every trial is allowed.
    """
    interval = rate_sequence(successes, trials, confidence=confidence)
    value = successes / trials if trials else None
    estimate = Estimate(value=value, interval=interval, n=trials, reason=None if trials else "There were no trials.")
    missing = []
    if threshold is not None:
        check_rate(threshold, "threshold")
        if not interval.holds(threshold):
            side = "above" if interval.low > threshold else "below"
            return estimate, Advice(stop=True, because=f"The rate is {side} {threshold:g}: the interval says so.")
        missing.append(f"{threshold:g} is still inside the interval")
    if half_width is not None:
        check_fraction(half_width, "half_width")
        if interval.width <= 2 * half_width:
            return estimate, Advice(stop=True, because=f"The interval is within +- {half_width:g}.")
        missing.append(f"the interval is +- {interval.width / 2:.3f}, wider than +- {half_width:g}")
    if not missing:
        return estimate, Advice(stop=False, because="Neither a width nor a threshold was asked for.")
    because = " and ".join(missing)
    return estimate, Advice(stop=False, because=because[0].upper() + because[1:] + ".")


def _edge(far: np.ndarray, near: np.ndarray, outside) -> np.ndarray:
    """The border between `far`, taken to be outside, and `near`, inside; on the outer side of the last bit."""
    far, near = far.copy(), near.copy()
    for _ in range(60):
        middle = (far + near) / 2
        out = outside(middle)
        far, near = np.where(out, middle, far), np.where(out, near, middle)
    return far
