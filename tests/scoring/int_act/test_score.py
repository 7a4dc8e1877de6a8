"""A suite's summary.json from journals of episodes whose course is known."""

import json
import shutil

import pytest

from tests.scoring.int_act.story_world import run_stories, suite_config
from touchstone.errors import TouchstoneError, UsageError
from touchstone.scoring.int_act.groups import mean_over_tasks
from touchstone.scoring.int_act.records import SuiteScores, Values
from touchstone.scoring.int_act.score import scored_suite, write_suite_summary
from touchstone.scoring.rates import rate
from touchstone.scoring.statistics.intervals import wilson
from touchstone.tasks.int_act.deltas import TaskSummary
from touchstone.tasks.int_act.metrics import METRICS

CARROT, CUBE, ON_CUBE = "widowx_carrot_on_plate", "widowx_cube_on_plate_clean", "widowx_small_plate_on_green_cube_clean"
NEGATED = "widowx_carrot_on_plate_lang_neg_action"
ENDINGS = {
    CARROT: ("strict", "strict", "paper_only", "grasped"),
    CUBE: ("strict", "reached", "wrong", "never"),
    ON_CUBE: ("never", "never", "never", "never"),
}


def course(spec) -> str:
    return ENDINGS[spec.task.split(":")[1]][spec.index]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    config = suite_config((CARROT, CUBE, ON_CUBE), seeds=(42, 7), episodes=4)
    return run_stories(tmp_path_factory.mktemp("suite"), config, course)


@pytest.fixture(scope="module")
def scores(out) -> SuiteScores:
    return scored_suite(out).scores


def test_the_six_values_of_a_task_pool_its_seeds(scores):
    expected = {
        CARROT: {"intention": 8, "grasp": 8, "moved_correct": 6, "wrong_object": 0, "success": 6, "strict": 4},
        CUBE: {"intention": 4, "grasp": 2, "moved_correct": 2, "wrong_object": 2, "success": 2, "strict": 2},
        ON_CUBE: dict.fromkeys(METRICS, 0),
    }
    for name, counts in expected.items():
        assert {metric: getattr(scores.tasks[name], metric).successes for metric in METRICS} == counts, name
        assert scores.tasks[name].success.trials == 8


def test_deltas_are_against_the_base_in_points_and_percent(scores):
    cube = scores.tasks[CUBE].delta
    assert cube["success"].points == pytest.approx(-0.5)
    assert cube["success"].percent == pytest.approx(-100 * 2 / 3)
    assert cube["wrong_object"].points == pytest.approx(0.25) and cube["wrong_object"].percent is None
    # the base of the third is the second, and not the carrot
    assert scores.tasks[ON_CUBE].delta["success"].points == pytest.approx(-0.25)
    assert scores.tasks[CARROT].delta["success"].points == 0
    relation = scores.subcategories["ood_relation"]
    assert relation.delta["success"] == pytest.approx(-0.375)
    assert relation.percent["success"] == pytest.approx(-(2 / 3 + 1) / 2 * 100)


def test_groups_count_every_task_equally_with_an_interval(scores):
    assert scores.subcategories["ood_relation"].means["success"].value == 0.125
    assert (scores.subcategories["ood_relation"].tasks, scores.subcategories["ood_relation"].of) == (2, 4)
    assert scores.families["object_diversity"].means == scores.subcategories["ood_relation"].means
    assert scores.all.means["success"].value == pytest.approx((0.75 + 0.25 + 0) / 3, abs=1e-6)
    pooled = wilson(8, 24)
    assert scores.all.means["success"].ci95 == pytest.approx((pooled.low, pooled.high), abs=1e-6)
    assert scores.all.means["success"].method == "wilson-pooled"
    assert scores.subcategories["commonsense"].means["success"].value is None
    assert scores.all.endings == {"strict": 6, "paper_only": 2, "grasped": 2, "reached": 2, "never": 12}


def test_tasks_with_unequal_trials_have_a_bootstrap_interval_and_equal_weight():
    def task(successes, trials):
        rates = {metric: rate(successes, trials) for metric in METRICS}
        values = dict.fromkeys(METRICS, successes / trials)
        return TaskSummary(
            family="f", subcategory="s", counted=True, **rates, values=values, base="b", delta=None
        )  # fmt: skip

    mean = mean_over_tasks([task(10, 10), task(1, 4)], "success")
    assert mean.value == 0.625 and mean.method == "bootstrap-episodes"
    assert 0.5 <= mean.ci95[0] < 0.625 < mean.ci95[1] < 1
    alike = mean_over_tasks([task(10, 10), task(4, 4)], "success")
    assert alike.value == 1 and alike.ci95 is None


def test_what_was_not_run_is_said(scores):
    assert len(scores.not_run) == 47 and CARROT not in scores.not_run and NEGATED not in scores.not_run
    assert scores.without_base == () and (scores.trials, scores.planned) == (24, 24)
    assert scores.events == {"ik_failure": 10}
    assert scores.failures["the gripper never came to the small plate"] == 8
    assert scores.failures["the carrot is on the plate by INT-ACT's rule alone: it was not released in time"] == 2
    assert sum(scores.failures.values()) == 18


def test_summary_json_is_as_promised_and_the_same_bytes_again(out):
    first = write_suite_summary(scored_suite(out)).read_bytes()
    assert write_suite_summary(scored_suite(out)).read_bytes() == first
    summary = json.loads(first)
    task = summary["tasks"][CUBE]
    for metric in METRICS:
        assert set(task[metric]) == {"successes", "trials", "rate", "ci95"}
        assert set(task["delta"][metric]) == {"points", "percent"}
    assert list(summary["families"]) == sorted(
        ("original", "object_diversity", "language_complexity", "vision_language_thinking")
    )
    assert len(summary["subcategories"]) == 11 and summary["seeds"] == [7, 42] and summary["policy"] == "hold"
    assert len(summary["config_hash"]) == 12 and all(len(digest) == 64 for digest in summary["tables"].values())
    assert {one["name"] for one in summary["sessions"]} == {f"{t}-s{s}" for t in ENDINGS for s in (42, 7)}
    assert SuiteScores.model_validate(summary).to_json() == first.decode()


def test_the_fifty_first_task_is_shown_and_counted_in_no_mean(tmp_path):
    run_stories(tmp_path, suite_config((CARROT, NEGATED), episodes=1), lambda spec: "grasped")
    scores = scored_suite(tmp_path).scores
    assert scores.all.tasks == 1 and scores.all.trials == 1 and not scores.tasks[NEGATED].counted
    assert scores.uncounted_endings == {"grasped": 1} and scores.without_base == (NEGATED,)


def test_an_unfinished_suite_says_how_far_it_is(tmp_path, out):
    config = suite_config((CARROT, CUBE), episodes=2)
    with pytest.raises(KeyError):
        run_stories(tmp_path, config, lambda spec: {CARROT: "strict"}[spec.task.split(":")[1]])
    scores = scored_suite(tmp_path).scores
    assert (scores.trials, scores.planned) == (2, 4) and CUBE in scores.not_run


def test_a_changed_journal_a_stranger_and_an_empty_folder_are_refused(tmp_path, out):
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    mcap = next((copy / f"{CARROT}-s7" / "episodes").glob("*.mcap"))
    mcap.write_bytes(mcap.read_bytes() + b"x")
    with pytest.raises(TouchstoneError, match=f"In .*{CARROT}-s7: .*not the file that was recorded"):
        scored_suite(copy)
    shutil.rmtree(copy)
    shutil.copytree(out, copy)
    config = suite_config((CUBE,), seeds=(8,), episodes=1)
    other = config.model_copy(update={"common": config.common.model_copy(update={"meshes": "official"})})
    run_stories(tmp_path / "other", other, course)
    shutil.move(tmp_path / "other" / f"{CUBE}-s8", copy)
    with pytest.raises(UsageError, match=r"differ in meshes, so they are not of one run"):
        scored_suite(copy)
    for folder in copy.glob("widowx*"):
        shutil.rmtree(folder)
    with pytest.raises(UsageError, match="holds no finished episode yet"):
        scored_suite(copy)
    head = copy / "suite.json"
    head.write_text(head.read_text().replace('"policy": "hold"', '"policy": "expert"'))
    with pytest.raises(UsageError, match="was changed after it was written"):
        scored_suite(copy)
    head.write_text("{}")
    with pytest.raises(UsageError, match="not a suite's description"):
        scored_suite(copy)


@pytest.mark.parametrize(
    ("holds", "ending"),
    [
        ((1, 1, 1, 1), "strict"),
        ((1, 1, 1, 0), "paper_only"),
        ((1, 1, 0, 0), "grasped"),
        ((1, 0, 0, 0), "reached"),
        ((0, 0, 0, 0), "never"),
        # a source that was pushed onto the target
        ((1, 0, 1, 1), "strict"),
    ],
)
def test_an_episode_ends_in_one_way(holds, ending):
    intention, grasp, success, strict = map(bool, holds)
    values = Values(
        intention=intention, grasp=grasp, moved_correct=False, wrong_object=False, success=success, strict=strict
    )
    assert values.ending == ending
