"""An arm that stood still since the picture may carry out an answer from its beginning."""

from __future__ import annotations

from dataclasses import replace

from touchstone.control.strategies.base import Ask, Strategy
from touchstone.control.strategies.timing import busy_until
from touchstone.policy import Chunk, PolicyContract


class Patient:
    """Wraps a strategy. If nothing was carried out since an answer's observation, and the answer is at most
    `patience_ns` old, it begins when it comes: its stamps move to now.

    Without it the beginning of such a chunk is over before it comes, and what is left starts from where the arm is not.
    It is asked for, not given: an old answer to a scene that changed meanwhile is what expiry is there to stop.
    """

    def __init__(self, inner: Strategy, patience_ns: int) -> None:
        self._inner, self._patience_ns = inner, patience_ns
        self._free_ns: int | None = None

    def begin(self, contract: PolicyContract, dt_ns: int) -> None:
        self._early_ns = dt_ns // 2
        self._inner.begin(contract, dt_ns)

    def ask(self, now_ns: int) -> Ask | None:
        return self._inner.ask(now_ns)

    def answer(self, chunk: Chunk, now_ns: int) -> Chunk | None:
        stood_still = self._free_ns is None or self._free_ns <= chunk.t0_ns + self._early_ns
        if stood_still and 0 < now_ns - chunk.t0_ns <= self._patience_ns:
            chunk = replace(chunk, t0_ns=now_ns)
        handed = self._inner.answer(chunk, now_ns)
        if handed is not None:
            self._free_ns = busy_until(handed, now_ns)
        return handed
