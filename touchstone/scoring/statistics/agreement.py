"""How well simulated success rates order and predict real ones, over policies (or policy-task pairs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_choice, check_fraction
from touchstone.scoring.statistics.results import CONFIDENCE, Interval

Reference = Literal["real", "sim"]
Ties = Literal["both", "ignore", "simpler"]
#: two points always lie on a line, so their correlation says nothing
FEWEST_FOR_CORRELATION = 3


class Measure(Record):
    """One number over units; value is None where undefined, and reason says why.

    drop_one: its smallest and largest value when any single unit is left out; None where one of those is undefined.
    """

    value: float | None
    units: int
    drop_one: tuple[float, float] | None = None
    interval: Interval | None = None
    reason: str | None = None


class Agreement(Record):
    """pearson, spearman: correlations; mmrv: mean maximum rank violation with `reference` as the weight;
    bias: mean of sim minus real; error: mean of |sim - real|."""

    units: tuple[str, ...]
    pearson: Measure
    spearman: Measure
    mmrv: Measure
    reference: Reference
    ties: Ties
    bias: Measure
    error: Measure


def agreement(
    *,
    sim: Mapping[str, float],
    real: Mapping[str, float],
    reference: Reference = "real",
    ties: Ties = "both",
    confidence: float = CONFIDENCE,
) -> Agreement:
    """All measures over the same units: name -> rate. UsageError unless both hold the same names."""
    if set(sim) != set(real):
        odd = sorted(set(sim) ^ set(real))[0]
        raise UsageError(f"{odd!r} has a rate in one world only; give the same policies for sim and real.")
    names = tuple(sorted(sim))
    x, y = [sim[name] for name in names], [real[name] for name in names]
    return Agreement(
        units=names,
        pearson=pearson(sim=x, real=y, confidence=confidence),
        spearman=spearman(sim=x, real=y),
        mmrv=mmrv(sim=x, real=y, reference=reference, ties=ties),
        reference=reference,
        ties=ties,
        bias=_measure(x, y, lambda a, b: (float((a - b).mean()), None) if a.size else (None, "There are no units.")),
        error=_measure(
            x, y, lambda a, b: (float(abs(a - b).mean()), None) if a.size else (None, "There are no units.")
        ),
    )


def pearson(*, sim: Sequence[float], real: Sequence[float], confidence: float = CONFIDENCE) -> Measure:
    """Pearson's r over units, with Fisher's z interval from 4 units on (as in SciPy; it takes the units for a random
    sample and their rates for exact, and neither holds well for a handful of policies).

    Undefined for fewer than 3 units and where all values of one world are equal.
    """
    check_fraction(confidence, "confidence")
    measure = _measure(sim, real, _pearson)
    if measure.value is None or measure.units < 4:
        return measure
    from scipy.stats import pearsonr

    bounds = pearsonr(np.asarray(sim, float), np.asarray(real, float)).confidence_interval(confidence)
    interval = Interval(low=float(bounds.low), high=float(bounds.high), confidence=confidence, method="fisher-z")
    return measure.model_copy(update={"interval": interval})


def spearman(*, sim: Sequence[float], real: Sequence[float]) -> Measure:
    """Spearman's rho: Pearson's r of the ranks, ties sharing their mean rank. Undefined where Pearson's r is."""
    return _measure(sim, real, _spearman)


def mmrv(*, sim: Sequence[float], real: Sequence[float], reference: Reference = "real", ties: Ties = "both") -> Measure:
    """Mean maximum rank violation (SIMPLER, arXiv 2405.05941, section 4): the mean over i of the maximum over j of
    |R_i - R_j| where sim and real order (i, j) differently. R is the reference's rate: the two choices give different
    numbers, and papers' argument orders differ, so it is named. 0 is best.

    ties: where the other world gives i and j the same rate and the reference does not,
    `both` counts that as a violation for i and for j: the order was not reproduced;
    `ignore` does not count it;
    `simpler` compares `R_i < R_j` as SIMPLER's code does, so that only one of the two is charged.
    A tie in the reference weighs nothing. Undefined for fewer than 2 units and where all of the reference are equal.
    """
    check_choice(reference, ("real", "sim"), "reference")
    check_choice(ties, ("both", "ignore", "simpler"), "ties")

    def value(x: np.ndarray, y: np.ndarray) -> tuple[float | None, str | None]:
        if x.size < 2:
            return None, "MMRV needs two units or more."
        judged, weight = (x, y) if reference == "real" else (y, x)
        if np.ptp(weight) == 0:
            return None, f"All {reference} rates are equal, so there is no order to violate."
        return _mmrv(judged, weight, ties), None

    return _measure(sim, real, value)


def _mmrv(judged: np.ndarray, reference: np.ndarray, ties: Ties) -> float:
    gap = reference[:, None] - reference[None, :]
    other = judged[:, None] - judged[None, :]
    violated = {
        "both": np.sign(gap) != np.sign(other),
        "ignore": np.sign(gap) * np.sign(other) < 0,
        "simpler": (gap < 0) != (other < 0),
    }[ties]
    return float((abs(gap) * violated).max(axis=1).mean())


def _pearson(x: np.ndarray, y: np.ndarray) -> tuple[float | None, str | None]:
    if x.size < FEWEST_FOR_CORRELATION:
        return None, f"A correlation needs {FEWEST_FOR_CORRELATION} units or more."
    for name, values in (("sim", x), ("real", y)):
        if np.ptp(values) == 0:
            return None, f"All {name} rates are equal, so a correlation is undefined."
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0)), None


def _spearman(x: np.ndarray, y: np.ndarray) -> tuple[float | None, str | None]:
    from scipy.stats import rankdata

    return _pearson(rankdata(x), rankdata(y))


def _measure(
    sim: Sequence[float],
    real: Sequence[float],
    value: Callable[[np.ndarray, np.ndarray], tuple[float | None, str | None]],
) -> Measure:
    """The value over all units, and its range when any one is dropped."""
    x, y = np.asarray(sim, dtype=float), np.asarray(real, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise UsageError(f"sim has {x.size} rates and real {y.size}; give one of each per unit, in the same order.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UsageError("A rate is not a finite number; leave out units without trials.")
    whole, reason = value(x, y)
    if whole is None:
        return Measure(value=None, units=x.size, reason=reason)
    dropped = [value(np.delete(x, i), np.delete(y, i))[0] for i in range(x.size)]
    spread = (min(dropped), max(dropped)) if all(one is not None for one in dropped) else None
    return Measure(value=whole, units=x.size, drop_one=spread)
