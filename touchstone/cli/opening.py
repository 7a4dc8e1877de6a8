"""Opens what a session's configuration names: a policy, and a world that fits what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from policy_server.loading import load_policy
from touchstone.evaluation.bench_page import attended
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.fleet import Fleet, check_shared
from touchstone.evaluation.fleet_worlds import open_worlds
from touchstone.evaluation.hands import Alone, Crew, Hands, Recording
from touchstone.policy import Policy
from touchstone.registry import WORLDS
from touchstone.registry import load as find
from touchstone.tasks.base import task as find_task
from touchstone.world import World, WorldRequest


@contextmanager
def hands_for(config: SessionConfig, workers: int, recording: Recording, envs: int = 1) -> Iterator[Hands]:
    """This process, a crew of workers, or a fleet of episodes at once; let go of at the end."""
    if workers > 1:
        with Crew(partial(open_both, config), workers, recording, config.execution) as crew:
            yield crew
        return
    if envs > 1:
        policy = load_policy(config.policy)
        with _closing(policy):
            check_shared(policy)
            worlds = open_worlds(config.world_name, _request(config, policy), envs)
            with _closing(worlds):
                yield Fleet(worlds, policy, partial(Alone, recording=recording, execution=config.execution))
        return
    world, policy = open_both(config)
    with _closing(policy), _closing(world), attended(world, config) as watched:
        yield Alone(watched, policy, recording, config.execution)


def open_both(config: SessionConfig) -> tuple[World, Policy]:
    """A world and a policy of one's own."""
    policy = load_policy(config.policy)
    return find(WORLDS, config.world_name)(_request(config, policy)), policy


def _request(config: SessionConfig, policy: Policy) -> WorldRequest:
    return WorldRequest(
        robot=config.robot,
        camera=config.camera,
        shader=config.shader,
        privileged=policy.contract.needs_privileged,
        pictures=config.pictures,
        meshes=config.meshes,
        variant=config.variant,
        scene=find_task(config.task).scene,
        overlay=config.overlay,
        gate=config.gate,
    )


@contextmanager
def _closing(part: Any) -> Iterator[None]:
    try:
        yield
    finally:
        # a policy need not have anything to close
        close = getattr(part, "close", None)
        if close is not None:
            close()
