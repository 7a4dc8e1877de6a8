"""Temporal ensembling: every moment's action is the average of all that was ever planned for it."""

from __future__ import annotations

import numpy as np

from touchstone.control.strategies.base import Ask, NewestOnly, refuse_other_rates, refuse_short_chunks
from touchstone.control.strategies.blending import merge
from touchstone.control.strategies.timing import element_at
from touchstone.policy import Chunk, PolicyContract
from touchstone.safety.actions import value_problem


class Ensemble:
    """Asks at every tick that it can, and averages with weights w_i = exp(-m i), i = 0 the oldest prediction.

    Source: T. Z. Zhao, V. Kumar, S. Levine, C. Finn, "Learning Fine-Grained Bimanual Manipulation with Low-Cost
    Hardware" (ACT), RSS 2023, arXiv 2304.13705, section IV-A; m = 0.01 in its code. A small m takes new observations in
    faster; a negative one weighs the newest most.
    """

    name = "ensemble"

    def __init__(self, m: float = 0.01) -> None:
        self._m = m
        self._newest = NewestOnly()
        self._kept: list[Chunk] = []

    def begin(self, contract: PolicyContract, dt_ns: int) -> None:
        refuse_short_chunks(contract, self.name)
        self._dt_ns = dt_ns

    def ask(self, now_ns: int) -> Ask | None:
        return Ask()

    def answer(self, chunk: Chunk, now_ns: int) -> Chunk | None:
        if not self._newest.admits(chunk):
            return None
        refuse_other_rates(chunk, self._dt_ns, self.name)
        if value_problem(chunk) is not None:
            # for the embodiment to refuse; in an average it would spoil every later answer too
            return chunk
        self._kept = [*(one for one in self._kept if element_at(one, now_ns) < one.length), chunk]
        return merge(self._kept, now_ns, self._weigh)

    def _weigh(self, count: int) -> np.ndarray:
        exponents = -self._m * np.arange(count)
        # the same weights up to a factor, without overflow
        return np.exp(exponents - exponents.max())
