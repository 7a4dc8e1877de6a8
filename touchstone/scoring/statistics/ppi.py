"""Real success from many simulated and few real trials (prediction-powered inference)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.betting import betting_bounds
from touchstone.scoring.statistics.checks import check_fraction, check_rate, outcomes, same_length
from touchstone.scoring.statistics.intervals import clopper_pearson_bounds
from touchstone.scoring.statistics.results import CONFIDENCE, Interval

_MOST_TRIALS = 100_000


class Powered(Record):
    """real: the corrected estimate of real success; None, with the reason, where undefined.

    weight: how far simulation is trusted, 0 not at all, 1 fully (the lambda of PPI++). paired, extra: real trials, each
    with its simulated twin, and simulated trials without one. real_alone: the interval of the real trials alone, by the
    method that `saved` compares with. saved: how many more real trials would have given real_alone the same width;
    negative where simulation did harm.
    """

    real: float | None
    interval: Interval | None
    weight: float | None
    paired: int
    extra: int
    real_alone: Interval | None
    saved: int | None
    reason: str | None = None


def ppi(
    *,
    real: Sequence[float],
    sim: Sequence[float],
    extra_sim: Sequence[float],
    weight: float | None = None,
    confidence: float = CONFIDENCE,
) -> Powered:
    """PPI++ for a mean, with power tuning (Angelopoulos, Duchi and Zrnic 2023, arXiv 2311.01453): asymptotic.

    real[i], sim[i]: outcomes (0..1) of the same episode in both worlds; extra_sim: of other episodes of the same kind.
    estimate = mean(real) + w (mean(extra_sim) - mean(sim)), with w, unless given, cov(real, sim) / ((1 + n / N)
    var(all sim)), kept within 0 and 1; interval = normal, with variance w^2 var(extra_sim) / N + var(real - w sim) / n
    (as in `ppi-python` 0.2.3), kept within 0 and 1. Below some 30 real trials, or near 0 and 1, it covers too rarely:
    docs/statistics.md has the figures; `ppi_finite` is the one that holds. `saved` is by effective sample size,
    n_eff = n var(classic) / var(this), real_alone by the normal interval.
    """
    y, f, g = _arrays(real, sim, extra_sim)
    check_fraction(confidence, "confidence")
    n, extra = y.size, g.size
    if n < 2 or extra < 2:
        return _nothing(n, extra, "PPI needs two paired and two extra simulated trials or more.")
    if weight is None:
        spread = np.concatenate([f, g]).var(ddof=1)
        tuned = np.mean((y - y.mean()) * (f - f.mean())) / ((1 + n / extra) * spread) if spread > 0 else 0.0
        weight = float(np.clip(tuned, 0.0, 1.0))
    check_rate(weight, "weight")
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    estimate = float(y.mean() + weight * (g.mean() - f.mean()))
    variance = float(weight**2 * g.var() / extra + (y - weight * f).var() / n)
    classic = float(y.var() / n)
    if variance == 0 or classic == 0:
        return _nothing(n, extra, "All real outcomes are alike, and a normal interval would call that certainty.")
    return Powered(
        real=min(1.0, max(0.0, estimate)),
        interval=_clipped(estimate, z * math.sqrt(variance), confidence, "ppi++"),
        weight=weight,
        paired=n,
        extra=extra,
        real_alone=_clipped(float(y.mean()), z * math.sqrt(classic), confidence, "normal"),
        saved=round(n * (classic / variance - 1)),
    )


def ppi_finite(
    *,
    real: Sequence[float],
    sim: Sequence[float],
    extra_sim: Sequence[float],
    weight: float = 0.5,
    confidence: float = CONFIDENCE,
) -> Powered:
    """PPI that covers at the stated confidence for every n: betting on corrected real trials, in the manner of SureSim
    (arXiv 2510.04354).

    The extra trials are dealt into n equal blocks, the i-th going to the i-th real trial, so that
    y_i + w (mean of block i - f_i) are independent, bounded by -w and 1 + w, and have the real rate as their mean
    (`betting_bounds`; extra trials that do not divide by n are left out). Where there are fewer extra trials than real
    ones, the first real trials get one each and the others stand as they are, which keeps their mean; real trials must
    then come in an order that has nothing to do with their outcomes.
    weight: w, chosen before the study, 0..1; 0 ignores simulation, and 1/2 is narrower than 1 unless both n and the
    worlds' agreement are large. Holds if episodes of both kinds are drawn from one
    distribution, independently, and w is not chosen by looking at the outcomes.
    real_alone: Clopper-Pearson, which needs outcomes of 0 and 1; `saved` compares with that.
    """
    y, f, g = _arrays(real, sim, extra_sim)
    check_fraction(confidence, "confidence")
    check_rate(weight, "weight")
    if not np.isin(y, (0.0, 1.0)).all():
        raise UsageError("The real outcomes must be 0 or 1 for the finite-sample estimate.")
    n, extra = y.size, g.size
    if n == 0 or extra == 0:
        return _nothing(n, extra, "PPI needs a paired and an extra simulated trial or more.")
    met, block = min(n, extra), max(1, extra // n)
    corrected = y.copy()
    corrected[:met] += weight * (g[: met * block].reshape(met, block).mean(axis=1) - f[:met])
    low, high = (float(b[0]) for b in corrected_bounds(corrected[None], weight=weight, confidence=confidence))
    if low > high:
        return _nothing(n, extra, "No single rate fits the trials.")
    k = int(y.sum())
    alone = tuple(float(bound) for bound in clopper_pearson_bounds(k, n, confidence=confidence))
    return Powered(
        real=min(1.0, max(0.0, float(corrected.mean()))),
        interval=Interval(low=low, high=high, confidence=confidence, method="ppi-betting"),
        weight=weight,
        paired=n,
        extra=met * block,
        real_alone=Interval(low=alone[0], high=alone[1], confidence=confidence, method="clopper-pearson"),
        saved=_trials_of_width(high - low, k / n, confidence) - n,
    )


def corrected_bounds(
    corrected: np.ndarray, *, weight: float, confidence: float = CONFIDENCE
) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) float[study] of `ppi_finite` from corrected real outcomes float[study, n], kept within 0 and 1."""
    unit = (corrected + weight) / (1 + 2 * weight)
    bounds = betting_bounds(unit, anytime=False, confidence=confidence)
    low, high = (np.clip((1 + 2 * weight) * bound - weight, 0.0, 1.0) for bound in bounds)
    return low, high


def _trials_of_width(width: float, rate: float, confidence: float) -> int:
    """The fewest trials at this observed rate whose Clopper-Pearson interval is no wider than `width`."""
    low, high = 1, _MOST_TRIALS
    while low < high:
        middle = (low + high) // 2
        bounds = clopper_pearson_bounds(rate * middle, middle, confidence=confidence)
        low, high = (low, middle) if bounds[1] - bounds[0] <= width else (middle + 1, high)
    return low


def _arrays(real, sim, extra_sim) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    same_length(real, sim, "real and sim")
    return tuple(
        outcomes(values, name, binary=False)
        for values, name in ((real, "real"), (sim, "sim"), (extra_sim, "extra_sim"))
    )


def _clipped(middle: float, half: float, confidence: float, method: Literal["ppi++", "normal"]) -> Interval:
    low, high = (min(1.0, max(0.0, bound)) for bound in (middle - half, middle + half))
    return Interval(low=low, high=high, confidence=confidence, method=method)


def _nothing(n: int, extra: int, reason: str) -> Powered:
    return Powered(
        real=None, interval=None, weight=None, paired=n, extra=extra, real_alone=None, saved=None, reason=reason
    )
