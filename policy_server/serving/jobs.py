"""The bounded queue between a server's front and the thread in which its policy works."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from policy_server.serving.seats import Seat
from policy_server.wire import NOTHING, ErrorCode, Header, pack

QUEUE_LIMIT = 64
#: one client has one request under way; more are left over from answers that came too late
SEAT_LIMIT = 8


@dataclass(eq=False)
class Job:
    """A request in the queue. payload: the decoded Observation or Brief. arrived: time.monotonic() [s].

    reply: sends frames to who asked, from any thread. prior: of an infer request that continues a chunk. cancelled:
    nobody waits for the answer any more.
    """

    reply: Callable[[list[Any]], None]
    header: Header
    seat: Seat
    payload: Any
    prior: Any = None
    cancelled: bool = False
    arrived: float = field(default_factory=time.monotonic)

    def waited_ms(self) -> float:
        return (time.monotonic() - self.arrived) * 1e3

    def expired(self) -> bool:
        return self.header.budget_ms is not None and self.waited_ms() > self.header.budget_ms


@dataclass(frozen=True)
class Answer:
    """frames: to send, None to say nothing. code: of a refusal."""

    frames: list[Any] | None
    code: ErrorCode | None = None


class JobQueue:
    """First in, first out, but several sessions' inferences may leave together."""

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
            if self._is_full_for(job):
                expired = [waiting for waiting in self._jobs if waiting.expired()]
                self._jobs = deque(waiting for waiting in self._jobs if waiting not in expired)
            taken = not self._is_full_for(job) and not self._closed
            if taken:
                self._jobs.append(job)
                self._changed.notify()
            return taken, expired

    def take(self) -> Job | None:
        """Waits for the next job; None once the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            return self._jobs.popleft() if self._jobs else None

    def take_more(self, first: Job, most: int, hoped: int, patience_s: float) -> list[Job]:
        """Up to `most` inferences of other sessions that may be answered together with `first`.

        Waits `patience_s` for `hoped` of them, not longer, and not at all once they are there.
        """
        give_up = time.monotonic() + patience_s
        with self._changed:
            while True:
                together = self._together(first, most)
                left_s = give_up - time.monotonic()
                if len(together) >= min(most, hoped) or left_s <= 0 or self._closed:
                    break
                self._changed.wait(left_s)
            self._jobs = deque(waiting for waiting in self._jobs if waiting not in together)
            return together

    def cancel(self, seat: Seat, request_id: int) -> bool:
        """Takes a waiting request out; whether it was there."""
        with self._changed:
            found = [job for job in self._jobs if job.seat is seat and job.header.id == request_id]
            self._jobs = deque(waiting for waiting in self._jobs if waiting not in found)
            seat.count(-len(found))
            return bool(found)

    def close(self) -> None:
        """Takes nothing more; what waits is still given out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_full_for(self, job: Job) -> bool:
        return len(self._jobs) >= QUEUE_LIMIT or sum(w.seat is job.seat for w in self._jobs) >= SEAT_LIMIT

    def _together(self, first: Job, most: int) -> list[Job]:
        # a session's requests keep their order: one waits behind any earlier request of its own
        passed, together = {id(first.seat)}, []
        for job in self._jobs:
            if id(job.seat) not in passed and job.header.op == "infer" and job.seat.table is first.seat.table:
                together.append(job)
                if len(together) == most:
                    break
            passed.add(id(job.seat))
        return together


def expired_sentence(job: Job) -> str:
    waited, budget = job.waited_ms(), job.header.budget_ms
    return f"The request took {waited:.0f} ms and its budget was {budget:g} ms."


def reply_header(request: Header, body: Any = NOTHING) -> Header:
    """The header that answers `request`."""
    return Header(op=request.op, id=request.id, session=request.session, body=body)


def refusal(request: Header, code: ErrorCode, sentence: str) -> list[Any]:
    """The frames that answer `request` with an error."""
    return pack(replace(reply_header(request, {"sentence": sentence}), error=code))
