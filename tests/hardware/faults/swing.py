"""A policy that swings the TCP to and fro over the table, with which things go wrong at a certain tick."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from touchstone.clock import Clock
from touchstone.errors import PolicyFailure
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation

STEP_M = 0.02  # [m] a tick
HALF_SWING = 5  # ticks
FAULT_TICK = 3
TICKS_AFTER = 8  # until the episode is ended, if nothing else ends it
ENOUGH = "The test has seen enough."


class Swing:
    """begin: called once, at tick `FAULT_TICK` of the episode, before the answer to it. pause_s: [s of `clock`] that
    this answer takes."""

    contract = PolicyContract(name="swing", version="1", state=("ee",))

    def __init__(self, begin: Callable[[], None], clock: Clock, pause_s: float) -> None:
        self._begin, self._clock, self._pause_s = begin, clock, pause_s
        self._begun_at: int | None = None

    def reset(self, brief: Brief) -> None:
        self._begun_at = None

    def infer(self, observation: Observation) -> Chunk:
        if self._begun_at is None and observation.step >= FAULT_TICK:
            self._begun_at = observation.step
            self._begin()
            self._clock.sleep(self._pause_s)
        elif self._begun_at is not None and observation.step > self._begun_at + TICKS_AFTER:
            raise PolicyFailure(ENOUGH)
        side = 1.0 if observation.step // HALF_SWING % 2 == 0 else -1.0
        action = np.array([[0.0, side * STEP_M, 0.0, 0.0, 0.0, 0.0]])
        return Chunk(observation.id, observation.stamp_ns, 0.2, "target_delta", action, np.ones(1))
