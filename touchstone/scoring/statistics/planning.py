"""How many trials a study needs, and what it can show with those it has; exact, by enumeration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import (
    check_choice,
    check_counts,
    check_fraction,
    check_rate,
    check_whole,
)
from touchstone.scoring.statistics.exact_tables import LARGEST_ARM, boschloo_p_values
from touchstone.scoring.statistics.intervals import wilson_bounds
from touchstone.scoring.statistics.paired import Pairs
from touchstone.scoring.statistics.results import CONFIDENCE
from touchstone.scoring.statistics.sequential_tests import paired_log_e, two_rate_log_e

Alternative = Literal["two-sided", "greater", "less"]
_MOST_TRIALS, _MOST_EXACT = 100_000, 2_000


class Plan(Record):
    """trials: a policy (of pairs, where paired); power: the chance that the test decides; method: how it was found."""

    trials: int
    power: float
    method: Literal["exact", "normal approximation"]


class SequentialPlan(Record):
    """power: the chance to decide within the budget; median_looks, mean_looks: blocks or pairs until the study stops,
    by decision or by budget."""

    budget: int
    power: float
    median_looks: float
    mean_looks: float
    studies: int


def expected_width(*, rate: float, trials: int, confidence: float = CONFIDENCE) -> float:
    """The mean width of Wilson's interval over the binomial outcomes at a true rate."""
    from scipy.stats import binom

    check_rate(rate, "rate")
    check_whole(trials, "trials", least=1)
    k = np.arange(trials + 1)
    low, high = wilson_bounds(k, trials, confidence=confidence)
    return float(binom.pmf(k, trials, rate) @ (high - low))


def trials_for_width(*, half_width: float, rate: float = 0.5, confidence: float = CONFIDENCE) -> int:
    """The fewest trials whose expected Wilson interval is within +- half_width; rate 0.5 is the worst case."""
    check_fraction(half_width, "half_width")
    return _fewest(lambda n: expected_width(rate=rate, trials=n, confidence=confidence) <= 2 * half_width)


def more_trials_for_width(*, successes: int, trials: int, half_width: float, confidence: float = CONFIDENCE) -> int:
    """How many more trials bring the expected Wilson interval within +- half_width, if the rate so far is the true one
    (before the first trial: one half, the worst case); 0 if none is needed."""
    check_counts(successes, trials)
    rate = successes / trials if trials else 0.5
    return max(0, trials_for_width(half_width=half_width, rate=rate, confidence=confidence) - trials)


def power_one_rate(
    *, trials: int, null: float, rate: float, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> float:
    """Power of the exact binomial test of `null` when the truth is `rate`; two-sided: twice the smaller tail."""
    from scipy.stats import binom

    check_whole(trials, "trials", least=1)
    check_rate(null, "null")
    check_rate(rate, "rate")
    check_choice(alternative, ("two-sided", "greater", "less"), "alternative")
    check_fraction(alpha, "alpha")
    k = np.arange(trials + 1)
    above, below = binom.sf(k - 1, trials, null), binom.cdf(k, trials, null)
    p = {"two-sided": 2 * np.minimum(above, below), "greater": above, "less": below}[alternative]
    return float(binom.pmf(k, trials, rate)[p <= alpha].sum())


def trials_one_rate(
    *, null: float, rate: float, power: float = 0.8, alternative: Alternative = "two-sided", alpha: float = 0.05
) -> Plan:
    """The fewest trials with which the exact binomial test of `null` has the power. As power is a sawtooth in n, a few
    more trials may have slightly less; ask `power_one_rate` for the n that is used."""
    check_fraction(power, "power")
    if null == rate:
        raise UsageError(f"The null rate and the true rate are both {rate}; no number of trials tells them apart.")
    for n in range(1, _MOST_EXACT + 1):
        found = power_one_rate(trials=n, null=null, rate=rate, alternative=alternative, alpha=alpha)
        if found >= power:
            return Plan(trials=n, power=found, method="exact")
    raise UsageError(
        f"More than {_MOST_EXACT} trials are needed to tell {rate} from {null}; ask for a larger difference."
    )


def power_two_rates(*, trials_a: int, trials_b: int, rate_a: float, rate_b: float, alpha: float = 0.05) -> float:
    """Power of Boschloo's two-sided test for two independent samples."""
    from scipy.stats import binom

    check_rate(rate_a, "rate_a")
    check_rate(rate_b, "rate_b")
    check_fraction(alpha, "alpha")
    p = boschloo_p_values(trials_a, trials_b)
    chance = np.outer(
        binom.pmf(np.arange(trials_a + 1), trials_a, rate_a), binom.pmf(np.arange(trials_b + 1), trials_b, rate_b)
    )
    return float(chance[p <= alpha].sum())


def trials_two_rates(*, rate_a: float, rate_b: float, power: float = 0.8, alpha: float = 0.05) -> Plan:
    """The fewest trials a policy with which Boschloo's two-sided test has the power; equal numbers for both.

    Exact up to 150 a policy; beyond, the normal approximation on the arcsine scale (Cohen 1988, section 6.4), which at
    that size is right to a few per cent.
    """
    check_rate(rate_a, "rate_a")
    check_rate(rate_b, "rate_b")
    check_fraction(power, "power")
    check_fraction(alpha, "alpha")
    if rate_a == rate_b:
        raise UsageError(f"Both rates are {rate_a}; no number of trials tells them apart.")
    n, approximate = _arcsine(rate_a, rate_b, power, alpha)
    if n > LARGEST_ARM:
        return Plan(trials=n, power=approximate, method="normal approximation")

    def found(trials: int) -> float:
        return power_two_rates(trials_a=trials, trials_b=trials, rate_a=rate_a, rate_b=rate_b, alpha=alpha)

    reached = found(n)
    while reached < power and n < LARGEST_ARM:
        n += 1
        reached = found(n)
    while n > 1 and (fewer := found(n - 1)) >= power:
        n, reached = n - 1, fewer
    if reached < power:
        n, approximate = _arcsine(rate_a, rate_b, power, alpha)
        return Plan(trials=n, power=approximate, method="normal approximation")
    return Plan(trials=n, power=reached, method="exact")


def power_paired(*, pairs: int, only_first: float, only_second: float, alpha: float = 0.05) -> float:
    """Power of the exact McNemar test; only_first, only_second: the chances that just one of the two succeeds."""
    from scipy.stats import binom

    check_whole(pairs, "pairs", least=1)
    check_fraction(alpha, "alpha")
    check_rate(only_first, "only_first")
    check_rate(only_second, "only_second")
    discordant = only_first + only_second
    if discordant > 1:
        raise UsageError(f"only_first and only_second add up to {discordant:g}; they cannot exceed 1.")
    if discordant == 0:
        return 0.0
    m = np.arange(pairs + 1)
    # the largest count of the rarer kind that is still significant among m discordant pairs
    critical = binom.ppf(alpha / 2, m, 0.5).astype(int)
    critical -= 2 * binom.cdf(critical, m, 0.5) > alpha
    share = only_first / discordant
    reject = binom.cdf(critical, m, share) + binom.cdf(critical, m, 1 - share)
    return float(binom.pmf(m, pairs, discordant) @ np.minimum(reject, 1.0))


def pairs_needed(*, only_first: float, only_second: float, power: float = 0.8, alpha: float = 0.05) -> Plan:
    """The fewest pairs with which the exact McNemar test has the power (a sawtooth in n, as in `trials_one_rate`)."""
    check_fraction(power, "power")
    if only_first == only_second:
        raise UsageError(f"Both discordant chances are {only_first}; no number of pairs tells the policies apart.")
    for n in range(1, _MOST_EXACT + 1):
        found = power_paired(pairs=n, only_first=only_first, only_second=only_second, alpha=alpha)
        if found >= power:
            return Plan(trials=n, power=found, method="exact")
    raise UsageError(
        f"More than {_MOST_EXACT} pairs are needed to tell {only_first} from {only_second}; the gap is too small."
    )


def more_pairs_to_decide(pairs: Pairs, *, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """How many more pairs give the exact McNemar test the power, if the shares so far are the true ones; 0 if none.

    None where no number of pairs is seen to help: no pairs yet, as many lost as won, or more than 2000 needed.
    """
    if pairs.n == 0 or pairs.only_first == pairs.only_second:
        return None
    first, second = pairs.only_first / pairs.n, pairs.only_second / pairs.n
    if power_paired(pairs=_MOST_EXACT, only_first=first, only_second=second, alpha=alpha) < power:
        return None
    return max(0, pairs_needed(only_first=first, only_second=second, power=power, alpha=alpha).trials - pairs.n)


def sequential_plan(
    *,
    rate_a: float,
    rate_b: float,
    budget: int,
    rng: np.random.Generator,
    paired: bool = False,
    alpha: float = 0.05,
    studies: int = 2_000,
) -> SequentialPlan:
    """What a study costs that stops as `sequential_two_rates` or, if paired, `sequential_paired` says; by simulation.

    The outcomes of a pair are drawn independently; where the same scene is hard for both, pairing does better.
    """
    check_rate(rate_a, "rate_a")
    check_rate(rate_b, "rate_b")
    check_whole(budget, "budget", least=1)
    check_whole(studies, "studies", least=1)
    check_fraction(alpha, "alpha")
    first, second = (rng.random((studies, budget)) < rate for rate in (rate_a, rate_b))
    log_e = (paired_log_e if paired else two_rate_log_e)(first.astype(float), second.astype(float))
    crossed = log_e >= -math.log(alpha)
    decided = crossed.any(axis=1)
    looks = np.where(decided, crossed.argmax(axis=1) + 1, budget)
    return SequentialPlan(
        budget=budget,
        power=float(decided.mean()),
        median_looks=float(np.median(looks)),
        mean_looks=float(looks.mean()),
        studies=studies,
    )


def _arcsine(rate_a: float, rate_b: float, power: float, alpha: float) -> tuple[int, float]:
    """(trials a policy, their power) by the normal approximation."""
    from scipy.special import ndtr, ndtri

    effect = abs(2 * math.asin(math.sqrt(rate_a)) - 2 * math.asin(math.sqrt(rate_b)))
    z = float(ndtri(1 - alpha / 2))
    trials = max(1, math.ceil(2 * ((z + float(ndtri(power))) / effect) ** 2))
    return trials, float(ndtr(effect * math.sqrt(trials / 2) - z))


def _fewest(enough: Callable[[int], bool]) -> int:
    """The smallest n that is enough, where more is always enough too."""
    high = 1
    while not enough(high):
        high *= 2
        if high > _MOST_TRIALS:
            raise UsageError(f"More than {_MOST_TRIALS} trials would be needed; ask for a wider interval.")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
