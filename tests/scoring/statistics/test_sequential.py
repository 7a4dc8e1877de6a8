import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from touchstone.errors import UsageError
from touchstone.scoring.statistics.betting import betting_bounds, betting_mean
from touchstone.scoring.statistics.confidence_sequences import (
    rate_advice,
    rate_sequence,
    rate_sequence_path,
)
from touchstone.scoring.statistics.intervals import clopper_pearson
from touchstone.scoring.statistics.sequential_tests import (
    paired_log_e,
    sequential_paired,
    sequential_two_rates,
    two_rate_log_e,
)


@pytest.mark.parametrize("n", [1, 5, 30, 200])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_robbins_closed_form_when_all_succeed_or_fail(n, confidence):
    bound = ((1 - confidence) / (n + 1)) ** (1 / n)
    assert rate_sequence(n, n, confidence=confidence).low == pytest.approx(bound, abs=1e-12)
    assert rate_sequence(n, n, confidence=confidence).high == 1.0
    assert rate_sequence(0, n, confidence=confidence).high == pytest.approx(1 - bound, abs=1e-12)


counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(counts)
def test_robbins_inequality_holds_with_equality_at_the_bounds(pair):
    k, n = pair
    interval = rate_sequence(k, n)
    for bound in {interval.low, interval.high} - {0.0, 1.0}:
        assert (n + 1) * binom.pmf(k, n, bound) == pytest.approx(0.05, rel=1e-6)
    exact = clopper_pearson(k, n)
    assert interval.low <= exact.low + 1e-12 and exact.high <= interval.high + 1e-12


def test_nothing_is_known_before_the_first_trial():
    assert (rate_sequence(0, 0).low, rate_sequence(0, 0).high) == (0.0, 1.0)


def test_a_path_only_shrinks_and_ends_at_least_as_narrow():
    results = [1, 1, 0, 1, 1, 1, 0, 1] * 10
    low, high = rate_sequence_path(results)
    assert (np.diff(low) >= 0).all() and (np.diff(high) <= 0).all()
    last = rate_sequence(60, 80)
    assert low[-1] >= last.low and high[-1] <= last.high


def test_a_rate_that_changes_leaves_no_interval():
    low, high = rate_sequence_path([1] * 100 + [0] * 300)
    assert low[-1] > high[-1]


def test_advice_stops_at_a_width_or_a_threshold():
    _, advice = rate_advice(50, 100, half_width=0.05)
    assert not advice.stop and "wider than +- 0.05" in advice.because
    assert rate_advice(2500, 5000, half_width=0.05)[1].stop
    _, above = rate_advice(30, 30, threshold=0.5)
    assert above.stop and "above 0.5" in above.because
    assert "below 0.5" in rate_advice(0, 30, threshold=0.5)[1].because
    assert not rate_advice(16, 30, threshold=0.5)[1].stop
    estimate, advice = rate_advice(0, 0, threshold=0.5)
    assert estimate.value is None and not advice.stop


BINARY = [1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1]
GRADED = [0.2, 0.5, 0.9, 0.4, 0.65, 0.3, 0.1, 0.8, 0.55, 0.45]


# `betting_cs` of confseq (GitHub, commit of 2024-10-27) on a grid of 1/2000, with its running intersection
@pytest.mark.parametrize(("values", "low", "high"), [(BINARY, 0.516, 0.9845), (GRADED, 0.233, 0.7505)])
def test_betting_agrees_with_confseq(values, low, high):
    interval = betting_mean(values, bounds=(0, 1), anytime=True).interval
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=6e-4)


def test_betting_scales_with_its_bounds():
    unit = betting_mean(GRADED, bounds=(0, 1), anytime=False)
    wide = betting_mean([3 * x - 1 for x in GRADED], bounds=(-1, 2), anytime=False)
    assert wide.value == pytest.approx(3 * unit.value - 1)
    assert (wide.interval.low, wide.interval.high) == pytest.approx(
        (3 * unit.interval.low - 1, 3 * unit.interval.high - 1)
    )


def test_for_a_fixed_n_the_order_does_not_matter():
    one = betting_mean(BINARY, bounds=(0, 1), anytime=False).interval
    other = betting_mean(sorted(BINARY), bounds=(0, 1), anytime=False).interval
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)


def test_betting_sees_small_variance():
    rng = np.random.default_rng(0)
    quiet = betting_bounds(0.5 + 0.05 * rng.standard_normal((1, 200)).clip(-2, 2), anytime=False)
    loud = betting_bounds(rng.integers(0, 2, (1, 200)).astype(float), anytime=False)
    assert quiet[1] - quiet[0] < 0.5 * (loud[1] - loud[0])


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.booleans())
def test_betting_mirrors(values, anytime):
    one = betting_bounds(np.array([values]), anytime=anytime)
    mirrored = betting_bounds(1 - np.array([values]), anytime=anytime)
    assert one[0] >= 0 and one[1] <= 1
    assert (1 - mirrored[1], 1 - mirrored[0]) == (pytest.approx(one[0], abs=1e-9), pytest.approx(one[1], abs=1e-9))


def test_betting_refuses_what_is_out_of_bounds():
    assert betting_mean([], bounds=(0, 1), anytime=True).value is None
    for values, bounds in (([2.0], (0, 1)), ([float("nan")], (0, 1)), ([0.5], (1, 0))):
        with pytest.raises(UsageError, match="bounds"):
            betting_mean(values, bounds=bounds, anytime=True)


def test_a_paired_run_of_wins_has_its_closed_form():
    # Krichevsky-Trofimov: the k-th win multiplies the evidence by 2 (k - 1/2) / k
    result = sequential_paired(first=[1] * 9, second=[0] * 9)
    assert result.path == pytest.approx(np.cumprod([(2 * k - 1) / k for k in range(1, 10)]))
    assert (result.better, result.decided_at) == ("first", 7)
    assert result.p_value == pytest.approx(1 / result.e_value)


def test_overwhelming_evidence_stays_a_number():
    for test in (sequential_two_rates, sequential_paired):
        assert np.isfinite(test(first=[1] * 1500, second=[0] * 1500).path).all()


def test_pairs_without_a_difference_are_no_evidence():
    result = sequential_paired(first=[1, 0, 1, 1], second=[1, 0, 1, 1])
    assert result.path == pytest.approx((1, 1, 1, 1)) and result.decided_at is None


def test_a_block_of_two_rates_by_hand():
    # after the block (1, 0) with the prior 0.18: f = 1.18 / 1.36, g = 0.18 / 1.36, h = 1 / 2
    result = sequential_two_rates(first=[1, 1], second=[0, 0])
    assert result.path == pytest.approx((1.0, (1.18 / 1.36) ** 2 / 0.25))


def test_a_stream_that_is_ahead_waits():
    assert sequential_two_rates(first=[1, 1, 1], second=[0]).looks == 1
    with pytest.raises(UsageError, match="same episodes"):
        sequential_paired(first=[1, 1], second=[0])


def binary(rows):
    return (np.arange(2**rows)[:, None] >> np.arange(rows)) & 1


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
def test_the_evidence_of_equal_rates_is_at_most_one_on_average(rate):
    """Over every outcome of five blocks: the definition of an e-value, exactly."""
    streams = binary(10).astype(float)
    first, second = streams[:, :5], streams[:, 5:]
    chance = rate ** streams.sum(axis=1) * (1 - rate) ** (10 - streams.sum(axis=1))
    for log_e in (two_rate_log_e, paired_log_e):
        expected = (chance[:, None] * np.exp(log_e(first, second))).sum(axis=0)
        assert (expected <= 1 + 1e-12).all()


@pytest.mark.parametrize("test", [sequential_two_rates, sequential_paired])
def test_advice_of_a_test(test):
    ones, zeros = [1] * 20, [0] * 20
    assert test(first=zeros, second=ones).advice.because.startswith("The second is better, decided after")
    assert not test(first=[1, 0], second=[1, 1]).advice.stop
    used_up = test(first=[1, 0], second=[1, 1], budget=2).advice
    assert used_up.stop and "used up" in used_up.because
    futile = test(first=[1, 0] * 10, second=[0, 1] * 10, budget=21).advice
    assert futile.stop and "Even if" in futile.because
    assert not test(first=[1, 0], second=[1, 1], budget=200).advice.stop
    nothing = test(first=[], second=[])
    assert (nothing.e_value, nothing.p_value, nothing.interval) == (1.0, 1.0, None)


def test_the_interval_of_a_decided_test_is_on_the_right_side():
    rng = np.random.default_rng(4)
    first, second = (rng.random(120) < 0.9).astype(int), (rng.random(120) < 0.3).astype(int)
    for test in (sequential_two_rates, sequential_paired):
        assert 0 < test(first=first, second=second).interval.low < 0.6 < test(first=first, second=second).interval.high
