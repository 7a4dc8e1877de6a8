import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from touchstone.errors import UsageError
from touchstone.scoring.statistics.intervals import clopper_pearson, clopper_pearson_bounds, wilson, wilson_bounds

METHODS = {"wilson": wilson, "exact": clopper_pearson}
counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("pair", [(0, 1), (1, 1), (0, 30), (30, 30), (11, 30), (26, 30), (15, 148)])
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_intervals_are_scipys(pair, name, confidence):
    theirs = binomtest(*pair).proportion_ci(confidence, method=name)
    ours = METHODS[name](*pair, confidence=confidence)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours.confidence == confidence


def test_clopper_pearson_has_its_closed_form_at_the_edges():
    assert clopper_pearson(0, 30).high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert clopper_pearson(30, 30).low == pytest.approx(0.025 ** (1 / 30))


@pytest.mark.parametrize("method", METHODS.values())
def test_without_trials_there_is_none(method):
    assert method(0, 0) is None


@pytest.mark.parametrize("method", METHODS.values())
@pytest.mark.parametrize("pair", [(2, 1), (-1, 3), (0, -1), (0.5, 2), (True, 1)])
def test_impossible_counts_are_refused(method, pair):
    with pytest.raises(UsageError, match="trials"):
        method(*pair)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(UsageError, match="confidence"):
        wilson(1, 2, confidence=confidence)


@settings(deadline=None)
@given(counts)
def test_both_hold_the_rate_and_mirror_for_failures(pair):
    for method in METHODS.values():
        one, mirrored = method(*pair), method(pair[1] - pair[0], pair[1])
        assert 0.0 <= one.low <= pair[0] / pair[1] <= one.high <= 1.0
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((one.low, one.high), abs=1e-9)


def test_arrays_give_what_single_counts_give():
    k = np.arange(31)
    for bounds, single in ((wilson_bounds, wilson), (clopper_pearson_bounds, clopper_pearson)):
        low, high = bounds(k, 30)
        assert low.shape == high.shape == (31,)
        assert [(a, b) for a, b in zip(low, high, strict=True)] == [(single(i, 30).low, single(i, 30).high) for i in k]


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(1e-6, 1 - 1e-6))
def test_clopper_pearson_covers_at_every_rate(n, p):
    k = np.arange(n + 1)
    low, high = clopper_pearson_bounds(k, n)
    assert binom.pmf(k, n, p)[(low <= p + 1e-12) & (p - 1e-12 <= high)].sum() >= 0.95 - 1e-9
