"""Intervals for the mean of bounded numbers by betting, valid for every n and at every stopping time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from touchstone.errors import UsageError
from touchstone.scoring.statistics.checks import check_fraction
from touchstone.scoring.statistics.results import CONFIDENCE, Estimate, Interval

#: a bet risks at most this share of the capital (Waudby-Smith and Ramdas 2024, section 4.4, propose 1/2 or 3/4)
LARGEST_STAKE = 0.5
#: for a fixed n nothing has to be kept for later, so nearly all of it
LARGEST_STAKE_AT_FIXED_N = 0.9
#: standard deviations within 0..1 for which the stakes of a fixed n are the best: those of corrected real outcomes
SPREADS = (0.05, 0.1, 0.2)
_HALVINGS = 40


def betting_mean(
    values: ArrayLike, *, bounds: tuple[float, float], anytime: bool, confidence: float = CONFIDENCE
) -> Estimate:
    """The mean of numbers within `bounds`, in the order in which they came, with the interval of `betting_bounds`.

    anytime: the study may stop when it likes; else n was fixed before it began. n: how many values.
    """
    low, high = bounds
    array = np.asarray(values, dtype=float)
    check_fraction(confidence, "confidence")
    if not low < high:
        raise UsageError(f"The bounds {low} and {high} are not in order; give the smallest possible value first.")
    if array.ndim != 1 or not ((array >= low) & (array <= high)).all():
        raise UsageError(f"Every value must be one number between the bounds {low} and {high}.")
    if array.size == 0:
        return Estimate(value=None, interval=None, n=0, reason="There are no values.")
    unit = (array - low) / (high - low)
    left, right = (float(bound[0]) for bound in betting_bounds(unit[None], anytime=anytime, confidence=confidence))
    mean = float(array.mean())
    if left > right:
        reason = "No single mean fits the sequence: it drifts."
        return Estimate(value=mean, interval=None, n=array.size, reason=reason)
    interval = Interval(
        low=low + (high - low) * left,
        high=low + (high - low) * right,
        confidence=confidence,
        method="betting-anytime" if anytime else "betting",
    )
    return Estimate(value=mean, interval=interval, n=array.size)


def betting_bounds(
    values: np.ndarray, *, anytime: bool, confidence: float = CONFIDENCE
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds (low, high) float[study] of the mean of values float[study, n] within 0..1, each row in order of arrival.

    m is outside when the capital prod (1 + l_i (x_i - m)) of a bet that the mean is larger, or of its mirror image,
    reaches 2 / (1 - confidence): of the true mean, with at most half the error's probability each (Ville). It asks only
    that E[x_i | past] is the same for all i, whatever n.
    anytime: the largest capital so far counts, and the stakes follow the variance seen before i (hedged capital,
    Waudby-Smith and Ramdas 2024, J. R. Stat. Soc. B 86, 1, theorem 3 and eq. 24-26): the study may stop at any time.
    Else the capital after all n counts, averaged over three constant stakes, so that the order does not matter; an
    average of fair bets is one (their section 4.5; Orabona and Jun 2024, IEEE Trans. Inf. Theory 70, 436).
    Where low > high, no mean fits.
    """
    values = np.atleast_2d(values)
    limit = np.log(2 / (1 - confidence))
    lowest = _lowest_anytime if anytime else _lowest_at_fixed_n
    return lowest(values, limit), 1 - lowest(1 - values, limit)


def _lowest_anytime(values: np.ndarray, limit: float) -> np.ndarray:
    stakes = _stakes(values, limit)

    def log_capital(m: np.ndarray) -> np.ndarray:
        bet = np.minimum(stakes, LARGEST_STAKE / m)
        return np.cumsum(np.log1p(bet * (values - m)), axis=1).max(axis=1)

    return _bisect(log_capital, len(values), limit)


def _lowest_at_fixed_n(values: np.ndarray, limit: float) -> np.ndarray:
    stakes = np.sqrt(2 * limit / values.shape[1]) / np.array(SPREADS)

    def log_capital(m: np.ndarray) -> np.ndarray:
        bets = (np.minimum(stake, LARGEST_STAKE_AT_FIXED_N / m) for stake in stakes)
        each = [np.log1p(bet * (values - m)).sum(axis=1) for bet in bets]
        return np.logaddexp.reduce(each, axis=0) - np.log(len(each))

    return _bisect(log_capital, len(values), limit)


def _stakes(values: np.ndarray, limit: float) -> np.ndarray:
    """float[study, n], each known before its value: the predictable plug-in of the paper's eq. 15 and 26."""
    t = np.arange(1, values.shape[1] + 1)
    mean = (0.5 + np.cumsum(values, axis=1)) / (t + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2, axis=1)) / (t + 1)
    before = np.concatenate([np.full((len(values), 1), 0.25), variance[:, :-1]], axis=1)
    return np.sqrt(2 * limit / (before * t * np.log(1 + t)))


def _bisect(log_capital: Callable[[np.ndarray], np.ndarray], studies: int, limit: float) -> np.ndarray:
    """float[study]: the smallest m whose capital stays under the limit, on the rejected side of the last bit.

    Every factor falls as m rises, so the capital does, and bisection finds the bound.
    """
    left, right = np.zeros(studies), np.ones(studies)
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        rejected = log_capital(middle[:, None]) >= limit
        left, right = np.where(rejected, middle, left), np.where(rejected, right, middle)
    return left
