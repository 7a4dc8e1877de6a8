"""Random streams of targets: near and far ones, jumps, numbers that are none, wrong frames, stale stamps, floods."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from touchstone.robots.base import Arm
from touchstone.safety.settings import MS

KINDS = ("near", "far", "down", "wild", "late", "future", "frame", "shape", "flood", "hold", "none")
NUMBERS = (float("nan"), float("inf"), -1e300, 0.0)
FLOOD = 20  # targets between two cycles; 1 kHz is ten


def steps(joints: int):
    """(kind, fractions, number, ms until the next cycle)."""
    fractions = st.lists(st.floats(-1, 1), min_size=joints, max_size=joints)
    numbers = st.one_of(st.floats(-1.2, 1.2), st.sampled_from(NUMBERS))
    return st.tuples(st.sampled_from(KINDS), fractions, numbers, st.sampled_from([5, 9, 10, 11, 14, 70]))


def ask(bench, arm: Arm, kind: str, at: np.ndarray, number: float) -> None:
    """bench: has `ask`, `here` and `gate`. at: float64[n] of -1..1."""
    here = bench.here
    far = arm.limits.lower + (at + 1) / 2 * (arm.limits.upper - arm.limits.lower)
    if kind == "near":
        bench.ask(here + 0.3 * at)
    elif kind == "far":
        bench.ask(far)
    elif kind == "down":  # shoulder and elbow bend forward
        down = here.copy()
        down[[1, len(here) // 2]] += abs(at[1]) / 2, at[2] / 2
        bench.ask(down)
    elif kind == "wild":
        bench.ask(np.where(at > 0, number, far), opening=number)
    elif kind == "late":
        bench.ask(far, age_ns=10_000 * MS)
    elif kind == "future":
        bench.ask(far, age_ns=-10_000 * MS)
    elif kind == "frame":
        bench.ask(far, frame="camera")
    elif kind == "shape":
        bench.ask(far[:-1])
    elif kind == "flood":
        for k in range(FLOOD):
            bench.ask(far if k % 2 else here, age_ns=FLOOD - k)
    elif kind == "hold":
        bench.gate.hold()
