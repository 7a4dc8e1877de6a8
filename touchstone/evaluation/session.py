"""A session: every planned episode that the journal does not hold yet, one after the other."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from touchstone.data.journal import EpisodeLine, Session, finished_episodes
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.episode import run_episode
from touchstone.policy import Policy, check_fit
from touchstone.registry import ROBOTS, TASKS
from touchstone.registry import load as find
from touchstone.spec import Spec
from touchstone.world import World

Progress = Callable[[EpisodeLine | None, int, int], None]


def run_session(
    config: SessionConfig, out: Path, world: World, policy: Policy, progress: Progress = lambda *_: None
) -> None:
    """Runs what is missing of a session into `out`. Owns neither world nor policy.

    progress(line, done, trials) is called once at the start with None, then after every episode.
    Raises ContractMismatch before anything moves; TouchstoneError when world or policy fail in mid-episode, with the
    journal intact up to the episode before.
    """
    task = find(TASKS, config.task)()
    offer = world.describe()
    check_fit(policy.contract, offer, task.rate_hz)
    session = Session.open(out, config.identity(), _provenance(config, offer, policy))
    with session:
        finished = session.finished()
        specs = planned(config)
        missing = [spec for spec in specs if spec.episode not in finished]
        done = len(specs) - len(missing)
        progress(None, done, len(specs))
        for spec in missing:
            recorder = session.record(spec)
            try:
                verdict = run_episode(world, policy, task, spec, recorder)
            except BaseException:
                with suppress(OSError):
                    recorder.abandon()
                raise
            done += 1
            progress(recorder.finish(verdict), done, len(specs))


def planned(config: SessionConfig) -> list[Spec]:
    """The episodes of a session, in order."""
    task, arm = find(TASKS, config.task)(), find(ROBOTS, config.robot)
    return [task.plan(config.protocol, config.seed, index, arm, config.camera) for index in range(config.trials)]


def is_complete(config: SessionConfig, out: Path) -> bool:
    """Whether every episode is in the journal already, so that no world need be started."""
    finished = finished_episodes(out)
    return all(spec.episode in finished for spec in planned(config))


def _provenance(config: SessionConfig, offer, policy: Policy) -> dict:
    return {
        "plant": offer.plant,
        "path": offer.path,
        "time_scale": "lockstep",
        "trials": config.trials,
        "touchstone": version("touchstone-vla"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "offer": offer.model_dump(mode="json"),
        "contract": policy.contract.model_dump(mode="json"),
    }
