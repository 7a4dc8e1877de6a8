import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import UsageError
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.macro import macro_average
from touchstone.scoring.statistics.stages import conditional_rates, overall_rate, product_of_rates


def rng():
    return np.random.default_rng(7)


def test_every_stage_has_its_own_n():
    reached, closed, right = conditional_rates({"reached": 28, "closed": 28, "right": 20}, trials=30)
    assert (reached.trials, closed.trials, right.trials) == (30, 28, 28)
    assert right.rate == 20 / 28 and right.interval == wilson(20, 28)


def test_a_stage_that_was_never_tried_has_no_rate():
    _, closed = conditional_rates({"reached": 0, "closed": 0}, trials=5)
    assert (closed.trials, closed.rate, closed.interval) == (0, None, None)


def test_more_cannot_pass_a_stage_than_came_to_it():
    with pytest.raises(UsageError, match="closed"):
        conditional_rates({"reached": 3, "closed": 4}, trials=5)


def test_overall_is_one_proportion_of_all_trials():
    overall = overall_rate(execution=(28, 30), recognition=(20, 28))
    assert (overall.value, overall.interval, overall.n) == (20 / 30, wilson(20, 30), 30)
    assert overall_rate(execution=(0, 30), recognition=(0, 0)).value == 0.0
    assert overall_rate(execution=(0, 0), recognition=(0, 0)).value is None
    with pytest.raises(UsageError, match="product_of_rates"):
        overall_rate(execution=(28, 30), recognition=(20, 30))


def test_a_product_of_independent_rates_by_hand():
    # log MOVER from Wilson's limits .7868 .9815 of 28/30 and .5294 .8475 of 20/28
    product = product_of_rates(execution=(28, 30), recognition=(20, 28))
    p, q = 28 / 30, 20 / 28
    low = p * q * np.exp(-np.sqrt(np.log(p / 0.7867650) ** 2 + np.log(q / 0.5294) ** 2))
    assert product.value == pytest.approx(p * q)
    assert product.interval.low == pytest.approx(low, abs=2e-4)


def test_a_product_where_one_rate_is_nearly_known_has_the_others_interval():
    product = product_of_rates(execution=(10**7, 10**7), recognition=(20, 28)).interval
    assert (product.low, product.high) == pytest.approx((wilson(20, 28).low, wilson(20, 28).high), abs=1e-5)


def test_a_product_with_a_rate_of_zero_or_without_trials():
    nothing = product_of_rates(execution=(0, 10), recognition=(5, 10))
    assert nothing.value == nothing.interval.low == 0.0
    assert nothing.interval.high == pytest.approx(wilson(0, 10).high * wilson(5, 10).high)
    assert product_of_rates(execution=(0, 10), recognition=(0, 0)).value is None


counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(counts, counts)
def test_a_product_lies_in_its_interval_and_is_symmetric(one, other):
    product, turned = (
        product_of_rates(execution=one, recognition=other),
        product_of_rates(execution=other, recognition=one),
    )
    assert 0.0 <= product.interval.low <= product.value + 1e-12
    assert product.value - 1e-12 <= product.interval.high <= 1.0
    assert product.interval.low == pytest.approx(turned.interval.low)


def test_a_macro_average_weighs_tasks_alike():
    average = macro_average({"a": [1] * 90 + [0] * 10, "b": [1, 0]}, resample="episodes", rng=rng())
    assert average.value == pytest.approx((0.9 + 0.5) / 2)
    assert average.n == 2 and average.interval.holds(average.value)


def test_the_episode_bootstrap_has_the_analytic_spread():
    tasks = {"a": [1] * 140 + [0] * 60, "b": [1] * 80 + [0] * 120}
    interval = macro_average(tasks, resample="episodes", rng=rng()).interval
    sigma = np.sqrt(0.7 * 0.3 / 200 + 0.4 * 0.6 / 200) / 2
    assert interval.width == pytest.approx(2 * 1.96 * sigma, rel=0.05)


def test_resampling_tasks_shows_how_tasks_differ():
    tasks = {str(i): [1] * (50 * (i % 2)) + [0] * (50 - 50 * (i % 2)) for i in range(10)}
    assert macro_average(tasks, resample="episodes", rng=rng()).interval is None
    interval = macro_average(tasks, resample="tasks", rng=rng()).interval
    # every task is all or nothing: the standard error of 10 coin flips, from their sample deviation
    assert interval.width == pytest.approx(2 * 1.96 * np.std([0, 1] * 5, ddof=1) / np.sqrt(10), rel=0.15)


def test_what_a_bootstrap_cannot_know_is_undefined():
    assert macro_average({"a": [1, 1], "b": [1]}, resample="episodes", rng=rng()).interval is None
    assert macro_average({"a": [1, 0]}, resample="tasks", rng=rng()).interval is None
    empty = macro_average({"a": [1, 0], "b": []}, resample="episodes", rng=rng())
    assert empty.value is None and "'b'" in empty.reason


def test_equal_seeds_give_equal_intervals():
    tasks = {"a": [1, 0, 1, 1], "b": [0, 0, 1]}
    for resample in ("episodes", "tasks"):
        assert macro_average(tasks, resample=resample, rng=rng()) == macro_average(tasks, resample=resample, rng=rng())


def test_bad_outcomes_are_refused():
    for tasks in ({}, {"a": [2]}, {"a": [float("nan")]}):
        with pytest.raises(UsageError):
            macro_average(tasks, resample="episodes", rng=rng())
    with pytest.raises(UsageError, match="resample"):
        macro_average({"a": [1]}, resample="rows", rng=rng())
