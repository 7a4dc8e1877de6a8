"""The bounded queue between the server's front and the thread in which its policy works."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from policy_server.wire import Header

QUEUE_LIMIT = 8  # one client has one request under way; more are left over from answers that came too late


@dataclass(frozen=True, eq=False)
class Job:
    """A request in the queue. payload: the decoded Observation or Brief. arrived: time.monotonic() [s]."""

    peer: bytes
    header: Header
    payload: Any
    arrived: float = field(default_factory=time.monotonic)

    def waited_ms(self) -> float:
        return (time.monotonic() - self.arrived) * 1e3

    def expired(self) -> bool:
        return self.header.budget_ms is not None and self.waited_ms() > self.header.budget_ms


class JobQueue:
    """First in, first out; at most `QUEUE_LIMIT` jobs wait."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, job: Job) -> tuple[bool, list[Job]]:
        """Whether the job was taken, and the jobs that left a full queue because their budget had run out."""
        with self._changed:
            expired: list[Job] = []
            if len(self._jobs) >= QUEUE_LIMIT:
                expired = [waiting for waiting in self._jobs if waiting.expired()]
                self._jobs = deque(waiting for waiting in self._jobs if waiting not in expired)
            taken = len(self._jobs) < QUEUE_LIMIT
            if taken:
                self._jobs.append(job)
                self._changed.notify()
            return taken, expired

    def get(self) -> Job | None:
        """Waits for the next job; None once the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            return None if self._closed else self._jobs.popleft()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
