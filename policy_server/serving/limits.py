"""How much one client may ask."""

from __future__ import annotations

import time
from collections import OrderedDict

#: far above what a 1 kHz controller asks, and above what one client gets answered
MESSAGES_PER_S, BURST = 10_000.0, 20_000.0
PEERS = 4096  # remembered


class RateLimit:
    """A token bucket for each peer: `MESSAGES_PER_S` on average, `BURST` at once."""

    def __init__(self, per_s: float = MESSAGES_PER_S, burst: float = BURST) -> None:
        self._per_s, self._burst = per_s, burst
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def allows(self, peer: bytes) -> bool:
        """Whether one more message of this peer is within its rate; counts it if so."""
        now = time.monotonic()
        tokens, seen = self._buckets.pop(peer, (self._burst, now))
        tokens = min(self._burst, tokens + (now - seen) * self._per_s)
        allowed = tokens >= 1.0
        self._buckets[peer] = (tokens - allowed, now)
        if len(self._buckets) > PEERS:
            self._buckets.popitem(last=False)
        return allowed
