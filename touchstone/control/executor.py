"""Which action of a chunk is due now, and which ones came too late to be carried out."""

from __future__ import annotations

from dataclasses import dataclass

from touchstone.policy import Chunk

#: how late an action may start [ns]; scheduling jitter, far under a 5 Hz tick
SLACK_NS = 20_000_000


@dataclass(frozen=True)
class Due:
    """What `ChunkExecutor.next` found: the element to execute, or None to hold and why; how many expired unexecuted."""

    element: int | None
    expired: int = 0
    why: str = ""


class ChunkExecutor:
    """Walks a chunk on the caller's clock. Element k is due at t0 + k dt and expires at t0 + (k + 1) dt + slack."""

    def __init__(self, slack_ns: int = SLACK_NS) -> None:
        self._slack_ns = slack_ns
        self.chunk: Chunk | None = None
        self._next = 0

    def load(self, chunk: Chunk | None) -> None:
        """Replaces what is being executed; None means hold."""
        self.chunk = chunk
        self._next = 0

    def next(self, now_ns: int) -> Due:
        """The element to execute from `now_ns` on; each element is handed out at most once."""
        if self.chunk is None:
            return Due(None, why="no action was given")
        dt_ns = round(self.chunk.dt * 1e9)
        expired = 0
        while self._next < self.chunk.length and now_ns > self.chunk.t0_ns + (self._next + 1) * dt_ns + self._slack_ns:
            self._next += 1
            expired += 1
        if self._next >= self.chunk.length:
            return Due(None, expired, "the last chunk is used up")
        if now_ns < self.chunk.t0_ns + self._next * dt_ns - self._slack_ns:
            return Due(None, expired, "the next action is not due yet")
        self._next += 1
        return Due(self._next - 1, expired)
