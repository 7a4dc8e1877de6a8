import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from touchstone.errors import UsageError
from touchstone.scoring.statistics.agreement import agreement, mmrv, pearson, spearman

SIMPLER = Path(__file__).resolve().parents[3] / "../shared/facts/simpler_tables.json"
needs_simpler = pytest.mark.skipif(not SIMPLER.is_file(), reason="SIMPLER's tables are not here")

POLICIES = ("rt-2-x", "rt-1-converged", "rt-1-15pct", "rt-1-x", "rt-1-begin", "octo-base")
#: success on the real robot and in simulation (visual matching) as published with SIMPLER, arXiv 2405.05941
PUBLISHED = {
    "google_robot_pick_coke_can": {
        "real": (0.907, 0.853, 0.92, 0.76, 0.133, 0.293),
        "sim": (0.787, 0.857, 0.71, 0.567, 0.027, 0.17),
    },
    "google_robot_move_near": {
        "real": (0.733, 0.633, 0.583, 0.45, 0.017, 0.35),
        "sim": (0.779, 0.442, 0.354, 0.317, 0.05, 0.042),
    },
    "google_robot_open_drawer": {
        "real": (0.333, 0.815, 0.704, 0.519, 0.0, 0.148),
        "sim": (0.157, 0.601, 0.463, 0.296, 0.0, 0.009),
    },
    "google_robot_close_drawer": {
        "real": (0.63, 0.926, 0.889, 0.741, 0.0, 0.519),
        "sim": (0.343, 0.861, 0.667, 0.891, 0.278, 0.444),
    },
}


def tables():
    return json.loads(SIMPLER.read_text())["tasks"] if SIMPLER.is_file() else {}


@needs_simpler
@pytest.mark.parametrize("task", tables())
@pytest.mark.parametrize("ties", ["both", "ignore", "simpler"])
def test_simplers_published_tables(task, ties):
    table = tables()[task]
    found = agreement(sim=table["sim"], real=table["real"], ties=ties)
    assert found.pearson.value == pytest.approx(table["pearson"], abs=1e-4)
    assert found.mmrv.value == pytest.approx(table["mmrv_reference_real"], abs=1e-4)


@pytest.mark.parametrize(
    ("task", "r", "violation"),
    [
        ("google_robot_pick_coke_can", 0.975, 0.031),
        ("google_robot_move_near", 0.856, 0.111),
        ("google_robot_open_drawer", 0.983, 0.0),
        ("google_robot_close_drawer", 0.771, 0.123),
    ],
)
def test_the_four_published_pairs(task, r, violation):
    table = {world: dict(zip(POLICIES, rates, strict=True)) for world, rates in PUBLISHED[task].items()}
    found = agreement(**table)
    assert (round(found.pearson.value, 3), round(found.mmrv.value, 3)) == (r, violation)
    low, high = found.pearson.drop_one
    assert low < found.pearson.value < high and len(found.units) == found.pearson.units == 6


@needs_simpler
@pytest.mark.parametrize("task", PUBLISHED)
def test_the_rates_here_are_those_of_the_published_tables(task):
    for world, rates in PUBLISHED[task].items():
        assert dict(zip(POLICIES, rates, strict=True)) == tables()[task][world]


@needs_simpler
@pytest.mark.parametrize(
    ("task", "swapped"),
    [
        ("google_robot_move_near", 0.003),
        ("google_robot_pick_coke_can", 0.062),
        ("widowx_carrot_on_plate", 0.009),
    ],
)
def test_the_other_reference_gives_another_number(task, swapped):
    table = tables()[task]
    found = agreement(sim=table["sim"], real=table["real"], reference="sim")
    assert found.mmrv.value == pytest.approx(swapped, abs=6e-4)


def test_mmrv_by_hand():
    # only (a, b) is turned; its real gap is 0.2; c is ordered right
    assert mmrv(sim=[0.6, 0.5, 0.1], real=[0.4, 0.6, 0.1]).value == pytest.approx(0.4 / 3)
    assert mmrv(sim=[0.6, 0.5, 0.1], real=[0.4, 0.6, 0.1], reference="sim").value == pytest.approx(0.2 / 3)


@pytest.mark.parametrize(("ties", "value"), [("both", 0.2), ("ignore", 0.0), ("simpler", 0.1)])
def test_ties_in_simulation(ties, value):
    assert mmrv(sim=[0.5, 0.5], real=[0.4, 0.6], ties=ties).value == pytest.approx(value)


@pytest.mark.parametrize("ties", ["both", "ignore", "simpler"])
def test_ties_in_the_reference_weigh_nothing(ties):
    assert mmrv(sim=[0.1, 0.9, 0.95], real=[0.5, 0.5, 0.8], ties=ties).value == 0.0


def test_mmrv_takes_no_places():
    with pytest.raises(TypeError):
        mmrv([0.1, 0.2], [0.1, 0.2])
    with pytest.raises(UsageError, match="reference"):
        mmrv(sim=[0.1, 0.2], real=[0.1, 0.2], reference="paper")


@pytest.mark.parametrize(
    ("sim", "real", "word"),
    [
        ([0.5, 0.5, 0.5], [0.1, 0.2, 0.3], "All sim rates are equal"),
        ([0.1, 0.2, 0.3], [0.5, 0.5, 0.5], "All real rates are equal"),
        ([0.1, 0.2], [0.1, 0.2], "3 units"),
        ([], [], "3 units"),
    ],
)
@pytest.mark.parametrize("measure", [pearson, spearman])
def test_undefined_correlations_are_said_to_be(measure, sim, real, word):
    found = measure(sim=sim, real=real)
    assert found.value is None and found.drop_one is None and word in found.reason


def test_undefined_mmrv():
    assert "two units" in mmrv(sim=[0.5], real=[0.5]).reason
    assert "All real rates" in mmrv(sim=[0.1, 0.2], real=[0.5, 0.5]).reason
    assert mmrv(sim=[0.5, 0.5], real=[0.1, 0.2]).value == pytest.approx(0.1)


def test_a_correlation_that_hangs_on_one_policy_shows():
    sim, real = [0.1, 0.12, 0.11, 0.9], [0.2, 0.18, 0.19, 0.95]
    found = pearson(sim=sim, real=real)
    assert found.value > 0.99 and found.drop_one[0] < -0.9


def test_dropping_into_the_undefined_gives_no_range():
    found = pearson(sim=[0.1, 0.1, 0.1, 0.9], real=[0.1, 0.2, 0.3, 0.4])
    assert found.value is not None and found.drop_one is None


rates = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=4, max_size=9)


@settings(deadline=None)
@given(rates)
def test_correlations_are_scipys(pairs):
    x, y = (np.round(values, 3) for values in zip(*pairs, strict=True))
    found = pearson(sim=x, real=y)
    if found.value is None:
        return
    theirs = pearsonr(x, y)
    assert found.value == pytest.approx(theirs.statistic, abs=1e-9)
    if abs(found.value) < 0.999:
        bounds = theirs.confidence_interval()
        assert (found.interval.low, found.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert spearman(sim=x, real=y).value == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)


@settings(deadline=None)
@given(rates)
def test_mmrv_does_not_depend_on_the_order_and_is_bounded(pairs):
    x, y = (np.round(values, 2) for values in zip(*pairs, strict=True))
    whole = mmrv(sim=x, real=y)
    if whole.value is None:
        return
    order = next(iter(permutations(range(len(x) - 1, -1, -1))))
    assert mmrv(sim=x[list(order)], real=y[list(order)]).value == pytest.approx(whole.value)
    assert mmrv(sim=y, real=y).value == 0.0
    ignored, published = (mmrv(sim=x, real=y, ties=ties).value for ties in ("ignore", "simpler"))
    assert 0 <= ignored <= published + 1e-12 <= whole.value + 2e-12 <= np.ptp(y) + 3e-12


def test_bias_and_error():
    found = agreement(sim={"a": 0.5, "b": 0.9}, real={"b": 0.6, "a": 0.6})
    assert found.bias.value == pytest.approx(0.1) and found.error.value == pytest.approx(0.2)
    assert found.pearson.value is None


def test_units_must_be_the_same():
    with pytest.raises(UsageError, match="'b'"):
        agreement(sim={"a": 0.5, "b": 0.9}, real={"a": 0.6})
    with pytest.raises(UsageError, match="finite"):
        pearson(sim=[0.1, float("nan"), 0.2], real=[0.1, 0.2, 0.3])
    with pytest.raises(UsageError, match="same order"):
        pearson(sim=[0.1], real=[0.1, 0.2, 0.3])
