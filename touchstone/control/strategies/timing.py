"""Which element of a chunk belongs to a moment, and what of a chunk is left."""

from __future__ import annotations

from dataclasses import replace

from touchstone.control.executor import SLACK_NS
from touchstone.policy import Chunk


def element_at(chunk: Chunk, now_ns: int) -> int:
    """The element whose own time, t0 + k dt to t0 + (k + 1) dt, holds `now_ns`; may lie beyond the chunk's end.

    A stamp that is early by jitter counts as due: by the executor's slack, at most by half a tick.
    """
    dt_ns = step_ns(chunk)
    return max(0, (now_ns + min(SLACK_NS, dt_ns // 2) - chunk.t0_ns) // dt_ns)


def from_now_on(chunk: Chunk, now_ns: int) -> Chunk | None:
    """The chunk without the elements whose time is over; None when nothing of it is left.

    The last element may still begin in the executor's window, up to dt + slack after it was due: without that, a policy
    of single actions could not stand any latency.
    """
    first = element_at(chunk, now_ns)
    last = chunk.length - 1
    if first > last:
        if now_ns > chunk.t0_ns + (last + 1) * step_ns(chunk) + SLACK_NS:
            return None
        first = last
    return tail(chunk, first)


def tail(chunk: Chunk, first: int) -> Chunk:
    """The chunk from element `first` on, each element due when it was; itself when that is all of it."""
    if first == 0:
        return chunk
    return replace(
        chunk,
        t0_ns=chunk.t0_ns + first * step_ns(chunk),
        actions=chunk.actions[first:],
        gripper=chunk.gripper[first:],
    )


def busy_until(handed: Chunk, now_ns: int) -> int:
    """When the last element of a chunk that is commanded at `now_ns` has been carried out."""
    return max(handed.t0_ns, now_ns) + handed.length * step_ns(handed)


def step_ns(chunk: Chunk) -> int:
    """Time between two elements."""
    return round(chunk.dt * 1e9)
