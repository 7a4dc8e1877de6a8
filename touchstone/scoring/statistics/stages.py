"""Rates of stages that follow each other, and their product."""

from __future__ import annotations

import math
from collections.abc import Mapping

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_counts, check_fraction
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.results import CONFIDENCE, Estimate, Interval


class StageRate(Record):
    """One stage: its trials are the successes of the one before; rate and interval (Wilson) are None without any."""

    name: str
    successes: int
    trials: int
    rate: float | None
    interval: Interval | None


def conditional_rates(
    passed: Mapping[str, int], *, trials: int, confidence: float = CONFIDENCE
) -> tuple[StageRate, ...]:
    """One conditional rate a stage. passed: stage -> how many of `trials` episodes passed it, in order."""
    rates, before = [], trials
    for name, count in passed.items():
        check_counts(count, before, f"the stage {name!r}")
        rates.append(
            StageRate(
                name=name,
                successes=count,
                trials=before,
                rate=count / before if before else None,
                interval=wilson(count, before, confidence=confidence),
            )
        )
        before = count
    return tuple(rates)


def overall_rate(
    *, execution: tuple[int, int], recognition: tuple[int, int], confidence: float = CONFIDENCE
) -> Estimate:
    """execution x recognition where recognition was counted in the executed trials: the share of all trials that had
    both, which is one proportion, so its interval is Wilson's. n: all trials.

    execution, recognition: (successes, trials). UsageError unless recognition's trials are execution's successes.
    """
    check_counts(*execution, "execution")
    check_counts(*recognition, "recognition")
    if recognition[1] != execution[0]:
        raise UsageError(
            f"Recognition has {recognition[1]} trials and execution {execution[0]} successes; they must be equal, or "
            "use product_of_rates for rates from different trials."
        )
    both, trials = recognition[0], execution[1]
    if trials == 0:
        return Estimate(value=None, interval=None, n=0, reason="There were no trials.")
    return Estimate(value=both / trials, interval=wilson(both, trials, confidence=confidence), n=trials)


def product_of_rates(
    *, execution: tuple[int, int], recognition: tuple[int, int], confidence: float = CONFIDENCE
) -> Estimate:
    """execution x recognition of *independent* trials, e.g. of two sessions or two published tables. n: the smaller n.

    The interval recovers variances on the log scale from both rates' Wilson limits (MOVER: Zou and Donner 2008, Stat.
    Med. 27, 1693): with p, q the rates and l, u their limits,
    low = p q exp(-sqrt(ln^2(p / l_p) + ln^2(q / l_q))), high = p q exp(sqrt(ln^2(u_p / p) + ln^2(u_q / q))), at most 1.
    Where a rate is 0 the logarithm is undefined; the interval is then 0 to u_p u_q.
    """
    check_counts(*execution, "execution")
    check_counts(*recognition, "recognition")
    check_fraction(confidence, "confidence")
    n = min(execution[1], recognition[1])
    first, second = wilson(*execution, confidence=confidence), wilson(*recognition, confidence=confidence)
    if first is None or second is None:
        return Estimate(value=None, interval=None, n=0, reason="One of the two rates had no trials.")
    p, q = execution[0] / execution[1], recognition[0] / recognition[1]
    low, high = 0.0, first.high * second.high
    if p * q > 0:
        low = p * q * math.exp(-math.hypot(math.log(p / first.low), math.log(q / second.low)))
        high = min(1.0, p * q * math.exp(math.hypot(math.log(first.high / p), math.log(second.high / q))))
    return Estimate(value=p * q, interval=Interval(low=low, high=high, confidence=confidence, method="log-mover"), n=n)
