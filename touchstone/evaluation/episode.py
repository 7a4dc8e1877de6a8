"""One episode in lockstep: observe, infer, command, advance one tick, until the task says that it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from touchstone.errors import PolicyFailure, TouchstoneError
from touchstone.facts import Event, Facts
from touchstone.policy import Chunk, Policy
from touchstone.policy_checks import check_answer
from touchstone.spec import Spec
from touchstone.tasks.base import Task, Verdict
from touchstone.world import Observation, World


class Recorder(Protocol):
    """Where ticks go; `touchstone.data.journal.EpisodeRecorder` is one."""

    def tick(
        self,
        observation: Observation,
        facts: Facts,
        events: list[Event],
        chunk: Chunk | None,
        stages_ms: dict[str, float],
    ) -> None: ...


def run_episode(world: World, policy: Policy, task: Task, spec: Spec, recorder: Recorder) -> Verdict:
    """Runs one episode and returns its verdict.

    A chunk is executed for the policy's `execute` ticks before the next inference. Stages are wall-clock
    milliseconds: `reset`, `observe`, `policy` (round trip), `policy_queue`, `policy_infer`, `advance`.
    """
    clock = _Stages()
    with clock("reset"):
        world.reset(spec)
        _reset(policy, spec)
    monitor = task.monitor(spec)
    seen_facts: list[Facts] = []
    seen_events: list[Event] = []
    until_infer = 0
    while True:
        with clock("observe"):
            observation = world.observe()
        facts = world.facts()
        events = world.events()
        seen_facts.append(facts)
        seen_events.extend(events)
        if monitor.update(facts) or facts.step >= spec.step_limit:
            recorder.tick(observation, facts, events, None, clock.take())
            return task.judge(spec, seen_facts, seen_events)
        chunk = None
        if until_infer == 0:
            with clock("policy"):
                chunk = _infer(policy, observation)
            clock.add("policy_queue", chunk.timing.queue_ms)
            clock.add("policy_infer", chunk.timing.infer_ms or clock.ms["policy"])
            world.command(chunk)
            until_infer = policy.contract.execute
        until_infer -= 1
        with clock("advance"):
            world.advance(observation.stamp_ns + spec.dt_ns)
        recorder.tick(observation, facts, events, chunk, clock.take())


def _reset(policy: Policy, spec: Spec) -> None:
    with _told(policy, f"at the start of {spec.episode}"):
        policy.reset(spec.brief())


def _infer(policy: Policy, observation: Observation) -> Chunk:
    with _told(policy, f"at tick {observation.step} of {observation.episode}"):
        chunk = policy.infer(observation)
        check_answer(policy.contract, observation, chunk)
    return chunk


@contextmanager
def _told(policy: Policy, where: str) -> Iterator[None]:
    """Turns a policy's own exception into one sentence."""
    try:
        yield
    except TouchstoneError:
        raise
    except Exception as error:
        raise PolicyFailure(
            f"Policy '{policy.contract.name}' raised {type(error).__name__} {where}: {error}; mend the policy and "
            "run the same command again to go on."
        ) from error


class _Stages:
    """Milliseconds by stage since the last `take`."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.add(stage, (time.perf_counter() - started) * 1e3)

    def add(self, stage: str, ms: float) -> None:
        self.ms[stage] = round(ms, 3)

    def take(self) -> dict[str, float]:
        ms, self.ms = self.ms, {}
        return ms
