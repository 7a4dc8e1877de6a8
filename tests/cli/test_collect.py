"""`touchstone collect` as a user types it: the dataset, the journal beside it, resuming, kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from touchstone.cli.collect import collect
from touchstone.data.journal import read_session
from touchstone.data.lerobot import read_dataset
from touchstone.data.mcap_log import read_images
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.registry import ROBOTS, load
from touchstone.spec import Spec
from touchstone.tasks.base import PlanOptions
from touchstone.tasks.emoji.touch import TouchEmoji

ROOT = Path(__file__).parents[2]


def config(episodes: int) -> SessionConfig:
    return SessionConfig(
        task="touch-emoji",
        world="twin",
        robot="rm75",
        policy="expert",
        protocol="train",
        seed=0,
        trials=episodes,
        camera="grinningface@96x64",
    )


def command(out: Path, episodes: int, *more: str) -> list[str]:
    words = ["collect", "touch-emoji", "--expert", "--robot", "rm75", "--camera", "grinningface@96x64", *more]
    return [sys.executable, "-m", "touchstone.cli", *words, "--episodes", str(episodes), "--out", str(out)]


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Three demonstrations, in two goes."""
    out = tmp_path_factory.mktemp("collected") / "demos"
    collect(config(2), out, False, 1)
    collect(config(3), out, False, 1)
    return out


def test_a_dataset_says_what_was_shown(collected):
    dataset = read_dataset(collected)
    assert dataset.info["total_episodes"] == 3 and dataset.info["fps"] == 5
    assert dataset.info["robot_type"] == "rm75"
    for number, episode in enumerate(dataset.episodes):
        spec = Spec.model_validate_json(episode["spec"])
        assert spec.index == number and spec.protocol == "train" and episode["success"]
        assert list(episode["tasks"]) == [spec.instruction]


def test_frames_states_and_actions_are_those_of_the_journal(collected):
    dataset, session = read_dataset(collected), read_session(collected / "journal")
    for number, line in enumerate(session.lines):
        log = session.read(line)
        frames = dataset.frames(number)
        # the last tick has no action and is left out
        assert len(frames["action"]) == len(log.chunks) == line.steps - 1
        facts = log.facts[: len(log.chunks)]
        np.testing.assert_allclose(frames["observation.state"][:, :3], [one.tcp.value[:3] for one in facts], atol=1e-5)
        np.testing.assert_allclose(frames["observation.state"][:, 6], [one.opening.value for one in facts], atol=1e-5)
        np.testing.assert_allclose(frames["observation.joints"], [one.joints.value for one in facts], atol=1e-5)
        np.testing.assert_allclose(frames["action"][:, :6], [chunk.actions[0] for chunk in log.chunks], atol=1e-6)
        np.testing.assert_allclose(frames["action"][:, 6], [chunk.gripper[0] for chunk in log.chunks])
        seen = np.array(list(dataset.pictures(number, "observation.images.scene")), dtype=float)
        meant = np.array(read_images(collected / "journal" / line.files["mcap"].path), dtype=float)[: len(seen)]
        assert seen.shape == meant.shape and np.abs(seen - meant).mean() < 6
        # every picture is nearest to its own tick while the arm moves, not to a neighbour's
        for k in range(1, 6):
            errors = [np.abs(seen[k] - meant[other]).mean() for other in (k - 1, k, k + 1)]
            assert errors[1] == min(errors)


def test_protocol_id_replays_the_combinations_of_a_dataset(collected):
    shown = {
        (tuple(card["label"] for card in spec["layout"]), spec["target"])
        for spec in (json.loads(episode["spec"]) for episode in read_dataset(collected).episodes)
    }
    options = PlanOptions(record=str(collected))
    arm = load(ROBOTS, "rm75")
    for index in range(6):
        spec = TouchEmoji().plan("id", 1, index, arm, options=options)
        assert (tuple(card.label for card in spec.layout), spec.target) in shown


def test_a_collection_survives_kill_9_and_ends_as_an_undisturbed_one(collected, tmp_path):
    out = tmp_path / "killed"
    with subprocess.Popen(command(out, 3, "--workers", "2"), cwd=ROOT, start_new_session=True) as run:
        lines = out / "journal" / "episodes.jsonl"
        end = time.monotonic() + 120
        while not (lines.exists() and lines.read_bytes().count(b"\n") >= 1) and time.monotonic() < end:
            assert run.poll() is None
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGKILL)
    before = lines.read_bytes().count(b"\n")
    assert before >= 1
    subprocess.run(command(out, 3, "--workers", "2"), cwd=ROOT, check=True, capture_output=True, timeout=300)
    resumed, whole = read_dataset(out), read_dataset(collected)
    assert resumed.info["total_frames"] == whole.info["total_frames"]
    for number in range(3):
        one, other = resumed.frames(number), whole.frames(number)
        assert all(np.array_equal(one[name], other[name]) for name in ("observation.state", "action", "index"))
    assert not list((out / ".staging").iterdir())


def test_another_arm_does_not_go_into_the_same_dataset(collected):
    with pytest.raises(UsageError, match="rm75"):
        collect(config(3).model_copy(update={"robot": "wx250s"}), collected, False, 1)
