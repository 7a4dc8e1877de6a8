import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import UsageError
from touchstone.scoring.statistics.drift import drift, drift_between_groups
from touchstone.scoring.statistics.gap import gap_by_group, gap_by_stage

STAGES = ("reached", "closed", "right card")


def rng():
    return np.random.default_rng(11)


def passed(counts):
    """Episodes from how many passed exactly 0, 1, 2, 3 stages."""
    return np.repeat(np.arange(len(counts)), counts)


def test_two_stages_by_hand():
    # sim .9 x .8, real .9 x .4: stage one is alike, all of the gap is stage two
    found = gap_by_stage(
        sim=passed([10, 18, 72]), real=passed([10, 54, 36]), stages=("one", "two"), paired=False, rng=rng()
    )
    assert [s.contribution for s in found.stages] == pytest.approx([0.0, -0.36])
    assert found.gap == pytest.approx(-0.36) and found.blamed == "two"
    # sim .9 x .8, real .6 x .4: the Shapley values are the differences at the mean of the other rate
    found = gap_by_stage(
        sim=passed([10, 18, 72]), real=passed([40, 36, 24]), stages=("one", "two"), paired=False, rng=rng()
    )
    assert [s.contribution for s in found.stages] == pytest.approx([-0.3 * 0.6, -0.4 * 0.75])
    assert found.stages[1].real.trials == 60 and found.stages[1].sim.trials == 90


episodes = st.lists(st.integers(0, 3), min_size=1, max_size=40)


@settings(deadline=None, max_examples=30)
@given(episodes, episodes)
def test_contributions_add_up_to_the_gap(sim, real):
    found = gap_by_stage(sim=sim, real=real, stages=STAGES, paired=False, rng=rng(), draws=50)
    gap = np.mean(np.array(real) == 3) - np.mean(np.array(sim) == 3)
    assert found.gap == pytest.approx(gap)
    assert sum(s.contribution for s in found.stages) == pytest.approx(gap)


@pytest.mark.parametrize(("stage", "real"), [(0, [60, 2, 3, 35]), (1, [5, 60, 2, 33]), (2, [5, 5, 55, 35])])
def test_the_stage_that_was_broken_is_blamed(stage, real):
    found = gap_by_stage(sim=passed([5, 5, 5, 85]), real=passed(real), stages=STAGES, paired=False, rng=rng())
    assert found.blamed == STAGES[stage] and STAGES[stage] in found.because
    worst = found.stages[stage]
    assert worst.interval.high < 0 and worst.difference.p_value < 1e-4 and worst.p_holm <= 3 * worst.difference.p_value


def test_nobody_is_blamed_without_evidence():
    found = gap_by_stage(sim=passed([1, 0, 1, 8]), real=passed([1, 1, 1, 7]), stages=STAGES, paired=False, rng=rng())
    assert found.blamed is None and "more trials" in found.because
    alike = gap_by_stage(sim=[3, 3, 2], real=[3, 3, 2], stages=STAGES, paired=True, rng=rng())
    assert alike.blamed is None and alike.gap == 0


def test_a_stage_never_tried_contributes_nothing():
    found = gap_by_stage(sim=passed([5, 5, 5, 85]), real=passed([100]), stages=STAGES, paired=False, rng=rng())
    assert found.blamed == "reached"
    assert found.stages[2].real.rate is None and found.stages[2].difference.p_value is found.stages[2].p_holm is None
    assert [s.contribution for s in found.stages] == pytest.approx([-0.85, 0.0, 0.0])


def test_pairing_narrows_what_scenes_decide():
    scenes = rng().integers(0, 4, 200)
    real = np.where(np.arange(200) % 10 == 0, np.minimum(scenes, 2), scenes)
    widths = [
        sum(
            s.interval.width if s.interval else 0.0
            for s in gap_by_stage(sim=scenes, real=real, stages=STAGES, paired=paired, rng=rng()).stages
        )
        for paired in (True, False)
    ]
    assert widths[0] < 0.6 * widths[1]


def test_bad_stages_are_refused():
    for sim, real, stages, paired in (
        ([4], [1], STAGES, False),
        ([-1], [1], STAGES, False),
        ([0.5], [1], STAGES, False),
        ([], [1], STAGES, False),
        ([0], [0], (), False),
        ([1, 2], [1], STAGES, True),
    ):
        with pytest.raises(UsageError):
            gap_by_stage(sim=sim, real=real, stages=stages, paired=paired, rng=rng())


def test_gaps_by_group():
    found = gap_by_group(sim=[("left", 1), ("left", 1), ("right", 0)], real=[("left", 0), ("middle", 1)])
    assert [one.group for one in found] == ["left", "middle", "right"]
    assert found[0].comparison.difference == -1.0
    assert found[1].comparison.difference is None and found[1].comparison.a == (1, 1)


def falling(n=80, seed=0):
    t = np.arange(n)
    return (np.random.default_rng(seed).random(n) < 0.95 - 0.8 * t / n).astype(int), t


def test_a_falling_rate_is_found_and_its_odds_ratio_is_the_logistic_regressions():
    y, t = falling()
    found = drift(y, t, rng=rng())
    assert found.p_value < 0.001 and found.interval.high < 1
    import statsmodels.api as sm

    fit = sm.Logit(y, sm.add_constant((t - t.mean()) / t.std())).fit(disp=False)
    assert found.odds_ratio == pytest.approx(np.exp(fit.params[1]), rel=1e-6)
    assert (found.interval.low, found.interval.high) == pytest.approx(np.exp(fit.conf_int()[1]), rel=1e-5)


def test_the_permutation_test_is_exact_on_a_small_case():
    # of the 70 orders of four successes and four failures two are as extreme
    assert drift([1, 1, 1, 1, 0, 0, 0, 0], range(8), rng=rng(), draws=40_000).p_value == pytest.approx(
        2 / 70, abs=0.004
    )


def test_policies_tried_one_after_the_other_are_no_drift():
    y = np.array([1, 1, 0, 1, 1, 1, 1, 0, 1, 1] * 2 + [0, 0, 1, 0, 0, 0, 0, 1, 0, 0] * 2)
    policy = ["good"] * 20 + ["bad"] * 20
    assert drift(y, range(40), rng=rng()).p_value < 0.01
    assert drift(y, range(40), rng=rng(), strata=policy).p_value > 0.3


def test_under_no_drift_p_values_are_uniform():
    source = np.random.default_rng(1)
    p = [drift((source.random(30) < 0.7), range(30), rng=source, draws=200).p_value for _ in range(300)]
    assert 0.02 <= np.mean(np.array(p) <= 0.1) <= 0.18


def test_separated_outcomes_have_no_odds_ratio():
    found = drift([1] * 6 + [0] * 6, range(12), rng=rng())
    assert found.odds_ratio is None and "separates" in found.reason and found.p_value < 0.01


@pytest.mark.parametrize(
    ("y", "x", "strata"), [([1] * 5, range(5), None), ([1, 0], [3, 3], None), ([1, 0], [1, 2], "ab"), ([], [], None)]
)
def test_where_nothing_can_drift_it_is_undefined(y, x, strata):
    found = drift(y, x, rng=rng(), strata=strata)
    assert found.p_value is None and found.reason


def test_operators_that_differ_are_found():
    y = [1] * 18 + [0] * 2 + [1] * 6 + [0] * 14
    operators = ["a"] * 20 + ["b"] * 20
    assert drift_between_groups(y, operators, rng=rng()).p_value < 0.001
    mixed = ["a", "b"] * 20
    assert drift_between_groups(y, mixed, rng=rng()).p_value > 0.2
    assert drift_between_groups(y, operators, strata=operators, rng=rng()).p_value is None


def test_bad_covariates_are_refused():
    for y, x in (([1, 0], [1]), ([1, 2], [1, 2]), ([1, 0], [1, float("nan")])):
        with pytest.raises(UsageError):
            drift(y, x, rng=rng())
