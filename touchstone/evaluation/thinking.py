"""Asks a policy when a strategy wants it, and lets the answer take effect when it would have come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from touchstone.control import strategies
from touchstone.control.strategies.base import Ask
from touchstone.evaluation.execution import REAL, Execution
from touchstone.facts import Event
from touchstone.policy import Chunk, PolicyContract
from touchstone.world import Observation, World

#: gives the checked answer and the milliseconds of its round trip
Infer = Callable[[Observation, Ask], tuple[Chunk, float]]


@dataclass(frozen=True)
class _UnderWay:
    """An answer that has been computed and, in the world's time, has not come yet."""

    chunk: Chunk
    asked_step: int
    comes_ns: int
    charged_ms: float


class Thinking:
    """One episode's inferences, at most one at a time.

    An answer takes effect at the first tick that is not earlier than its observation's stamp plus what is charged: a
    control loop commands at its ticks, elements are due at ticks, and facts are taken there. Until then the world
    carries out what it has.
    """

    def __init__(self, execution: Execution, contract: PolicyContract, dt_ns: int, world: World, infer: Infer) -> None:
        self._charge, self._world, self._infer = execution.charge, world, infer
        self._strategy = strategies.make(execution.strategy)
        self._strategy.begin(contract, dt_ns)
        self._under_way: _UnderWay | None = None
        self._events: list[Event] = []
        #: what the last inference was charged [ms]
        self.charged_ms = 0.0

    def tick(self, observation: Observation) -> Chunk | None:
        """Commands what has come, and asks if the strategy wants it. The answer to this observation, or None."""
        now_ns = observation.stamp_ns
        if self._under_way is not None and now_ns >= self._under_way.comes_ns:
            arrived, self._under_way = self._under_way, None
            self._take(arrived, observation)
        if self._under_way is not None:
            return None
        ask = self._strategy.ask(now_ns)
        if ask is None:
            return None
        chunk, measured_ms = self._infer(observation, ask)
        self.charged_ms = measured_ms if self._charge == REAL else (self._charge or 0.0)
        new = _UnderWay(chunk, observation.step, now_ns + round(self.charged_ms * 1e6), self.charged_ms)
        if new.comes_ns <= now_ns:
            self._take(new, observation)
        else:
            self._under_way = new
        return chunk

    def drain_events(self) -> list[Event]:
        """The events since the last call: `answer_late` for each answer that took effect after its own tick."""
        events, self._events = self._events, []
        return events

    def _take(self, arrived: _UnderWay, observation: Observation) -> None:
        handed = self._strategy.answer(arrived.chunk, observation.stamp_ns)
        if handed is not None:
            self._world.command(handed)
        late = observation.step - arrived.asked_step
        if late == 0:
            return
        left = "nothing of it was left" if handed is None else f"{handed.length} actions are to be carried out now"
        detail = (
            f"The answer to observation {arrived.chunk.answers} was charged {arrived.charged_ms:.1f} ms and took "
            f"effect {late} ticks after it; {left}."
        )
        event = Event(stamp_ns=observation.stamp_ns, step=observation.step, kind="answer_late", detail=detail)
        self._events.append(event)
