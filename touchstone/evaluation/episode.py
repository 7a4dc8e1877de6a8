"""One episode: observe, infer, command, advance one tick, until the task says that it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from touchstone.control.strategies import Ask
from touchstone.errors import PolicyFailure, TouchstoneError
from touchstone.evaluation.attended import AttendedWorld
from touchstone.evaluation.execution import LOCKSTEP, Execution
from touchstone.evaluation.thinking import Thinking
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


def run_episode(
    world: World, policy: Policy, task: Task, spec: Spec, recorder: Recorder, execution: Execution = LOCKSTEP
) -> Verdict:
    """Runs one episode and returns its verdict.

    The execution's strategy says when the policy is asked and what of its answers is commanded; in lockstep, a chunk is
    executed for the policy's `execute` ticks before the next inference. Stages are wall-clock milliseconds: `reset`,
    `observe`, `policy` (round trip), `policy_queue`, `policy_infer`, `advance`; beside them, where latency is charged,
    `policy_charged`, what the inference that began in this tick cost in the world's time.
    """
    clock = _Stages()

    def infer(observation: Observation, ask: Ask) -> tuple[Chunk, float]:
        with clock("policy"):
            chunk = _infer(policy, observation, ask)
        clock.add("policy_queue", chunk.timing.queue_ms)
        clock.add("policy_infer", chunk.timing.infer_ms or clock.ms["policy"])
        return chunk, clock.ms["policy"]

    with clock("reset"):
        world.reset(spec)
        _reset(policy, spec)
    thinking = Thinking(execution, policy.contract, spec.dt_ns, world, infer)
    monitor = task.monitor(spec)
    seen_facts: list[Facts] = []
    seen_events: list[Event] = []
    while True:
        with clock("observe"):
            observation = world.observe()
        facts = world.facts()
        events = [*world.events(), *thinking.drain_events()]
        seen_facts.append(facts)
        seen_events.extend(events)
        if monitor.update(facts) or facts.step >= spec.step_limit:
            verdict = task.judge(spec, seen_facts, seen_events)
            if isinstance(world, AttendedWorld) and (said := world.conclude(verdict)):
                events += said
                verdict = task.judge(spec, seen_facts, [*seen_events, *said])
            recorder.tick(observation, facts, events, None, clock.take())
            return verdict
        chunk = thinking.tick(observation)
        if chunk is not None and execution.charge is not None:
            clock.add("policy_charged", thinking.charged_ms)
        with clock("advance"):
            world.advance(observation.stamp_ns + spec.dt_ns)
        recorder.tick(observation, facts, events, chunk, clock.take())


def _reset(policy: Policy, spec: Spec) -> None:
    with _told(policy, f"at the start of {spec.episode}"):
        policy.reset(spec.brief())


def _infer(policy: Policy, observation: Observation, ask: Ask) -> Chunk:
    with _told(policy, f"at tick {observation.step} of {observation.episode}"):
        # only a policy whose contract says `inpaints` takes a prior, and only for it is there one
        chunk = policy.infer(observation) if ask.prior is None else policy.infer(observation, prior=ask.prior)
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
