"""Who may drive the policy: one client's episode at a time, because a policy keeps state."""

from __future__ import annotations

import time

SESSION_IDLE_S = 10.0  # a client silent for longer has lost its turn


class SessionGuard:
    """The turn is taken by a reset, kept by any request, and ends with `bye` or after 10 s of silence."""

    def __init__(self) -> None:
        self._holder: str | None = None
        self._last_seen = 0.0

    def holds(self, session: str) -> bool:
        """Whether the turn is this session's; keeps it."""
        if session != self._holder:
            return False
        self._last_seen = time.monotonic()
        return True

    def take(self, session: str, working: bool) -> bool:
        """Whether the session has the turn now. working: the policy is busy for the present holder."""
        silent = not working and time.monotonic() - self._last_seen > SESSION_IDLE_S
        if self._holder not in (None, session) and not silent:
            return False
        self._holder, self._last_seen = session, time.monotonic()
        return True

    def leave(self, session: str) -> None:
        if session == self._holder:
            self._holder = None
