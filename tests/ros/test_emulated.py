"""The emulated bench as a user starts it: vendors' drivers, emulated wires, ROS nodes, one slowed clock."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest
from eval.private_place import PREFIX

from tests.ros.person import Person
from tests.ros.runs import Run, complete, finished, logs
from touchstone.data.reading import read_session

pytestmark = pytest.mark.long
WORLD = "emulated"
#: a slowed world takes its time [s]
PATIENCE = 900.0
#: what a touch in the emulated bench may differ from the twin's, whose arm is moved without a wire [m]
APART = 0.005

PARTS = {
    "sim_twin.plant --robot": "simulated bench",
    "sim_twin.plant.eye": "simulated eye",
    "hardware.emulators": "emulated",
    "robot_bridge.arm_node": "arm node",
    "robot_bridge.camera_node": "camera node",
}


def places() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")) | set(Path("/dev/shm").glob("touchstone-frames-*"))


@pytest.mark.parametrize("robot", ["wx250s", "rm75"])
def test_a_session_through_sdk_wire_and_nodes_ends_with_scores_and_says_what_it_was(tmp_path, robot):
    before = places()
    complete(tmp_path / "emulated", WORLD, "card-matcher", 1, "--robot", robot, limit=PATIENCE)
    assert places() <= before
    summary = json.loads((tmp_path / "emulated" / "summary.json").read_text())
    assert (summary["world"], summary["plant"], summary["path"]) == ("emulated", "twin", "wire")
    run = read_session(tmp_path / "emulated").last_run
    assert 0 < run["offer"]["time_scale"] <= 1
    (episode,) = logs(tmp_path / "emulated").values()
    facts = episode[1]
    assert {fact.tcp.source for fact in facts} == {"measured"}
    assert {fact.source for fact in facts[0].objects.values()} == {"sim"}

    complete(tmp_path / "twin", "twin", "card-matcher", 1, "--robot", robot)
    (twin,) = logs(tmp_path / "twin").values()
    assert episode[0] == twin[0] and episode[-1].success == twin[-1].success
    at = [next(fact for fact in log[1] if fact.step == log[-1].step).tcp.value[:3] for log in (episode, twin)]
    assert max(abs(a - b) for a, b in zip(*at, strict=True)) < APART


@pytest.mark.parametrize("part", PARTS)
def test_whichever_process_is_killed_the_others_end_and_one_sentence_names_it(tmp_path, part):
    before = places()
    with Run(tmp_path, WORLD, "card-matcher", 2) as run:
        run.until_in_episode(0, PATIENCE)
        assert len(run.pids) == 8
        os.kill(run.pid_of(part), signal.SIGKILL)
        code, _, stderr = run.end()
        (line,) = stderr.strip().splitlines()
        assert code == 1 and PARTS[part] in line and "was killed by SIGKILL" in line
        assert run.orphans() == {}
    assert places() <= before
    assert finished(tmp_path) == 0


def test_a_run_that_is_killed_leaves_no_process_and_the_next_one_cleans_up(tmp_path):
    before = places()
    with Run(tmp_path, WORLD, "card-matcher", 1) as run:
        run.until_in_episode(0, PATIENCE)
        run.process.kill()
        run.process.wait()
        assert run.orphans() == {}
    with Run(tmp_path, WORLD, "card-matcher", 1) as run:
        run.until_in_episode(0, PATIENCE)
        run.process.send_signal(signal.SIGINT)
        assert run.end()[0] == 130
        assert run.orphans() == {}
    assert places() <= before


def test_a_person_beside_the_emulated_bench_arms_the_arm_and_has_the_last_word(tmp_path):
    options = ("--operator", "A. Person", "--operator-port", "0")
    with Run(tmp_path, WORLD, "card-matcher", 1, *options) as run:
        person = Person(run.error_line("Beside the bench, open ").rsplit(" ", 1)[1])
        said = []
        while run.process.poll() is None:
            answer = person.answer()
            if answer is not None:
                said.append(answer)
        assert run.end()[0] == 0
    assert said[0] == "go" and said[-1] == "agree"
    record = read_session(tmp_path)
    assert record.last_run["operator"] == "A. Person"
    (line,) = record.lines
    facts = record.read(line).facts
    assert {fact.source for fact in facts[-1].objects.values()} <= {"detected", "operator"}
    assert line.verdict.execution
