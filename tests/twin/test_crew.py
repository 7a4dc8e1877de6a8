"""Episodes in parallel processes: the same facts and pictures as in one, and what happens when a worker dies."""

import hashlib
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from touchstone.cli.opening import hands_for, open_both
from touchstone.data.journal import EpisodeRecorder, finished_episodes, read_session
from touchstone.data.mcap_log import read_images
from touchstone.errors import PolicyFailure, UsageError, WorldFailure
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.hands import Crew
from touchstone.evaluation.session import run_with


def config(policy: str = "expert", **changes) -> SessionConfig:
    given = {"task": "pick-emoji", "robot": "wx250s", "camera": "grinningface@128x96", "trials": 3} | changes
    return SessionConfig(world="twin", policy=policy, protocol="val", seed=0, **given)


def run(out: Path, config: SessionConfig, workers: int) -> None:
    with hands_for(config, workers, EpisodeRecorder) as hands:
        run_with(hands, config, out)


def contents(out: Path) -> dict[str, tuple]:
    """Facts and a hash of every picture, by episode."""
    session = read_session(out)
    return {
        line.episode: (
            [facts.model_dump_json() for facts in session.read(line).facts],
            [hashlib.sha256(image.tobytes()).hexdigest() for image in read_images(out / line.files["mcap"].path)],
        )
        for line in session.lines
    }


def test_a_crew_records_the_facts_and_pictures_of_one_process(tmp_path):
    run(tmp_path / "alone", config(), 1)
    run(tmp_path / "crew", config(), 2)
    alone, crew = contents(tmp_path / "alone"), contents(tmp_path / "crew")
    assert len(alone) == 3 and all(len(pictures) == len(facts) > 50 for facts, pictures in alone.values())
    assert alone == crew


def test_a_crew_resumes_with_what_is_missing(tmp_path):
    small = config(task="touch-emoji", pictures=False)
    run(tmp_path, small.model_copy(update={"trials": 1}), 2)
    run(tmp_path, small, 2)
    assert len(read_session(tmp_path).lines) == 3


def test_a_killed_worker_is_one_sentence_and_loses_its_episode_only(tmp_path):
    wanted = config(pictures=False, trials=40)
    with Crew(partial(open_both, wanted), 2) as crew, pytest.raises(WorldFailure, match="worker process ended with -9"):
        crew.setup()
        victim = crew._workers[0][0].pid

        def kill_in_mid_episode(line, done, trials):
            if done == 1:
                os.kill(victim, signal.SIGKILL)

        run_with(crew, wanted, tmp_path, kill_in_mid_episode)
    done = len(finished_episodes(tmp_path))
    assert done >= 1
    run(tmp_path, wanted.model_copy(update={"trials": done + 2}), 2)
    assert len(read_session(tmp_path).lines) == done + 2
    assert not list(tmp_path.rglob("*.part"))


def test_what_a_worker_raises_is_raised_here(tmp_path):
    with pytest.raises(PolicyFailure, match="broken-on-purpose"):
        run(tmp_path, config("tests.twin.test_crew:Broken", pictures=False), 2)
    with pytest.raises(UsageError, match="Unknown shader"):
        run(tmp_path, config(shader="oil"), 2)


class Broken:
    from touchstone.policy import PolicyContract

    contract = PolicyContract(name="broken", version="1")

    def reset(self, brief):
        raise ValueError("broken-on-purpose")

    def infer(self, observation):
        raise AssertionError
