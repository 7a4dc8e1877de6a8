"""Real-time chunking: the policy fills in the rest of a chunk whose beginning is being carried out while it thinks."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from touchstone.control.strategies.base import Ask, NewestOnly, refuse_other_rates, refuse_short_chunks
from touchstone.control.strategies.timing import element_at, step_ns, tail
from touchstone.errors import ContractMismatch
from touchstone.policy import Chunk, PolicyContract, Prior
from touchstone.safety.actions import value_problem

#: of how many inferences the longest delay is expected again
DELAYS = 10


class RealTimeChunking:
    """Asks `s` elements after it last asked, and tells the policy what is being carried out and how much of it is
    frozen: as many elements as the longest of the last inferences took ticks.

    The frozen elements stay as they are, whatever the policy answers; what follows is the policy's, which weighs the
    rest of the old chunk by `soft_mask`. Source: K. Black, M. Y. Galliker, S. Levine, "Real-Time Execution of Action
    Chunking Flow Policies", arXiv 2506.07339, algorithm 1. s: half the chunk unless given. d: the delay expected before
    one was measured, in ticks.
    """

    name = "rtc"

    def __init__(self, s: int | None = None, d: int = 1) -> None:
        self._s, self._first_delay = s, d
        self._delays: deque[int] = deque(maxlen=DELAYS)
        self._newest = NewestOnly()
        self._running: Chunk | None = None
        self._asked_ns = 0
        self._frozen_ns = 0

    def begin(self, contract: PolicyContract, dt_ns: int) -> None:
        if not contract.inpaints:
            raise ContractMismatch(
                f"Policy '{contract.name}' does not continue a chunk (its contract has no `inpaints`), which the "
                "strategy 'rtc' needs; use --strategy async."
            )
        refuse_short_chunks(contract, self.name)
        steps = contract.chunk_length // 2 if self._s is None else self._s
        if steps >= contract.chunk_length:
            raise ContractMismatch(
                f"--strategy rtc:s={steps} leaves nothing of a chunk of {contract.chunk_length} to continue; choose a "
                "smaller s."
            )
        self._dt_ns, self._turn_ns = dt_ns, steps * dt_ns - dt_ns // 2

    def ask(self, now_ns: int) -> Ask | None:
        rest = self._rest(now_ns)
        if rest is None:
            self._asked_ns = self._frozen_ns = now_ns
            return Ask()
        if now_ns < self._asked_ns + self._turn_ns:
            return None
        frozen = min(max(self._delays, default=self._first_delay), rest.length)
        self._asked_ns, self._frozen_ns = now_ns, rest.t0_ns + frozen * self._dt_ns
        return Ask(Prior(rest.actions, rest.gripper, frozen))

    def answer(self, chunk: Chunk, now_ns: int) -> Chunk | None:
        if not self._newest.admits(chunk):
            return None
        refuse_other_rates(chunk, self._dt_ns, self.name)
        self._delays.append(-(-(now_ns - self._asked_ns) // self._dt_ns))
        if value_problem(chunk) is not None:
            # for the embodiment to refuse, which then holds
            self._running = None
            return chunk
        joined = self._join(chunk, now_ns)
        if joined is not None:
            self._running = joined
        return joined

    def _rest(self, now_ns: int) -> Chunk | None:
        """What is left of the running chunk."""
        if self._running is None:
            return None
        first = element_at(self._running, now_ns)
        return tail(self._running, first) if first < self._running.length else None

    def _join(self, chunk: Chunk, now_ns: int) -> Chunk | None:
        """The frozen elements that are still to come, then the answer's from there on."""
        rest = self._rest(now_ns)
        keep = 0 if rest is None else min(rest.length, max(0, round((self._frozen_ns - rest.t0_ns) / step_ns(rest))))
        if keep == 0:
            first = element_at(chunk, now_ns)
            return tail(chunk, first) if first < chunk.length else None
        first = element_at(chunk, rest.t0_ns + keep * step_ns(rest))
        return replace(
            chunk,
            t0_ns=rest.t0_ns,
            actions=np.concatenate([rest.actions[:keep], chunk.actions[first:]]),
            gripper=np.concatenate([rest.gripper[:keep], chunk.gripper[first:]]),
        )


def soft_mask(length: int, frozen: int, overlap: int) -> np.ndarray:
    """How much each of `length` new elements is held to the old chunk: float64[length], 1 for the frozen ones, falling
    to 0 at the end of the `overlap`.

    W_i = 1 for i < d; c_i (e^c_i - 1) / (e - 1) with c_i = (o - i) / (o - d + 1) for d <= i < o; 0 for i >= o, where
    d = frozen and o = overlap (H - s in the paper). Source: as RealTimeChunking, equation 5.
    """
    frozen = min(frozen, overlap)
    index = np.arange(length)
    c = np.clip((overlap - index) / (overlap - frozen + 1), 0.0, 1.0)
    falling = c * np.expm1(c) / np.expm1(1.0)
    return np.where(index < frozen, 1.0, np.where(index < overlap, falling, 0.0))
