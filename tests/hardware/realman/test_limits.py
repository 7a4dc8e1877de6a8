"""Whatever is asked of the driver, no setpoint outside a limit reaches the controller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.realman.driver import SETTINGS
from tests.hardware.realman.in_process import Bench
from touchstone.bench import TABLE_Z
from touchstone.geometry import Pose
from touchstone.robots.rm75 import ARM
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.settings import MS

EAGER = replace(SETTINGS, step=3.0, ramp_speed=1.0)
HEIGHTS = LinkHeights(ARM)
CUT = np.radians(0.001) * 1.01  # of a setpoint on the wire, and float32
NAN = float("nan")

numbers = st.one_of(st.floats(-1.2, 1.2), st.sampled_from([NAN, float("inf"), -1e300, 0.0]))
kinds = st.sampled_from(["near", "far", "down", "wild", "late", "future", "frame", "shape", "flood", "hold", "none"])
steps = st.tuples(
    kinds, st.lists(st.floats(-1, 1), min_size=7, max_size=7), numbers, st.sampled_from([5, 9, 10, 11, 14, 70])
)


def ask(bench: Bench, kind: str, at: np.ndarray, number: float) -> None:
    here = bench.senses.newest.positions
    far = ARM.limits.lower + (at + 1) / 2 * (ARM.limits.upper - ARM.limits.lower)
    if kind == "near":
        bench.ask(here + 0.3 * at)
    elif kind == "far":
        bench.ask(far)
    elif kind == "down":
        bench.ask(here + np.array([0, abs(at[1]), 0, at[3], 0, 0, 0]) / 2)
    elif kind == "wild":
        bench.ask(np.where(at > 0, number, far), opening=number)
    elif kind == "late":
        bench.ask(far, age_ns=10_000 * MS)
    elif kind == "future":
        bench.ask(far, age_ns=-10_000 * MS)
    elif kind == "frame":
        bench.ask(far, frame="camera")
    elif kind == "shape":
        bench.ask(far[:6])
    elif kind == "flood":
        for k in range(20):
            bench.ask(far if k % 2 else here, age_ns=20 - k)
    elif kind == "hold":
        bench.gate.hold()


def assert_inside_every_limit(bench: Bench, refusals: bool = False) -> None:
    """refusals: the controller is in error and takes nothing, whatever it is sent."""
    stamps = np.array([ns for ns, _ in bench.ticks], dtype=np.float64)
    q, limits = np.array([joints for _, joints in bench.ticks]), ARM.limits
    assert refusals or (bench.emulated.refused == 0 and bench.emulated.healthy)
    if len(q) < 3:
        return
    assert np.isfinite(q).all() and (q >= limits.lower - CUT).all() and (q <= limits.upper + CUT).all()
    # a cycle that came late moves as far as the longest one may
    dt = np.minimum(np.diff(stamps), SETTINGS.longest_tick)[:, None] / 1e9
    speed = np.diff(q, axis=0) / dt
    assert (np.abs(speed) <= limits.velocity + 2 * CUT / dt).all()
    middle = (dt[1:] + dt[:-1]) / 2
    slack = 2 * CUT / dt[1:] + 2 * CUT / dt[:-1]
    assert (np.abs(np.diff(speed, axis=0)) <= limits.acceleration * middle + slack).all()
    for joints in q[::3]:
        found = HEIGHTS.at(joints)
        assert found.links >= SETTINGS.link_clearance - 1e-4 and found.tips >= 0.001


@settings(deadline=None, max_examples=25)
@given(stream=st.lists(steps, min_size=5, max_size=50))
def test_no_setpoint_outside_a_limit_reaches_the_controller(stream):
    bench = Bench(EAGER)
    bench.arm()
    for kind, at, number, ms in stream:
        ask(bench, kind, np.array(at), number)
        for _ in range(4):
            bench.tick(ms * MS)
    for _ in range(100):
        bench.tick()
    assert_inside_every_limit(bench)


def test_targets_at_the_table_and_at_the_ends_are_met_without_breaking_a_limit():
    bench = Bench(EAGER)
    bench.arm()
    rng = np.random.default_rng(7)
    lowest = np.inf
    for k in range(20):
        low = Pose(np.array([0.3, rng.uniform(-0.1, 0.1), TABLE_Z + 0.0125]), ARM.ready_tcp.quaternion)
        wish = ARM.kinematics.inverse(low, ARM.ready).joints if k % 2 else np.array(ARM.ready) + rng.uniform(-1, 1, 7)
        for _ in range(60):
            bench.ask(wish)
            bench.tick()
        lowest = min(lowest, HEIGHTS.at(bench.senses.newest.positions).tips)
    assert_inside_every_limit(bench)
    assert lowest < 0.01, "it never came near the table"
    assert len(bench.ticks) > 1000


def test_the_checks_of_this_file_can_fail():
    bench = Bench(EAGER)
    bench.arm()
    for _ in range(30):
        bench.ask(np.array(ARM.ready) + 0.1)
        bench.tick()
    assert_inside_every_limit(bench)
    bench.ticks[15][1][0] += 0.05
    with pytest.raises(AssertionError):
        assert_inside_every_limit(bench)
