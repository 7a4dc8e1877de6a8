import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, boschloo_exact
from statsmodels.stats.contingency_tables import mcnemar

from touchstone.errors import UsageError
from touchstone.scoring.statistics import planning as plan
from touchstone.scoring.statistics.exact_tables import boschloo_p_values
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.paired import Pairs


@pytest.mark.parametrize(("a", "b"), [(7, 7), (12, 5)])
def test_all_boschloo_p_values_are_scipys(a, b):
    ours = boschloo_p_values(a, b)
    for i in range(a + 1):
        for j in range(b + 1):
            if (i, j) in ((0, 0), (a, b)):
                assert ours[i, j] == 1.0
                continue
            theirs = min(1.0, boschloo_exact([[i, j], [a - i, b - j]], n=64).pvalue)
            assert ours[i, j] == pytest.approx(theirs, abs=2e-4)


@pytest.mark.parametrize("rate", [0.1, 0.37, 0.5, 0.93])
def test_the_size_of_boschloos_test_is_at_most_alpha(rate):
    assert plan.power_two_rates(trials_a=30, trials_b=30, rate_a=rate, rate_b=rate) <= 0.05 + 1e-6


def test_power_of_two_rates_by_enumeration():
    expected = 0.0
    for i in range(9):
        for j in range(9):
            edge = (i, j) in ((0, 0), (8, 8))
            if not edge and boschloo_exact([[i, j], [8 - i, 8 - j]], n=64).pvalue <= 0.05:
                expected += binom.pmf(i, 8, 0.9) * binom.pmf(j, 8, 0.3)
    assert plan.power_two_rates(trials_a=8, trials_b=8, rate_a=0.9, rate_b=0.3) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("rate_a", "rate_b"), [(0.37, 0.87), (0.6, 0.8), (0.99, 0.9)])
def test_trials_of_two_rates_have_the_power_and_one_fewer_has_not(rate_a, rate_b):
    found = plan.trials_two_rates(rate_a=rate_a, rate_b=rate_b)
    assert found.method == "exact" and found.power >= 0.8
    n = found.trials - 1
    assert plan.power_two_rates(trials_a=n, trials_b=n, rate_a=rate_a, rate_b=rate_b) < 0.8


def test_small_differences_fall_back_on_the_normal_approximation():
    found = plan.trials_two_rates(rate_a=0.6, rate_b=0.7)
    # Cohen 1988, table 6.4.1: h = 0.21 needs 356 at power 0.80
    assert (found.method, found.trials) == ("normal approximation", 356)


def test_power_of_one_rate_by_binomtest():
    rejected = [k for k in range(26) if binomtest(k, 25, 0.5).pvalue <= 0.05]
    expected = binom.pmf(rejected, 25, 0.8).sum()
    assert plan.power_one_rate(trials=25, null=0.5, rate=0.8) == pytest.approx(expected)
    greater = plan.power_one_rate(trials=25, null=0.5, rate=0.8, alternative="greater")
    assert greater == pytest.approx(binom.sf(17, 25, 0.8))
    less = plan.power_one_rate(trials=25, null=0.5, rate=0.2, alternative="less")
    assert less == pytest.approx(greater)


def test_trials_of_one_rate_are_the_fewest():
    found = plan.trials_one_rate(null=0.5, rate=0.8)
    assert plan.power_one_rate(trials=found.trials, null=0.5, rate=0.8) == found.power >= 0.8
    assert all(plan.power_one_rate(trials=n, null=0.5, rate=0.8) < 0.8 for n in range(1, found.trials))


def test_power_of_pairs_by_enumeration():
    n, p, q = 12, 0.4, 0.1
    expected = 0.0
    for b in range(n + 1):
        for c in range(n + 1 - b):
            if mcnemar([[0, b], [c, n - b - c]], exact=True).pvalue <= 0.05:
                expected += binom.pmf(b + c, n, p + q) * binom.pmf(b, b + c, p / (p + q))
    assert plan.power_paired(pairs=n, only_first=p, only_second=q) == pytest.approx(expected)


def test_pairs_needed_are_the_fewest():
    found = plan.pairs_needed(only_first=0.25, only_second=0.05)
    assert found.power >= 0.8
    assert plan.power_paired(pairs=found.trials - 1, only_first=0.25, only_second=0.05) < 0.8
    assert plan.power_paired(pairs=30, only_first=0.0, only_second=0.0) == 0.0


def test_expected_width_by_hand():
    expected = sum(binom.pmf(k, 3, 0.4) * wilson(k, 3).width for k in range(4))
    assert plan.expected_width(rate=0.4, trials=3) == pytest.approx(expected)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.04, 0.4), st.floats(0.05, 0.95))
def test_trials_for_a_width_are_the_fewest(half_width, rate):
    n = plan.trials_for_width(half_width=half_width, rate=rate)
    assert plan.expected_width(rate=rate, trials=n) <= 2 * half_width
    assert n == 1 or plan.expected_width(rate=rate, trials=n - 1) > 2 * half_width


def test_a_sequential_study_of_clear_policies_stops_early_and_repeats():
    def study(paired):
        rng = np.random.default_rng(0)
        return plan.sequential_plan(rate_a=0.95, rate_b=0.3, budget=60, rng=rng, paired=paired, studies=400)

    for paired in (False, True):
        assert study(paired) == study(paired)
        assert study(paired).power > 0.98 and study(paired).median_looks < 25


def test_what_is_missing_from_a_study_under_way():
    whole = plan.trials_for_width(half_width=0.1, rate=0.6)
    assert plan.more_trials_for_width(successes=12, trials=20, half_width=0.1) == whole - 20
    assert plan.more_trials_for_width(successes=600, trials=1000, half_width=0.1) == 0
    worst = plan.trials_for_width(half_width=0.1)
    assert plan.more_trials_for_width(successes=0, trials=0, half_width=0.1) == worst

    so_far = Pairs(both=10, only_first=5, only_second=1, neither=4)
    needed = plan.pairs_needed(only_first=0.25, only_second=0.05).trials
    assert plan.more_pairs_to_decide(so_far) == needed - 20
    assert plan.more_pairs_to_decide(Pairs(both=0, only_first=90, only_second=10, neither=0)) == 0
    for hopeless in ((5, 2, 2, 5), (0, 0, 0, 0), (700, 101, 100, 99)):
        both, first, second, neither = hopeless
        pairs = Pairs(both=both, only_first=first, only_second=second, neither=neither)
        assert plan.more_pairs_to_decide(pairs) is None


def test_impossible_plans_are_refused():
    rng = np.random.default_rng(0)
    for ask in (
        lambda: plan.trials_two_rates(rate_a=0.5, rate_b=0.5),
        lambda: plan.trials_one_rate(null=0.5, rate=0.5),
        lambda: plan.trials_one_rate(null=0.5, rate=0.501),
        lambda: plan.pairs_needed(only_first=0.1, only_second=0.1),
        lambda: plan.power_paired(pairs=5, only_first=0.8, only_second=0.4),
        lambda: plan.power_two_rates(trials_a=151, trials_b=10, rate_a=0.1, rate_b=0.9),
        lambda: plan.power_one_rate(trials=0, null=0.5, rate=0.6),
        lambda: plan.power_one_rate(trials=5, null=0.5, rate=1.6),
        lambda: plan.trials_for_width(half_width=0),
        lambda: plan.trials_for_width(half_width=1e-4),
        lambda: plan.sequential_plan(rate_a=0.5, rate_b=0.6, budget=0, rng=rng),
    ):
        with pytest.raises(UsageError):
            ask()
