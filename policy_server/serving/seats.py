"""Who drives a policy: one client's episode at a time, or several where the policy shares its weights."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from policy_server.wire import SESSION_IDLE_S
from touchstone.policy import Policy, SharedPolicy

SEATS = 64  # of a policy that shares its weights


@dataclass(eq=False)
class Seat:
    """A session's place at a policy. policy: its own, made at the first reset."""

    session: str
    table: Seats
    policy: Policy | None = None
    last_seen: float = field(default_factory=time.monotonic)
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sit(self) -> Policy:
        """The policy that serves this seat; made when first asked for, in the thread that asks."""
        if self.policy is None:
            shared = self.table.policy
            self.policy = shared.session() if self.table.count > 1 else shared
        return self.policy

    def count(self, change: int) -> None:
        """One more request of it is queued or under way, or one less; from any thread."""
        with self._lock:
            self._open += change

    def is_idle(self) -> bool:
        return self._open == 0 and time.monotonic() - self.last_seen > SESSION_IDLE_S


class Seats:
    """The seats at one loaded policy. A seat is taken by a reset and kept by any request; it ends with `bye`, or goes
    to another after 10 s of silence."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.count = SEATS if isinstance(policy, SharedPolicy) else 1
        self._taken: dict[str, Seat] = {}

    def __len__(self) -> int:
        return len(self._taken)

    def of(self, session: str) -> Seat | None:
        """The session's seat, which it thereby keeps, or None."""
        seat = self._taken.get(session)
        if seat is not None:
            seat.last_seen = time.monotonic()
        return seat

    def take(self, session: str) -> Seat | None:
        """The session's seat, new if need be; None while all are taken by others that are not silent."""
        seat = self.of(session)
        if seat is not None:
            return seat
        if len(self._taken) >= self.count:
            idle = [seat for seat in self._taken.values() if seat.is_idle()]
            if not idle:
                return None
            del self._taken[min(idle, key=lambda seat: seat.last_seen).session]
        seat = self._taken[session] = Seat(session, self)
        return seat

    def leave(self, session: str) -> None:
        self._taken.pop(session, None)

    def lively(self) -> int:
        """How many sessions have asked for something in the last second."""
        now = time.monotonic()
        return sum(now - seat.last_seen < 1.0 for seat in self._taken.values())
