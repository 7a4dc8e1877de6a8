"""Asynchronous inference: the next chunk is asked for while there is still something to do."""

from __future__ import annotations

import numpy as np

from touchstone.control.strategies.base import Ask, NewestOnly, refuse_other_rates, refuse_short_chunks
from touchstone.control.strategies.blending import merge
from touchstone.control.strategies.timing import element_at
from touchstone.policy import Chunk, PolicyContract
from touchstone.safety.actions import value_problem


class Prefetch:
    """Asks when the elements left, over the chunk's length, are at most `g`; where the answer overlaps what is left,
    the new element has the weight `new` and the old one 1 - new.

    Source: LeRobot's asynchronous inference (M. Shukor et al., "SmolVLA", arXiv 2506.01844, section 3.3, and
    `lerobot.async_inference`: `chunk_size_threshold` 0.5, `weighted_average` 0.3 old + 0.7 new). g = 0 asks when
    nothing is left, as `sync` does; g = 1 asks whenever it can. LeRobot's filter of similar observations is left out.
    """

    name = "async"

    def __init__(self, g: float = 0.5, new: float = 0.7) -> None:
        self._g = g
        self._pair = np.array([1.0 - new, new])
        self._newest = NewestOnly()
        self._running: Chunk | None = None

    def begin(self, contract: PolicyContract, dt_ns: int) -> None:
        refuse_short_chunks(contract, self.name)
        self._length, self._dt_ns = contract.chunk_length, dt_ns

    def ask(self, now_ns: int) -> Ask | None:
        left = 0 if self._running is None else self._running.length - element_at(self._running, now_ns)
        return Ask() if left <= self._g * self._length else None

    def answer(self, chunk: Chunk, now_ns: int) -> Chunk | None:
        if not self._newest.admits(chunk):
            return None
        refuse_other_rates(chunk, self._dt_ns, self.name)
        if value_problem(chunk) is not None:
            # for the embodiment to refuse, which then holds
            self._running = None
            return chunk
        joined = merge([chunk] if self._running is None else [self._running, chunk], now_ns, self._weigh)
        if joined is not None:
            self._running = joined
        return joined

    def _weigh(self, count: int) -> np.ndarray:
        return self._pair if count == 2 else np.ones(1)
