"""Two success rates of independent trials."""

from __future__ import annotations

from typing import Literal

from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_choice, check_counts, check_fraction
from touchstone.scoring.statistics.results import CONFIDENCE, Interval

Test = Literal["boschloo", "barnard"]


class TwoRates(Record):
    """a and b are (successes, trials). difference: rate of a minus rate of b, with Newcombe's interval; p_value:
    two-sided, of equal rates. All three are None, with the reason, when a side had no trials."""

    a: tuple[int, int]
    b: tuple[int, int]
    difference: float | None
    interval: Interval | None
    p_value: float | None
    test: Test
    reason: str | None = None


def compare_rates(
    *, a: tuple[int, int], b: tuple[int, int], test: Test = "boschloo", confidence: float = CONFIDENCE
) -> TwoRates:
    """Compares the rates of two independent samples, each (successes, trials).

    Interval: Newcombe's hybrid score interval (1998, Stat. Med. 17, 873, method 10). Test: Boschloo's (1970, Stat.
    Neerl. 24, 1) or Barnard's (1947, Biometrika 34, 123) exact unconditional one, two-sided, as in SciPy: Boschloo's
    p-value is twice the smaller one-sided one, at most 1.
    """
    check_counts(*a, "the rate of a")
    check_counts(*b, "the rate of b")
    check_choice(test, ("boschloo", "barnard"), "test")
    check_fraction(confidence, "confidence")
    if a[1] == 0 or b[1] == 0:
        side = "a" if a[1] == 0 else "b"
        return TwoRates(
            a=a, b=b, difference=None, interval=None, p_value=None, test=test, reason=f"{side} had no trials."
        )
    return TwoRates(
        a=a,
        b=b,
        difference=a[0] / a[1] - b[0] / b[1],
        interval=newcombe(a=a, b=b, confidence=confidence),
        p_value=_p_value(a, b, test),
        test=test,
    )


def newcombe(*, a: tuple[int, int], b: tuple[int, int], confidence: float = CONFIDENCE) -> Interval:
    """Newcombe's interval for rate a minus rate b of independent samples; both with trials."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(*a, *b, method="newcomb", compare="diff", alpha=1 - confidence)
    difference = a[0] / a[1] - b[0] / b[1]
    low, high = max(-1.0, min(float(low), difference)), min(1.0, max(float(high), difference))
    return Interval(low=low, high=high, confidence=confidence, method="newcombe")


def _p_value(a: tuple[int, int], b: tuple[int, int], test: Test) -> float:
    if (a[0], b[0]) in ((0, 0), (a[1], b[1])):
        return 1.0  # where nothing differs, SciPy's answer depends on which side is empty
    from scipy.stats import barnard_exact, boschloo_exact

    exact = {"boschloo": boschloo_exact, "barnard": barnard_exact}[test]
    table = [[a[0], b[0]], [a[1] - a[0], b[1] - b[0]]]
    return float(min(1.0, exact(table).pvalue))
