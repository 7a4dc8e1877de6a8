import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.scoring.rates import rate


# the last four: Newcombe 1998 (Stat. Med. 17, 857), table I, method 3
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (30, 30, 0.8865, 1.0),
        (11, 30, 0.2187, 0.5449),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_wilsons(successes, trials, low, high):
    one = rate(successes, trials)
    assert one.rate == pytest.approx(successes / trials, abs=1e-6)
    assert one.ci95 == pytest.approx((low, high), abs=6e-5)


def test_no_trials_give_null():
    one = rate(0, 0)
    assert one.model_dump(mode="json") == {"successes": 0, "trials": 0, "rate": None, "ci95": None}
    assert one.text() == "0/0"


@pytest.mark.parametrize(("successes", "trials"), [(2, 1), (-1, 3), (0, -1)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError):
        rate(successes, trials)


counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_the_interval_holds_the_rate_and_mirrors_for_failures(pair):
    successes, trials = pair
    one, mirrored = rate(successes, trials), rate(trials - successes, trials)
    low, high = one.ci95
    assert 0.0 <= low <= one.rate <= high <= 1.0
    assert (1 - mirrored.ci95[1], 1 - mirrored.ci95[0]) == pytest.approx((low, high), abs=2e-6)


@given(counts)
def test_more_trials_at_the_same_rate_narrow_the_interval(pair):
    one, more = rate(*pair), rate(4 * pair[0], 4 * pair[1])
    assert more.ci95[1] - more.ci95[0] < one.ci95[1] - one.ci95[0]
