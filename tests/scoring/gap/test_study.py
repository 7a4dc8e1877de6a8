import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, pearsonr

from tests.scoring.gap.studies import REAL, SHADOW, SIM, write_side
from touchstone.scoring.gap.advice import advise, finding
from touchstone.scoring.gap.records import Study
from touchstone.scoring.gap.study import gap_study
from touchstone.scoring.statistics.paired import Pairs, compare_paired
from touchstone.scoring.statistics.results import Interval


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("gap")
    write_side(root / "sim", "twin", SIM)
    write_side(root / "real", SHADOW, REAL)
    return root


@pytest.fixture(scope="module")
def study(root):
    return gap_study(sim=[root / "sim"], real=[root / "real"])[0]


def cell(study, name):
    return next(one for one in study.cells if one.name == name)


def test_rates_count_every_episode_and_differences_only_pairs(study):
    good = cell(study, "good")
    assert (good.sim.overall.successes, good.sim.overall.trials) == (10, 12)
    assert (good.real.overall.successes, good.real.overall.trials) == (4, 8)
    assert (good.real.execution.successes, good.real.recognition.trials) == (6, 6)
    assert (good.pairs, good.extra_sim, good.lone_real) == (8, 4, 0)
    assert good.sim_paired == 1.0 and good.real_paired == 0.5
    assert good.difference.difference == -0.5
    pairs = good.difference.pairs
    assert (pairs.both, pairs.only_first, pairs.only_second, pairs.neither) == (4, 0, 4, 0)
    exact = binomtest(4, 8).proportion_ci(method="exact")
    assert good.real.overall.clopper_pearson.low == pytest.approx(exact.low)
    assert good.real.overall.wilson.high == pytest.approx(binomtest(4, 8).proportion_ci(method="wilson").high)


def test_agreement_is_over_policies_by_the_rates_of_pairs(study):
    sim, real = [8 / 8, 8 / 8, 6 / 8, 2 / 8], [7 / 8, 4 / 8, 2 / 8, 0.0]
    assert study.agreement.pearson.value == pytest.approx(pearsonr(sim, real).statistic)
    assert study.agreement.pearson.units == 4
    assert study.agreement.reference == "real"
    # best and good tie in the twin and are 3/8 apart in the shadow: both are charged
    assert study.agreement.mmrv.value == pytest.approx((3 / 8 + 3 / 8) / 4)


def test_the_overall_difference_is_resampled_by_episode(study):
    assert study.difference.value == pytest.approx((7 + 4 + 2 + 0) / 32 - (8 + 8 + 6 + 2) / 32)
    assert study.difference.n == 8


def test_the_stage_that_was_broken_is_blamed(study):
    (task,) = study.tasks
    assert [stage.sim.name for stage in task.stages.stages] == [
        "reached the cube", "lifted it", "placed it on a card", "right card"
    ]  # fmt: skip
    assert task.stages.gap == pytest.approx(study.difference.value)
    assert sum(stage.contribution for stage in task.stages.stages) == pytest.approx(task.stages.gap)
    # `n` never came near the cube
    assert task.stages.blamed == "reached the cube"


def test_card_positions_are_named_as_the_robot_sees_them(study):
    (task,) = study.tasks
    assert [one.slot for one in task.slots] == ["left", "middle", "right"]
    assert sum(one.gap.comparison.a[1] for one in task.slots) == 32


def test_a_world_that_is_no_arm_is_never_called_real(study):
    assert study.stands_in and study.real.label == "shadow" and study.sim.label == "twin"


def test_failures_are_counted_by_kind_in_both_worlds(study):
    assert study.sim.failures["the cube was never lifted"] == 2 + 8
    assert study.real.failures["acted on another object than the one asked for"] == 6


def test_the_same_sessions_give_the_same_bytes(root, study):
    again = gap_study(sim=[root / "sim"], real=[root / "real"])[0]
    assert again.to_json() == study.to_json()
    assert Study.model_validate(json.loads(study.to_json())) == study


def test_prediction_powered_rates_use_the_episodes_beyond_the_pairs(tmp_path):
    write_side(tmp_path / "sim", "twin", {"one": "rrnn" * 10})
    write_side(tmp_path / "real", SHADOW, {"one": "rrnn" * 2})
    one = gap_study(sim=[tmp_path / "sim"], real=[tmp_path / "real"])[0].cells[0]
    assert one.ppi_finite.paired == 8 and one.ppi_finite.extra == 32
    assert one.ppi_finite.real == pytest.approx(0.5)
    assert one.ppi.saved > 0


def test_one_policy_has_no_correlation_and_says_so(tmp_path):
    write_side(tmp_path / "sim", "twin", {"one": "rrn"})
    write_side(tmp_path / "real", SHADOW, {"one": "rnn"})
    found = gap_study(sim=[tmp_path / "sim"], real=[tmp_path / "real"])[0].agreement
    assert found.pearson.value is None and "3 units" in found.pearson.reason


@pytest.mark.parametrize(
    ("low", "high", "p", "expected"),
    [
        (-0.3, -0.01, 0.05, "differs"),
        (0.02, 0.05, 0.01, "differs"),
        (-0.3, -0.01, 0.06, "open"),
        (-0.1, 0.1, 1.0, "agrees"),
        (-0.11, 0.05, 0.01, "open"),
    ],
)
def test_findings(low, high, p, expected):
    assert finding(Interval(low=low, high=high, confidence=0.95, method="x"), p, 0.1) == expected


def shown(difference, cells):
    return finding(difference.interval, min(1.0, cells * difference.p_value), 0.1)


counts = st.integers(0, 15)


@settings(deadline=None, max_examples=200)
@given(counts, counts, counts, counts.map(lambda n: n + 1), st.integers(1, 8))
def test_the_advised_number_of_pairs_does_settle(both, first, second, neither, cells):
    difference = compare_paired(Pairs(both=both, only_first=first, only_second=second, neither=neither))
    n, found = difference.pairs.n, shown(difference, cells)
    advice = advise(difference, found, real=(both + first, n), margin=0.1, cells=cells)
    if found != "open":
        assert advice.more_pairs == 0
    elif advice.more_pairs is not None:
        assert advice.more_pairs > 0
        # half as many again, since exact p-values are a sawtooth in n
        factor = -(-3 * (n + advice.more_pairs) // (2 * n))
        grown = Pairs(**{name: count * factor for name, count in difference.pairs.model_dump().items()})
        assert shown(compare_paired(grown), cells) != "open"


def test_no_number_that_could_be_run_settles_a_tiny_margin():
    difference = compare_paired(Pairs(both=0, only_first=50, only_second=50, neither=2))
    assert advise(difference, "open", real=(50, 102), margin=0.0001, cells=1).more_pairs is None


def test_more_cells_need_more_pairs():
    difference = compare_paired(Pairs(both=10, only_first=0, only_second=5, neither=5))
    needs = [advise(difference, "open", real=(10, 20), margin=0.1, cells=k).more_pairs for k in (1, 10)]
    assert 0 < needs[0] < needs[1]
