import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import barnard_exact, boschloo_exact
from statsmodels.stats.contingency_tables import mcnemar

from touchstone.errors import UsageError
from touchstone.scoring.statistics.paired import (
    Pairs,
    compare_paired,
    count_pairs,
    paired_mean_difference,
)
from touchstone.scoring.statistics.two_rates import compare_rates, newcombe


# Newcombe 1998 (Stat. Med. 17, 873), table II, method 10
@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_published_intervals(a, b, low, high):
    interval = newcombe(a=a, b=b)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=6e-5)


def test_p_values_are_scipys():
    table = [[26, 11], [4, 19]]
    ours = compare_rates(a=(26, 30), b=(11, 30))
    assert ours.p_value == pytest.approx(boschloo_exact(table).pvalue)
    assert ours.difference == pytest.approx(0.5)
    assert compare_rates(a=(26, 30), b=(11, 30), test="barnard").p_value == pytest.approx(barnard_exact(table).pvalue)


def test_boschloos_published_p_value():
    # SciPy's documentation of boschloo_exact: 74 of 117 against 31 of 63, one-sided 0.0355
    assert compare_rates(a=(74, 117), b=(31, 63)).p_value == pytest.approx(2 * 0.0355, abs=2e-4)


@pytest.mark.parametrize(("a", "b"), [((0, 3), (0, 5)), ((3, 3), (5, 5)), ((0, 1), (0, 1))])
def test_where_nothing_differs_the_p_value_is_one(a, b):
    assert compare_rates(a=a, b=b).p_value == 1.0


def test_a_side_without_trials_is_undefined():
    result = compare_rates(a=(0, 0), b=(3, 5))
    assert (result.difference, result.interval, result.p_value) == (None, None, None)
    assert "a had no trials" in result.reason


def test_a_test_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match="'boschloo', 'barnard'"):
        compare_rates(a=(1, 2), b=(1, 2), test="fisher")


small = st.integers(1, 15).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, max_examples=25)
@given(small, small)
def test_swapping_sides_turns_the_sign(a, b):
    one, other = compare_rates(a=a, b=b), compare_rates(a=b, b=a)
    assert one.difference == pytest.approx(-other.difference)
    assert (one.interval.low, one.interval.high) == pytest.approx((-other.interval.high, -other.interval.low))
    # SciPy maximises over the nuisance rate numerically
    assert one.p_value == pytest.approx(other.p_value, rel=2e-3)


# Fagerland, Lydersen and Laake 2014 (Stat. Med. 33, 2850), airway hyper-responsiveness before and after transplantation
AIRWAY = Pairs(both=1, only_first=1, only_second=7, neither=12)


@pytest.mark.parametrize(("method", "low", "high"), [("tango", -0.517, -0.026), ("newcombe", -0.507, -0.026)])
def test_published_intervals_of_paired_differences(method, low, high):
    result = compare_paired(AIRWAY, method=method)
    assert result.difference == pytest.approx(-6 / 21)
    assert (result.interval.low, result.interval.high) == pytest.approx((low, high), abs=6e-4)


def test_mcnemar_is_statsmodels_and_its_closed_form():
    ours = compare_paired(AIRWAY)
    assert ours.p_value == pytest.approx(mcnemar([[1, 1], [7, 12]], exact=True).pvalue)
    assert ours.p_value == pytest.approx(2 * (1 + 8) / 2**8)
    assert ours.discordant == 8


@pytest.mark.parametrize("concordant", [(5, 0), (0, 5), (2, 3)])
def test_without_differences_tango_has_its_closed_form(concordant):
    z2 = 1.959964**2
    result = compare_paired(Pairs(both=concordant[0], only_first=0, only_second=0, neither=concordant[1]))
    assert result.p_value == 1.0 and result.difference == 0.0
    assert (result.interval.low, result.interval.high) == pytest.approx((-z2 / (5 + z2), z2 / (5 + z2)), abs=1e-6)


def test_without_pairs_nothing_is_defined():
    result = compare_paired(count_pairs([], []))
    assert (result.difference, result.interval, result.p_value) == (None, None, None)


def test_pairs_are_counted_place_by_place():
    assert count_pairs([1, 1, 0, 0, 1], [1, 0, 1, 0, 1]) == Pairs(both=2, only_first=1, only_second=1, neither=1)
    with pytest.raises(UsageError, match="same episodes"):
        count_pairs([1], [1, 0])
    with pytest.raises(UsageError, match="0 or 1"):
        count_pairs([0.5], [1])


cells = st.integers(0, 40)


@pytest.mark.parametrize("method", ["tango", "newcombe"])
@settings(deadline=None)
@given(cells, cells, cells, cells)
def test_paired_intervals_hold_the_difference_and_turn_with_the_order(method, a, b, c, d):
    pairs = Pairs(both=a, only_first=b, only_second=c, neither=d)
    if pairs.n == 0:
        return
    one = compare_paired(pairs, method=method)
    turned = compare_paired(Pairs(both=a, only_first=c, only_second=b, neither=d), method=method)
    assert -1 <= one.interval.low <= one.difference + 1e-9
    assert one.difference - 1e-9 <= one.interval.high <= 1
    assert (one.interval.low, one.interval.high) == pytest.approx(
        (-turned.interval.high, -turned.interval.low), abs=1e-7
    )


def test_the_bootstrap_of_pairs_has_the_analytic_spread():
    rng = np.random.default_rng(3)
    first, second = rng.random(400), rng.random(400)
    result = paired_mean_difference(first, second, rng=np.random.default_rng(0))
    assert result.value == pytest.approx((first - second).mean())
    assert result.interval.width == pytest.approx(2 * 1.96 * (first - second).std() / 20, rel=0.05)


def test_clusters_that_move_together_widen_the_interval():
    rng = np.random.default_rng(5)
    first = np.repeat(rng.random(12), 20)
    alone = paired_mean_difference(first, np.zeros(240), rng=rng)
    clustered = paired_mean_difference(first, np.zeros(240), rng=rng, clusters=np.repeat(np.arange(12), 20))
    assert (alone.n, clustered.n) == (240, 12)
    assert clustered.interval.width > 3 * alone.interval.width


def test_one_cluster_or_none_gives_no_interval():
    rng = np.random.default_rng(0)
    assert paired_mean_difference([1, 0], [0, 0], rng=rng, clusters=["a", "a"]).interval is None
    assert paired_mean_difference([1, 1], [0, 0], rng=rng).interval is None
    assert paired_mean_difference([], [], rng=rng).value is None
