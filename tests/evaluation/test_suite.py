"""A run of the INT-ACT suite: one session a task and seed, worlds opened once a scene, resumed where it stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scoring.int_act.story_world import StoryWorld, opener, run_stories, suite_config
from touchstone.data.journal import read_session
from touchstone.data.suite_folder import read_suite, session_folders
from touchstone.errors import UsageError, WorldFailure
from touchstone.evaluation.session import run_session
from touchstone.evaluation.suite import check_suite, count_done, missing_by_scene, run_suite
from touchstone.evaluation.suite_progress import SuiteProgress

ROOT = Path(__file__).parents[2]
TASKS = ("widowx_put_eggplant_in_basket", "widowx_carrot_on_plate", "widowx_stack_cube")


def succeeds(spec) -> str:
    return "strict"


def test_every_task_and_seed_has_a_session_of_its_own_and_a_scene_is_opened_once(tmp_path):
    opened, told = [], []
    config = suite_config(TASKS, seeds=(7, 42))
    run_suite(config, tmp_path, opener(succeeds, opened=opened), lambda part, line: told.append(part.name))
    names = [folder.name for folder in session_folders(tmp_path)]
    assert names == sorted(f"{task}-s{seed}" for task in TASKS for seed in (7, 42))
    # the sink first, because its task was named first
    assert [camera for camera, _ in opened] == ["bridge-sink", "bridge-table"]
    assert [len(world.episodes) for _, world in opened] == [4, 8]
    assert len(told) == 12 and set(told) == set(names)
    for name in names:
        assert [line.index for line in read_session(tmp_path / name).lines] == [0, 1]


def test_a_session_of_the_suite_is_the_session_of_its_task_alone(tmp_path):
    from policy_server.loading import load_policy

    config = suite_config(TASKS[1:2])
    run_stories(tmp_path / "suite", config, succeeds)
    part = config.parts()[0]
    run_session(part.config, tmp_path / "alone", StoryWorld(succeeds), load_policy("hold"))
    one, other = read_session(tmp_path / "suite" / part.name), read_session(tmp_path / "alone")
    assert one.head.config_hash == other.head.config_hash
    assert [line.verdict for line in one.lines] == [line.verdict for line in other.lines]


def test_more_seeds_tasks_and_episodes_are_added_and_nothing_runs_twice(tmp_path):
    run_stories(tmp_path, suite_config(TASKS[:1]), succeeds)
    opened = []
    more = suite_config(TASKS[:2], seeds=(42, 7), episodes=3)
    assert count_done(more.parts(), tmp_path) == 2
    run_suite(more, tmp_path, opener(succeeds, opened=opened))
    assert sum(len(world.episodes) for _, world in opened) == 10
    assert missing_by_scene(more, tmp_path) == []
    run_suite(more, tmp_path, opener(lambda spec: pytest.fail("it ran again")))
    assert len(read_suite(tmp_path).runs) == 3


def test_what_fails_in_mid_suite_leaves_what_was_done_and_is_gone_on_with(tmp_path):
    def fails_late(spec) -> str:
        if spec.task.endswith("stack_cube") and spec.index == 1:
            raise WorldFailure("The simulator is gone.")
        return "strict"

    config = suite_config(TASKS)
    with pytest.raises(WorldFailure, match="gone"):
        run_stories(tmp_path, config, fails_late)
    assert count_done(config.parts(), tmp_path) == 5
    opened = []
    run_suite(config, tmp_path, opener(succeeds, opened=opened))
    assert [camera for camera, _ in opened] == ["bridge-table"] and len(opened[0][1].episodes) == 1


KILLED = """
import sys, time
from pathlib import Path
from tests.scoring.int_act.story_world import run_stories, suite_config
def slowly(spec):
    time.sleep(0.2)
    return "strict"
if __name__ == "__main__":
    run_stories(Path(sys.argv[1]), suite_config({tasks!r}), slowly)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    out, script = tmp_path / "out", tmp_path / "killed.py"
    script.write_text(KILLED.format(tasks=TASKS))
    process = subprocess.Popen([sys.executable, str(script), str(out)], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        config = suite_config(TASKS)
        end = time.monotonic() + 60
        while count_done(config.parts(), out) < 3 and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = count_done(config.parts(), out)
    assert 3 <= done < 6
    opened = []
    run_suite(config, out, opener(succeeds, opened=opened))
    assert sum(len(world.episodes) for _, world in opened) == 6 - done
    assert count_done(config.parts(), out) == 6
    assert not list(out.rglob("*.part"))


def test_another_policy_in_the_same_folder_is_refused_before_anything_starts(tmp_path):
    run_stories(tmp_path, suite_config(TASKS[:1]), succeeds)
    other = suite_config(TASKS[:1])
    other = other.model_copy(update={"common": other.common.model_copy(update={"policy": "random"})})
    with pytest.raises(UsageError, match="another configuration \\(policy hold -> random\\)"):
        check_suite(other, tmp_path)


def test_a_session_of_one_task_is_no_place_for_a_suite_nor_a_folder_in_use(tmp_path):
    from policy_server.loading import load_policy

    config = suite_config(TASKS[:1])
    run_session(config.parts()[0].config, tmp_path / "one", StoryWorld(succeeds), load_policy("hold"))
    with pytest.raises(UsageError, match="holds a session of one task"):
        check_suite(config, tmp_path / "one")

    def another_run(spec) -> str:
        with pytest.raises(UsageError, match="Another run is writing"):
            run_stories(tmp_path / "two", config, succeeds)
        return "strict"

    run_stories(tmp_path / "two", config, another_run)


def test_other_words_are_other_sessions_of_the_same_scenes(tmp_path):
    config = suite_config(TASKS[1:2], wordings=(None, "paraphrase-1"))
    run_stories(tmp_path, config, succeeds)
    run_stories(tmp_path, suite_config(TASKS[1:2], instruction="bring {source} to {target}"), succeeds)
    folders = session_folders(tmp_path)
    assert folders[0].name == "widowx_carrot_on_plate-s42" and "-s42-own-" in folders[1].name
    specs = [read_session(folder).lines[0].spec for folder in folders]
    assert [spec.instruction for spec in specs] == [
        "put carrot on plate",
        "bring carrot to plate",
        "move the carrot onto the plate",
    ]
    assert len({json.dumps(spec.model_dump(exclude={"instruction"}), default=list) for spec in specs}) == 1


def test_the_progress_counts_what_was_there_and_says_the_values_so_far(tmp_path):
    import io

    from rich.console import Console

    shown = io.StringIO()
    config = suite_config(TASKS[1:2], episodes=4)
    endings = {0: "strict", 1: "paper_only", 2: "grasped", 3: "never"}
    with SuiteProgress("suite", 5, 9, Console(file=shown, width=300)) as progress:
        run_suite(config, tmp_path, opener(lambda spec: endings[spec.index]), progress.update)
        assert progress.score == "intention 3/4 grasp 3/4 success 2/4 strict 1/4"
    lines = [line for line in shown.getvalue().splitlines() if line.startswith(("6/9", "9/9"))]
    assert len(lines) == 2 and "widowx_carrot_on_plate-s42" in lines[0] and "strict 1/1" in lines[0]
