"""Many policies: every pair compared, Holm's correction, and the ranks that are left possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_fraction, check_rate, outcomes
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.paired import compare_paired, count_pairs
from touchstone.scoring.statistics.results import CONFIDENCE, Interval
from touchstone.scoring.statistics.two_rates import Test, compare_rates


class Contrast(Record):
    """One pair. difference and interval (not corrected for many): first minus second. p_holm: corrected over all pairs.

    differs: p_holm <= alpha.
    """

    first: str
    second: str
    difference: float
    interval: Interval
    p_value: float
    p_holm: float
    differs: bool


class Ranked(Record):
    """One policy; ranks: the best and the worst rank (1 is best) that the significant differences leave possible."""

    name: str
    successes: int
    trials: int
    rate: float
    interval: Interval
    ranks: tuple[int, int]


class Ranking(Record):
    """policies: by falling rate; contrasts: every pair, the better one first; alpha: the family-wise error rate.

    With probability at least 1 - alpha every policy's true rank lies in its `ranks` (as in Mogstad, Romano, Shaikh and
    Wilhelm 2024, Rev. Econ. Stud. 91, 476), as far as the test of a pair keeps its level.
    """

    policies: tuple[Ranked, ...]
    contrasts: tuple[Contrast, ...]
    alpha: float


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjusted p-values (1979, Scand. J. Stat. 6, 65), in the order given."""
    from statsmodels.stats.multitest import multipletests

    for value in p_values:
        check_rate(value, "A p-value")
    if not p_values:
        return ()
    return tuple(float(p) for p in multipletests(p_values, method="holm")[1])


def rank_rates(counts: Mapping[str, tuple[int, int]], *, alpha: float = 0.05, test: Test = "boschloo") -> Ranking:
    """Ranks policies by (successes, trials) of independent trials: exact unconditional test, Newcombe's interval."""
    check_fraction(alpha, "alpha")
    contrasts = {}
    for one, other in combinations(_ordered(counts), 2):
        result = compare_rates(a=counts[one], b=counts[other], test=test)
        contrasts[one, other] = (result.difference, result.interval, result.p_value)
    return _ranking(counts, contrasts, alpha)


def rank_paired(results: Mapping[str, Sequence[float]], *, alpha: float = 0.05) -> Ranking:
    """Ranks policies by 0 and 1 of the same episodes, in the same order: exact McNemar, Tango's interval."""
    check_fraction(alpha, "alpha")
    counts = {name: (int(outcomes(each, name).sum()), len(each)) for name, each in results.items()}
    contrasts = {}
    for one, other in combinations(_ordered(counts), 2):
        result = compare_paired(count_pairs(results[one], results[other]))
        contrasts[one, other] = (result.difference, result.interval, result.p_value)
    return _ranking(counts, contrasts, alpha)


def _ordered(counts: Mapping[str, tuple[int, int]]) -> list[str]:
    if len(counts) < 2:
        raise UsageError(f"A ranking needs two policies or more, not {len(counts)}.")
    for name, (_, trials) in counts.items():
        if trials == 0:
            raise UsageError(f"The policy {name!r} has no trials; leave it out of the ranking.")
    return sorted(counts, key=lambda name: (-counts[name][0] / counts[name][1], name))


def _ranking(counts: Mapping[str, tuple[int, int]], contrasts: dict, alpha: float) -> Ranking:
    adjusted = holm([p for _, _, p in contrasts.values()])
    compared = [
        Contrast(
            first=one,
            second=other,
            difference=difference,
            interval=interval,
            p_value=p,
            p_holm=p_holm,
            differs=p_holm <= alpha and difference != 0,
        )
        for ((one, other), (difference, interval, p)), p_holm in zip(contrasts.items(), adjusted, strict=True)
    ]
    policies = []
    for name in _ordered(counts):
        better = sum(pair.differs and pair.second == name for pair in compared)
        worse = sum(pair.differs and pair.first == name for pair in compared)
        successes, trials = counts[name]
        policies.append(
            Ranked(
                name=name,
                successes=successes,
                trials=trials,
                rate=successes / trials,
                interval=wilson(successes, trials, confidence=CONFIDENCE),
                ranks=(1 + better, len(counts) - worse),
            )
        )
    return Ranking(policies=tuple(policies), contrasts=tuple(compared), alpha=alpha)
