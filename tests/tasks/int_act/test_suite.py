"""The suite's table against the shared facts, its layouts, and what a malformed table is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import UsageError
from touchstone.tasks.int_act.layouts import drops, layout_count
from touchstone.tasks.int_act.objects import OBJECTS_FILE, load_objects, object_kind, objects
from touchstone.tasks.int_act.suite import EPISODES, SUITE_FILE, load_suite, select, suite

FACTS = Path(__file__).parents[4] / "shared/facts"
TASKS = tuple(suite().tasks.values())
FIFTY_FIRST = "widowx_carrot_on_plate_lang_neg_action"


def facts(name: str) -> dict:
    path = FACTS / name
    if not path.exists():
        pytest.skip("the fact sheets are not on this machine")
    return yaml.safe_load(path.read_text())


def test_every_object_is_as_the_facts_say():
    listed = facts("int_act_objects.yaml")["objects"]
    assert len(listed) == len(objects()) == 21
    by_official = {kind.official: kind for kind in objects().values()}
    for row in listed:
        kind = by_official[row["id"]]
        assert list(kind.low) == row["bbox_min"] and list(kind.high) == row["bbox_max"], row["id"]
        assert (kind.scale, kind.density) == (row["scale"], row["density"]), row["id"]
        assert np.allclose(kind.size, row["effective_size"], atol=2e-6), row["id"]


def test_every_task_is_as_the_facts_say():
    listed = facts("int_act_tasks.yaml")["tasks"]
    assert {row["id"] for row in listed} == set(suite().tasks)
    for row in listed:
        task = suite().task(row["id"])
        official = [object_kind(name).official for name in task.objects.all]
        assert official == [row["source_object"], row["target_object"], *row["distractors"]], task.id
        assert (task.family, task.subcategory) == (row["family"], row["subcategory"]), task.id
        assert task.instruction == row["instruction"], task.id
        assert task.counted == row["counted_in_50"], task.id
        assert (task.steps, task.layout.scene) == (row["max_steps"], row["scene"]), task.id
        assert task.base == row["delta_base_task"], task.id
        assert [[list(turn) for turn in variant] for variant in task.orientations] == row["quats"], task.id
        assert layout_count(task) == row["n_distinct_episodes"] == EPISODES, task.id
        rule, said = task.rule, row["success"]
        assert (rule.z, rule.xy) == (said["z_offset"], said["xy_slack"]), task.id
        assert rule.only_target == said["require_contact_only_with_target"], task.id
        assert rule.inside == said["accept_src_inside_target"], task.id
        assert rule.negated == (said["rule"] == "negated"), task.id


def test_every_layout_is_as_the_facts_say():
    """Written out again from the facts' words, not from our code."""
    sheet = facts("int_act_tasks.yaml")
    for row in sheet["tasks"]:
        layout = sheet["layouts"][row["layout"]]
        turns = row["quats"]
        for episode in range(EPISODES):
            index, variant = episode // len(turns), turns[episode % len(turns)]
            if row["layout"] == "sink":
                expected = [layout["source_xy"][index], layout["target_xy"]]
            else:
                corners = layout.get("corners_xy") or layout[f"corners_xy_{'small' if index < 12 else 'large'}"]
                pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
                i, j = pairs[index % 12]
                expected = [corners[i], corners[j], *(corners[k] for k in range(4) if k not in (i, j))]
            there = drops(suite().task(row["id"]), episode)
            assert len(there) == len(variant)
            for drop, xy, turn in zip(there, expected, variant, strict=False):
                assert np.allclose(drop.xy, xy, atol=1e-9) and list(drop.turn) == turn, (row["id"], episode)


def test_fifty_tasks_count_in_four_families_and_ten_subcategories_beside_the_original():
    counted = [task for task in TASKS if task.counted]
    assert len(TASKS) == 51 and len(counted) == 50
    assert [task.id for task in TASKS if not task.counted] == [FIFTY_FIRST]
    assert Counter(task.family for task in counted) == {
        "original": 4,
        "object_diversity": 16,
        "language_complexity": 12,
        "vision_language_thinking": 18,
    }
    assert len({task.subcategory for task in counted} - {"original"}) == 10


@given(st.sampled_from(TASKS), st.integers(0, 200))
def test_an_episode_depends_on_its_id_alone_and_ids_go_round(task, episode):
    assert drops(task, episode) == drops(task, episode + EPISODES)
    places = [drop.xy for drop in drops(task, episode)]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_all_episodes_of_a_task_differ(task):
    assert len({drops(task, episode) for episode in range(EPISODES)}) == EPISODES


def test_an_episode_before_the_first_is_refused():
    with pytest.raises(UsageError, match="ids start at 0"):
        drops(TASKS[0], -1)


def test_tasks_are_chosen_by_glob_and_by_family():
    assert [task.id for task in select("widowx_stack_cube*")] == ["widowx_stack_cube", "widowx_stack_cube_lang_action"]
    assert len(select("*")) == 51
    assert {task.family for task in select("family:object_diversity")} == {"object_diversity"}
    assert len(select("family:object_diversity")) == 16
    assert FIFTY_FIRST in {task.id for task in select("family:language_complexity")}


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("widowx_banana*", "No task of INT-ACT matches 'widowx_banana*'; ids look like widowx_spoon_on_towel"),
        ("widowx_stack_cubes", "near it are: widowx_stack_cube"),
        ("", "No task of INT-ACT matches ''"),
        ("family:origami", "INT-ACT has no family 'origami'; it has: original, object_diversity"),
    ],
)
def test_a_choice_without_tasks_is_one_sentence(pattern, sentence):
    with pytest.raises(UsageError) as told:
        select(pattern)
    assert sentence in str(told.value) and "\n" not in str(told.value)


def test_unknown_ids_and_objects_are_one_sentence():
    with pytest.raises(UsageError, match="no task 'nonsense'"):
        suite().task("nonsense")
    with pytest.raises(UsageError, match="no object 'banana'; it has: carrot, plate"):
        object_kind("banana")


def remove(*path):
    def change(table):
        *way, last = path
        for step in way:
            table = table[step]
        del table[last]

    return change


def put(value, *path):
    def change(table):
        *way, last = path
        for step in way:
            table = table[step]
        table[last] = value

    return change


FIRST = "tasks.widowx_spoon_on_towel"
MALFORMED = {
    "unknown object": (put("banana", "tasks", 0, "objects", "source"), f"{FIRST}: there is no object 'banana'"),
    "object twice": (put("towel", "tasks", 0, "objects", "source"), f"{FIRST}: an object takes part twice"),
    "no instruction": (remove("tasks", 0, "instruction"), f"{FIRST}.instruction: Field required"),
    "unknown field": (put(1, "tasks", 0, "colour"), f"{FIRST}.colour: Extra inputs"),
    "unknown layout": (put("moon", "tasks", 0, "layout"), f"{FIRST}: there is no layout 'moon'"),
    "unknown turn": (put([["up", "level"]], "tasks", 0, "turns"), f"{FIRST}: there is no turn 'up'"),
    "too few turns": (put([["level"]], "tasks", 0, "turns"), "it turns 1 objects, and has 2"),
    "unknown rule": (put("perhaps", "tasks", 0, "rule"), f"{FIRST}: there is no rule 'perhaps'"),
    "unknown base": (put("nothing", "tasks", 0, "base"), f"{FIRST}: there is no base 'nothing'"),
    "unknown subcategory": (put("odd", "tasks", 0, "subcategory"), f"{FIRST}: there is no subcategory 'odd'"),
    "circle of bases": (put("widowx_spoon_on_towel_lang_neg", "tasks", 0, "base"), "go in a circle"),
    "base is no original": (put("ood_source", "tasks", 0, "subcategory"), "which is no original task"),
    "too many distractors": (put(["carrot"], "tasks", 0, "objects", "distractors"), "it has 1 distractors"),
    "same id": (put("widowx_carrot_on_plate", "tasks", 0, "id"), "the id is there twice"),
    "no unit quaternion": (put([1.0, 1.0, 0.0, 0.0], "turns", "left"), "'left' is no unit quaternion"),
    "two families": (put(["original", "commonsense"], "families", "original"), "is in two families"),
    "negative slack": (put(-1, "rules", "upon", "z"), "rules.upon.z: Input should be greater"),
    "rule touches nothing known": (put(["moon"], "rules", "upon", "beside"), "rules.upon: there is no object 'moon'"),
    "neither squares nor places": (remove("layouts", "corners", "squares"), "it needs either squares or places"),
    "unknown fixture": (put("tub", "layouts", "sink", "fixture", "object"), "there is no object 'tub'"),
    "no tasks": (put([], "tasks"), "tasks: Tuple should have at least 1 item"),
}


@pytest.mark.parametrize(("change", "sentence"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_suite_is_one_sentence(tmp_path, change, sentence):
    table = yaml.safe_load(SUITE_FILE.read_text())
    change(table)
    file = tmp_path / "suite.yaml"
    file.write_text(yaml.safe_dump(table))
    with pytest.raises(UsageError) as told:
        load_suite(file)
    assert sentence in str(told.value) and str(file) in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tasks: [", "is not YAML"),
        ("", "the file: Input should be"),
        ("[1, 2]", "the file: Input should be"),
    ],
)
def test_what_is_no_table_is_one_sentence(tmp_path, text, sentence):
    file = tmp_path / "suite.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as told:
        load_suite(file)
    assert sentence in str(told.value) and "\n" not in str(told.value)


def test_a_table_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_suite(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put([1.0, 0.0, 0.0], "objects", 0, "low"), "objects.carrot: low must lie below high"),
        (put(0, "objects", 0, "density"), "objects.carrot.density: Input should be greater than 0"),
        (put("plate", "objects", 0, "name"), "objects.plate: the name is taken"),
        (put("table", "objects", 0, "name"), "objects.table: the name is taken"),
    ],
)
def test_a_malformed_table_of_objects_is_one_sentence(tmp_path, change, sentence):
    table = yaml.safe_load(OBJECTS_FILE.read_text())
    change(table)
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump(table))
    with pytest.raises(UsageError) as told:
        load_objects(file)
    assert sentence in str(told.value)
