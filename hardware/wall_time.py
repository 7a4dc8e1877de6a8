"""Between wall time, which camera drivers stamp with, and our clock."""

from __future__ import annotations

import time

from touchstone.clock import Clock

TRIES = 3


def from_wall(milliseconds: float, clock: Clock) -> int:
    """Nanoseconds of `clock` when the wall clock showed `milliseconds` since 1970. Right as long as the wall clock was
    not set in between."""
    ours, wall = _both(clock)
    return ours - int((wall - milliseconds * 1e6) * clock.scale)


def to_wall(stamp_ns: int, clock: Clock) -> float:
    """The inverse of `from_wall`."""
    ours, wall = _both(clock)
    return (wall - (ours - stamp_ns) / clock.scale) / 1e6


def _both(clock: Clock) -> tuple[int, int]:
    """Both clocks at one moment [ns]: the closest of a few looks, since a busy machine may stop us in between."""
    looks = []
    for _ in range(TRIES):
        before, wall, after = clock.now_ns(), time.time_ns(), clock.now_ns()
        looks.append((after - before, (before + after) // 2, wall))
    _, ours, wall = min(looks)
    return ours, wall
