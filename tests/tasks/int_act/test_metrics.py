"""INT-ACT's values of hand-made episodes: what the definitions count, and what only they count."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tasks.int_act.stories import (
    CARROT,
    DISTRACTED,
    GRASP,
    LEAN,
    NEGATED,
    NUT,
    PLACING,
    RAMEKIN,
    SINK,
    SPOON,
    WHEEL,
    Story,
    only,
    placed,
    values,
)
from touchstone.tasks.int_act.metrics import METRICS, score_episode
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.rules import CONSECUTIVE
from touchstone.tasks.int_act.strict import SETTLED_TICKS


@pytest.mark.parametrize("task", PLACING, ids=lambda task: task.id)
def test_a_source_that_is_carried_and_lies_on_the_target_scores_everything(task):
    for episode in (0, 7, 23):
        assert values(placed(task, episode)) == only("intention", "grasp", "moved_correct", "success", "strict")


def test_doing_nothing_scores_nothing():
    score = score_episode(CARROT, Story(CARROT).tick(60).moments)
    assert [getattr(score, metric) for metric in METRICS] == [False] * 6
    assert score.intended_at is None and score.reason == "the gripper never came to the carrot"


def test_hovering_within_five_centimetres_is_intention_alone():
    story = Story(CARROT)
    assert values(story.tick(3, ee=story.at("carrot") + [0, 0, 0.0499])) == only("intention")
    assert values(Story(CARROT).tick(3, ee=story.at("carrot") + [0, 0, 0.0501])) == only()
    assert score_episode(CARROT, story.moments).intended_at == 1


def test_intention_needs_one_tick_only_and_stays():
    story = Story(CARROT)
    story.tick(5).tick(1, ee=story.at("carrot")).tick(54)
    assert values(story) == only("intention")


def test_the_gripper_over_a_source_before_the_first_step_means_nothing():
    story = Story(CARROT)
    story.moments[0] = story.moments[0].model_copy(update={"ee": tuple(story.at("carrot"))})
    assert values(story.tick(5)) == only()


def test_a_touch_from_afar_is_intention_and_one_finger_no_grasp():
    story = Story(CARROT)
    story.put("carrot", story.at("carrot"), ["table"], **LEAN).tick()
    assert values(story.tick(3)) == only("intention")


def test_an_early_drop_is_a_grasp_without_success():
    story = Story(CARROT)
    start, goal = story.at("carrot"), story.at("plate")
    story.carry("carrot", (start + goal) / 2 + [0, 0, 0.1])
    x, y, _ = (start + goal) / 2
    story.rest("carrot", story.on_table("carrot", x, y), ["table"])
    # half of the way is 7.5 cm from the plate's middle: inside the planar distance, so the contact rule decides
    assert np.hypot(*(np.array([x, y]) - goal[:2])) < 0.0808
    assert values(story) == only("intention", "grasp", "moved_correct")


def test_a_push_moves_the_right_object_without_grasp():
    story = Story(CARROT)
    start = story.at("carrot")
    for k in range(1, 6):
        story.put("carrot", start + [0, 0.01 * k, 0], ["table"], **LEAN).tick(ee=story.at("carrot"))
    assert values(story.rest("carrot", story.at("carrot"), ["table"])) == only("intention", "moved_correct")


@pytest.mark.parametrize(("way", "moved"), [(0.0299, False), (0.0301, True)])
def test_three_centimetres_count_as_moved(way, moved):
    story = Story(CARROT)
    story.rest("carrot", story.at("carrot") + [0, way, 0], ["table"])
    assert values(story)["moved_correct"] is moved
    story = Story(DISTRACTED)
    story.rest("towel", story.at("towel") + [0, way, 0], ["table"])
    assert values(story)["wrong_object"] is moved


def test_a_wrong_object_on_the_plate_is_a_wrong_attempt_and_nothing_else():
    story = Story(DISTRACTED)
    story.carry("spoon", story.over_target())
    story.rest("spoon", story.at("plate") + [0, 0, 0.016], ["plate"])
    assert values(story) == only("wrong_object")


def test_moving_the_target_is_a_wrong_attempt_too():
    story = Story(CARROT)
    story.rest("plate", story.at("plate") + [0, 0.05, 0], ["table"])
    assert values(story) == only("wrong_object")


def test_the_object_that_moved_and_the_one_that_moved_further_are_the_same_or_there_is_no_attempt():
    """The carrot moved furthest: right, although the spoon moved too."""
    story = Story(DISTRACTED)
    story.rest("carrot", story.at("carrot") + [0, 0.08, 0], ["table"])
    story.rest("spoon", story.at("spoon") + [0, 0.05, 0], ["table"])
    assert values(story) == only("moved_correct")


def test_an_object_that_was_brought_back_has_not_moved():
    story = Story(DISTRACTED)
    home = story.at("spoon")
    story.carry("spoon", home + [0.1, 0, 0.1])
    assert values(story)["wrong_object"]
    assert not values(story.rest("spoon", home, ["table"]))["wrong_object"]


def test_success_is_the_last_tick_alone():
    story = placed(CARROT)
    assert values(story)["success"]
    story.rest("carrot", story.at("carrot") + [0.2, 0, -0.006], ["table"], ticks=1)
    assert not values(story)["success"] and values(story)["moved_correct"]


def test_a_source_that_falls_past_the_target_at_the_last_tick_is_placed_by_the_paper_alone():
    story = Story(CARROT)
    story.carry("carrot", story.over_target())
    story.put("carrot", story.on_target() + [0, 0, 0.0199]).tick()
    assert values(story) == only("intention", "grasp", "moved_correct", "success")
    assert "released" in score_episode(CARROT, story.moments).reason
    story.put("carrot", story.on_target() + [0, 0, 0.0201]).tick()
    assert values(story) == only("intention", "grasp", "moved_correct")


def test_a_source_that_is_still_held_over_the_target_is_placed_by_the_paper_alone():
    story = Story(CARROT)
    story.carry("carrot", story.over_target())
    story.put("carrot", story.on_target() + [0, 0, 0.01], **GRASP).tick(10)
    assert values(story) == only("intention", "grasp", "moved_correct", "success")
    assert "it was not released in time" in score_episode(CARROT, story.moments).reason


def test_a_source_that_still_rolls_is_placed_by_the_paper_alone():
    story = Story(CARROT)
    story.carry("carrot", story.over_target())
    for k in range(SETTLED_TICKS):
        story.put("carrot", story.on_target(dx=0.001 * k), ["plate"]).tick()
    assert values(story) == only("intention", "grasp", "moved_correct", "success")
    assert "does not lie still" in score_episode(CARROT, story.moments).reason
    story.tick(SETTLED_TICKS)
    assert values(story)["strict"]


def test_the_contact_rule_asks_for_no_contact_with_anything_else():
    story = Story(DISTRACTED)
    story.carry("carrot", story.over_target())
    story.rest("carrot", story.on_target(), ["plate", "spoon"])
    assert values(story) == only("intention", "grasp", "moved_correct")
    story.rest("carrot", story.on_target(), [])
    assert values(story) == only("intention", "grasp", "moved_correct", "success")
    assert "does not touch the plate" in score_episode(DISTRACTED, story.moments).reason


def beside(task, way: float):
    """The source lies on the table, `way` [m] from the target's middle, and leans on nothing."""
    story = Story(task)
    story.carry(story.source, story.over_target())
    x, y, _ = story.at(story.target) + [way, 0, 0]
    return story.rest(story.source, story.on_table(story.source, x, y), ["table"])


@pytest.mark.parametrize("task", [WHEEL, RAMEKIN], ids=lambda task: task.id)
def test_lying_on_the_table_beside_wheel_or_ramekin_is_a_success_of_the_paper_alone(task):
    story = beside(task, 0.074)
    assert values(story) == only("intention", "grasp", "moved_correct", "success")
    assert "does not touch" in score_episode(task, story.moments).reason
    story.rest(story.source, story.at(story.source), ["table", story.target])
    assert values(story)["success"] and not values(story)["strict"]
    assert "it lies beside the" in score_episode(task, story.moments).reason


def test_the_inside_rule_ends_at_the_diagonal_without_slack():
    diagonal = np.hypot(*object_kind("wheel").size[:2]) / 2
    assert values(beside(WHEEL, diagonal - 1e-4))["success"]
    assert not values(beside(WHEEL, diagonal + 1e-4))["success"]


def test_a_source_that_leans_on_the_wheel_from_the_table_is_beside_it():
    story = Story(WHEEL)
    story.carry("carrot", story.over_target())
    story.rest("carrot", story.on_target(dx=0.04), ["wheel", "table"])
    assert values(story) == only("intention", "grasp", "moved_correct", "success")
    assert "it also touches table" in score_episode(WHEEL, story.moments).reason


def test_a_can_in_the_ramekin_is_a_success_by_both_rules():
    story = Story(RAMEKIN)
    story.carry("coke_can", story.over_target())
    story.rest("coke_can", story.at("ramekin") + [0.01, 0, 0.008], ["ramekin"])
    assert values(story) == only("intention", "grasp", "moved_correct", "success", "strict")


def test_the_nut_may_not_lie_higher_than_a_millimetre_over_the_wheels_top():
    for lift, success in ((0.0009, True), (0.0011, False)):
        story = Story(NUT)
        story.carry("nut", story.over_target())
        story.rest("nut", story.on_target() + [0, 0, lift], ["wheel"])
        assert values(story)["success"] is success


def test_a_spoon_may_rest_its_handle_on_the_table_and_may_not_lie_beside_the_towel():
    story = Story(SPOON)
    story.carry("spoon", story.over_target())
    story.rest("spoon", story.on_target(dx=0.04), ["towel", "table"])
    assert values(story) == only("intention", "grasp", "moved_correct", "success", "strict")
    story.rest("spoon", story.on_table("spoon", *(story.at("towel")[:2] + [0.068, 0])), ["towel", "table"])
    assert values(story) == only("intention", "grasp", "moved_correct", "success")


def test_an_eggplant_that_touches_the_basket_and_not_its_marker_is_in_the_basket():
    story = Story(SINK)
    story.carry("eggplant", story.over_target())
    story.rest("eggplant", story.at("basket_floor") + [0.03, 0.01, 0.02], ["sink"])
    assert values(story) == only("intention", "grasp", "moved_correct", "success", "strict")


def test_the_fifty_first_task_ends_with_the_carrot_held_off_the_plate():
    story = Story(NEGATED)
    away = story.at("carrot") + [0.1, 0, 0.1]
    story.carry("carrot", away, ticks=CONSECUTIVE - 1)
    assert values(story) == only("intention", "grasp", "moved_correct")
    story.tick()
    assert values(story) == only("intention", "grasp", "moved_correct", "success", "strict")
    story.rest("carrot", story.on_table("carrot", *away[:2]), ["table"])
    assert values(story) == only("intention", "grasp", "moved_correct")


def test_the_fifty_first_task_fails_over_the_plate():
    story = Story(NEGATED)
    story.carry("carrot", story.on_target())
    story.put("carrot", story.on_target(), ["plate"], **GRASP).tick(10)
    assert values(story) == only("intention", "grasp", "moved_correct")


def test_a_grasp_that_slips_begins_to_count_again():
    story = Story(NEGATED)
    story.carry("carrot", story.at("carrot") + [0.1, 0, 0.1], ticks=CONSECUTIVE)
    assert score_episode(NEGATED, story.moments).consecutive_grasp
    story.put("carrot", story.at("carrot"), **LEAN).tick()
    story.put("carrot", story.at("carrot"), **GRASP).tick(CONSECUTIVE - 1)
    assert not values(story)["success"]
    assert values(story.tick())["success"]
