"""A session: every planned episode that the journal does not hold yet."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from touchstone.data.disk import writable_folder
from touchstone.data.journal import EpisodeLine, Session, check_resumable, finished_episodes
from touchstone.data.sealed import seal
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.hands import Alone, Hands, Setup
from touchstone.policy import Policy, check_fit
from touchstone.registry import ROBOTS
from touchstone.registry import load as find
from touchstone.spec import Spec
from touchstone.tasks.base import task as find_task
from touchstone.world import World

Progress = Callable[[EpisodeLine | None, int, int], None]


def run_session(
    config: SessionConfig, out: Path, world: World, policy: Policy, progress: Progress = lambda *_: None
) -> None:
    """Runs what is missing of a session into `out`, in this process. Owns neither world nor policy.

    Raises as `run_with` does.
    """
    run_with(Alone(world, policy, execution=config.execution), config, out, progress)


def run_with(hands: Hands, config: SessionConfig, out: Path, progress: Progress = lambda *_: None) -> None:
    """Runs what is missing of a session into `out`.

    progress(line, done, trials) is called once at the start with None, then after every episode.
    Raises ContractMismatch before anything moves; TouchstoneError when world or policy fail in mid-episode, with the
    journal intact up to the episodes before.
    """
    with open_session(hands, config, out) as session:
        specs = planned(config)
        missing = [spec for spec in specs if spec.episode not in session.finished()]
        done = len(specs) - len(missing)
        progress(None, done, len(specs))
        for line in hands.run(session.path, missing):
            session.append(line)
            done += 1
            progress(line, done, len(specs))


def open_session(hands: Hands, config: SessionConfig, out: Path) -> Session:
    """Creates or resumes the session, after the check that policy, world and strategy fit.

    Raises ContractMismatch, and UsageError for a world that cannot charge latency.
    """
    setup = hands.setup()
    rate_hz = find_task(config.task).rate_hz
    check_fit(setup.contract, setup.offer, rate_hz)
    config.execution.check_fit(setup.contract, setup.offer, round(1e9 / rate_hz))
    sealed = {}
    if setup.sealed is not None:
        writable_folder(out)
        check_resumable(out, config.identity())
        sealed = {"sealed_sha256": seal(out, setup.sealed)}
    return Session.open(out, config.identity(), _provenance(config, setup) | sealed)


def planned(config: SessionConfig) -> list[Spec]:
    """The episodes of a session, in order."""
    return [plan(config, index) for index in range(config.trials)]


def plan(config: SessionConfig, index: int) -> Spec:
    """One episode of a session."""
    task, arm = find_task(config.task), find(ROBOTS, config.robot)
    return task.plan(config.protocol, config.seed, index, arm, config.camera, config.plan_options)


def is_complete(config: SessionConfig, out: Path) -> bool:
    """Whether every episode is in the journal already, so that no world need be started."""
    finished = finished_episodes(out)
    return all(spec.episode in finished for spec in planned(config))


def _time_scale(config: SessionConfig, setup: Setup) -> str:
    """A world that waits for its clock says how fast that runs; one that computes, what a policy's thinking costs."""
    scale = setup.offer.time_scale
    if scale is None:
        return config.execution.time_scale
    return "real time" if scale == 1.0 else f"{scale:g} of real time"


def _provenance(config: SessionConfig, setup: Setup) -> dict:
    return {
        "plant": setup.offer.plant,
        "path": setup.offer.path,
        "time_scale": _time_scale(config, setup),
        "trials": config.trials,
        **({} if config.operator is None else {"operator": config.operator}),
        "touchstone": version("touchstone-vla"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "offer": setup.offer.model_dump(mode="json"),
        "contract": setup.contract.model_dump(mode="json"),
    }
