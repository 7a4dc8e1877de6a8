"""Opens what a session's configuration names: a policy, and a world that fits what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from policy_server.loading import load_policy
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.hands import Alone, Crew, Hands, Recording
from touchstone.policy import Policy
from touchstone.registry import WORLDS
from touchstone.registry import load as find
from touchstone.world import World, WorldRequest


@contextmanager
def hands_for(config: SessionConfig, workers: int, recording: Recording) -> Iterator[Hands]:
    """This process for one worker, else a crew; let go of at the end."""
    if workers > 1:
        with Crew(partial(open_both, config), workers, recording, config.execution) as crew:
            yield crew
        return
    world, policy = open_both(config)
    try:
        yield Alone(world, policy, recording, config.execution)
    finally:
        world.close()
        close = getattr(policy, "close", None)
        if close is not None:
            close()


def open_both(config: SessionConfig) -> tuple[World, Policy]:
    """A world and a policy of one's own."""
    policy = load_policy(config.policy)
    request = WorldRequest(
        robot=config.robot,
        camera=config.camera,
        shader=config.shader,
        privileged=policy.contract.needs_privileged,
        pictures=config.pictures,
        meshes=config.meshes,
        variant=config.variant,
    )
    return find(WORLDS, config.world_name)(request), policy
