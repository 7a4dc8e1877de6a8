"""Tables of a run: rates, values over seeds, deltas against bases, means of subcategories and families."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import UsageError
from touchstone.tasks.int_act.deltas import delta, summarize
from touchstone.tasks.int_act.metrics import METRICS, EpisodeScore
from touchstone.tasks.int_act.suite import suite

CARROT, SPOON = "widowx_carrot_on_plate", "widowx_spoon_on_towel"
COLOUR, FIFTY_FIRST = "widowx_carrot_on_plate_lang_color", "widowx_carrot_on_plate_lang_neg_action"
COLUMNS = [
    "original",
    *("ood_source", "ood_target", "ood_source_and_target", "ood_relation"),
    *("language_action", "language_negation", "language_appearance"),
    *("visual_distraction", "commonsense", "commonsense_and_distraction"),
]


def score(**true) -> EpisodeScore:
    values = dict.fromkeys(METRICS, False) | true
    return EpisodeScore(**values, intended_at=None, grasped_at=None, consecutive_grasp=False, reason="")


def episodes(successes: int, trials: int) -> list[EpisodeScore]:
    return [score(success=k < successes) for k in range(trials)]


def test_a_task_has_rates_with_intervals_and_the_mean_over_seeds():
    summary = summarize({CARROT: {42: episodes(1, 2), 7: episodes(0, 4)}}).tasks[CARROT]
    assert (summary.success.successes, summary.success.trials) == (1, 6)
    assert summary.success.ci95 is not None and summary.success.ci95[0] < 1 / 6 < summary.success.ci95[1]
    assert summary.values["success"] == pytest.approx((0.5 + 0.0) / 2)
    assert summary.intention.rate == 0.0


def test_deltas_are_against_the_base_and_its_own_is_nought():
    summary = summarize({CARROT: {42: episodes(12, 24)}, COLOUR: {42: episodes(9, 24)}})
    change = summary.tasks[COLOUR].delta["success"]
    assert change.points == pytest.approx(-0.125) and change.percent == pytest.approx(-25.0)
    assert summary.tasks[CARROT].delta["success"].points == 0.0
    assert summary.tasks[COLOUR].delta["intention"].percent is None


def test_a_task_without_its_base_has_no_delta():
    summary = summarize({COLOUR: {42: episodes(9, 24)}, SPOON: {42: []}})
    assert summary.tasks[COLOUR].delta is None and SPOON not in summary.tasks
    assert summary.subcategories["language_appearance"].delta["success"] is None
    assert summary.subcategories["language_appearance"].values["success"] == pytest.approx(9 / 24)


def test_groups_weigh_tasks_alike_and_leave_the_fifty_first_out():
    summary = summarize(
        {
            CARROT: {42: episodes(24, 24)},
            SPOON: {42: episodes(0, 3)},
            FIFTY_FIRST: {42: episodes(24, 24)},
        }
    )
    assert summary.families["original"].values["success"] == pytest.approx(0.5)
    assert (summary.families["original"].tasks, summary.families["original"].of) == (2, 4)
    assert summary.tasks[FIFTY_FIRST].counted is False
    assert summary.families["language_complexity"].tasks == 0
    assert summary.families["language_complexity"].values["success"] is None


def test_the_columns_are_the_papers_eleven_and_hold_fifty_tasks():
    summary = summarize({})
    assert list(summary.subcategories) == COLUMNS
    assert sum(group.of for group in summary.subcategories.values()) == 50
    assert [group.of for group in summary.families.values()] == [4, 16, 12, 18]


def test_an_unknown_task_is_refused():
    with pytest.raises(UsageError, match="no task 'banana'"):
        summarize({"banana": {42: episodes(1, 2)}})


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_delta_adds_up_to_the_value_again(value, base):
    change = delta(value, base)
    assert math.isclose(base + change.points, value, abs_tol=1e-12)
    if base > 1e-6:
        assert math.isclose(base * (1 + change.percent / 100), value, abs_tol=1e-9)
    assert (change.percent is None) == (base == 0)


@given(st.dictionaries(st.sampled_from(sorted(suite().tasks)), st.integers(0, 24)))
def test_a_family_of_full_tasks_has_the_pooled_rate(successes):
    summary = summarize({name: {42: episodes(count, 24)} for name, count in successes.items()})
    for family, group in summary.families.items():
        tasks = [t for t in summary.tasks.values() if t.family == family and t.counted]
        pooled = sum(t.success.successes for t in tasks), sum(t.success.trials for t in tasks)
        assert group.tasks == len(tasks)
        assert (
            group.values["success"] is None
            if not tasks
            else math.isclose(group.values["success"], pooled[0] / pooled[1], abs_tol=1e-12)
        )
