"""Two success rates of the same episodes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_choice, check_fraction, check_whole, outcomes, same_length
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.results import CONFIDENCE, Estimate, Interval

Method = Literal["tango", "newcombe"]
DRAWS = 10_000


class Pairs(Record):
    """How many episodes succeeded in both, only in the first, only in the second, in neither."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def n(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither


class PairedRates(Record):
    """difference: rate of the first minus rate of the second. p_value: exact McNemar, two-sided. None without pairs.

    discordant: how many episodes differed; only these bear on the p-value.
    """

    pairs: Pairs
    difference: float | None
    interval: Interval | None
    p_value: float | None
    discordant: int
    reason: str | None = None


def count_pairs(first: Sequence[float], second: Sequence[float]) -> Pairs:
    """The counts of two sequences of 0 and 1, place by place the same episode."""
    same_length(first, second, "first and second")
    one, two = (outcomes(values, name).astype(bool) for values, name in ((first, "first"), (second, "second")))
    return Pairs(
        both=int((one & two).sum()),
        only_first=int((one & ~two).sum()),
        only_second=int((~one & two).sum()),
        neither=int((~one & ~two).sum()),
    )


def compare_paired(pairs: Pairs, *, method: Method = "tango", confidence: float = CONFIDENCE) -> PairedRates:
    """Compares the two rates of paired episodes.

    Test: exact McNemar (binomial on the discordant pairs; McNemar 1947, Psychometrika 12, 153), as in statsmodels.
    Interval: `tango`, inversion of the score test (Tango 1998, Stat. Med. 17, 891), or `newcombe`, square and add with
    the correlation (Newcombe 1998, Stat. Med. 17, 2635, method 10).
    """
    check_choice(method, ("tango", "newcombe"), "method")
    check_fraction(confidence, "confidence")
    for name, count in pairs.model_dump().items():
        check_whole(count, name, least=0)
    discordant = pairs.only_first + pairs.only_second
    if pairs.n == 0:
        return PairedRates(
            pairs=pairs, difference=None, interval=None, p_value=None, discordant=0, reason="There are no pairs."
        )
    from statsmodels.stats.contingency_tables import mcnemar

    table = [[pairs.both, pairs.only_first], [pairs.only_second, pairs.neither]]
    low, high = {"tango": _tango, "newcombe": _newcombe}[method](pairs, confidence)
    return PairedRates(
        pairs=pairs,
        difference=(pairs.only_first - pairs.only_second) / pairs.n,
        interval=Interval(low=low, high=high, confidence=confidence, method=f"{method}-paired"),
        p_value=float(min(1.0, mcnemar(table, exact=True).pvalue)),
        discordant=discordant,
    )


def paired_mean_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    rng: np.random.Generator,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
) -> Estimate:
    """Mean of first - second over paired episodes with values 0..1, with a percentile bootstrap of whole clusters.

    clusters: which cluster (task, day, object set) an episode belongs to; without it every pair is its own. Use it
    where pairs within a cluster resemble each other, or where outcomes are graded; else `compare_paired`. n: clusters.
    """
    check_fraction(confidence, "confidence")
    same_length(first, second, "first and second")
    differences = outcomes(first, "first", binary=False) - outcomes(second, "second", binary=False)
    labels = list(range(len(differences))) if clusters is None else list(clusters)
    if len(labels) != len(differences):
        raise UsageError(f"There are {len(labels)} cluster labels for {len(differences)} pairs; give one a pair.")
    if not labels:
        return Estimate(value=None, interval=None, n=0, reason="There are no pairs.")
    place = {label: index for index, label in enumerate(dict.fromkeys(labels))}
    index = np.array([place[label] for label in labels])
    sums, sizes = np.bincount(index, differences), np.bincount(index)
    value, n = float(differences.mean()), len(place)
    if n < 2:
        return Estimate(value=value, interval=None, n=n, reason="One cluster says nothing about how clusters differ.")
    # n - 1 of n, so that the variance is not too small by 1 / n (Rao and Wu 1988, JASA 83, 231)
    weights = rng.multinomial(n - 1, np.full(n, 1 / n), size=draws)
    means = weights @ sums / (weights @ sizes)
    if np.ptp(means) < 1e-12:
        return Estimate(
            value=value, interval=None, n=n, reason="All clusters are alike, and a bootstrap is blind to that."
        )
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    interval = Interval(low=float(low), high=float(high), confidence=confidence, method="cluster-bootstrap")
    return Estimate(value=value, interval=interval, n=n)


def _tango(pairs: Pairs, confidence: float) -> tuple[float, float]:
    from scipy.optimize import brentq
    from scipy.special import ndtri

    n, b, c = pairs.n, pairs.only_first, pairs.only_second
    z = float(ndtri((1 + confidence) / 2))

    def score(delta: float) -> float:
        """Tango's statistic for the difference delta, the nuisance rate at its constrained maximum likelihood."""
        half = ((2 * n - b + c) * delta - b - c) / 2
        only_second = (math.sqrt(max(0.0, half * half + 2 * n * c * delta * (1 - delta))) - half) / (2 * n)
        variance = n * (2 * only_second + delta * (1 - delta))
        gap = b - c - n * delta
        return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap) if gap else 0.0

    estimate = (b - c) / n
    low = brentq(lambda delta: score(delta) - z, -1.0, estimate) if score(-1.0) > z and estimate > -1 else -1.0
    high = brentq(lambda delta: score(delta) + z, estimate, 1.0) if score(1.0) < -z and estimate < 1 else 1.0
    return low, high


def _newcombe(pairs: Pairs, confidence: float) -> tuple[float, float]:
    n, a, d = pairs.n, pairs.both, pairs.neither
    first, second = a + pairs.only_first, a + pairs.only_second
    one, two = wilson(first, n, confidence=confidence), wilson(second, n, confidence=confidence)
    p, q = first / n, second / n
    product = a * d - pairs.only_first * pairs.only_second
    if product > 0:
        product = max(product - n / 2, 0)
    margins = first * (n - first) * second * (n - second)
    phi = product / math.sqrt(margins) if margins else 0.0

    def root(x: float, y: float) -> float:
        return math.sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))

    return max(-1.0, p - q - root(p - one.low, two.high - q)), min(1.0, p - q + root(one.high - p, q - two.low))
