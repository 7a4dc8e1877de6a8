"""The stream of joint targets between commands: pure, on made-up time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.bench.calibrated import calibrated
from hardware.bench.follower import Follower
from touchstone.calibration import nominal
from touchstone.policy import Chunk
from touchstone.robots.wx250s import ARM
from touchstone.tasks.emoji.touch import TouchEmoji

MS = 1_000_000
DT_NS = 200 * MS
SPEC = TouchEmoji().plan("val", 0, 0, ARM).model_copy(update={"start": ARM.ready})
TCP = ARM.ready_tcp
OWN = calibrated(ARM, nominal("wx250s"))


def begun() -> Follower:
    follower = Follower(OWN)
    follower.begin(SPEC, 0)
    return follower


def deltas(t0_ns: int, waist: list[float]) -> Chunk:
    """Turns of the first joint, one a tick."""
    actions = np.zeros((len(waist), 6))
    actions[:, 0] = waist
    return Chunk(1, t0_ns, 0.2, "joint_delta", actions, np.ones(len(waist)))


def kinds(follower: Follower) -> list[str]:
    return [event.kind for event in follower.drain_events()]


def test_a_command_begins_a_straight_line_over_one_tick_when_it_arrives():
    follower = begun()
    follower.command(deltas(0, [0.1]), 60 * MS, 0, TCP)
    seen = [follower.stream(at * MS, TCP)[0][0] for at in (60, 110, 160, 260, 300)]
    assert np.allclose(seen, [0.0, 0.025, 0.05, 0.1, 0.1])
    assert np.allclose(follower.setpoint.joints[0], 0.1)


@given(
    waits=st.lists(st.integers(0, 199), min_size=1, max_size=6),
    turns=st.lists(st.floats(-0.2, 0.2), min_size=4, max_size=4),
    execute=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_every_element_of_a_chunk_in_time_is_carried_out_once_and_nothing_jumps(waits, turns, execute):
    follower = begun()
    total, now, last = 0.0, 0, None
    for k, wait in enumerate(waits):
        t0 = k * execute * DT_NS
        arrival = t0 + wait * MS
        while now <= t0 + execute * DT_NS:
            if now >= arrival and arrival >= 0:
                follower.command(deltas(t0, turns[:execute]), now, k, TCP)
                arrival = -1
            joints, _ = follower.stream(now, TCP)
            if last is not None:
                # a line that is cut short by an early command goes on from where it was: at most twice its speed
                assert abs(joints[0] - last) <= 0.2 * 2 * 10 / 200 * 2 + 1e-9
            last = joints[0]
            now += 10 * MS
        total += sum(turns[:execute])
    for at in range(now, now + 6 * DT_NS, 10 * MS):
        joints, _ = follower.stream(at, TCP)
    assert np.allclose(joints[0], total, atol=1e-9)
    assert "action_expired" not in kinds(follower)


def test_a_chunk_that_comes_late_loses_what_is_past():
    follower = begun()
    follower.command(deltas(0, [0.1, 0.2, 0.1]), 300 * MS, 1, TCP)
    for at in range(300, 1200, 10):
        joints, _ = follower.stream(at * MS, TCP)
    assert np.allclose(joints[0], 0.3)
    assert kinds(follower)[0] == "action_expired"


def test_a_hold_is_a_tick_without_a_command_and_not_the_time_a_policy_thinks():
    follower = begun()
    for k, latency in enumerate((20, 190, 20, 150)):
        follower.command(deltas(k * DT_NS, [0.01]), k * DT_NS + latency * MS, k, TCP)
        until = (k + 1) * 200 + (190 if k == 0 else 20 if k == 1 else 150)
        for at in range(k * 200 + latency, until, 10):
            follower.stream(at * MS, TCP)
    assert kinds(follower) == []
    for at in range(950, 1700, 10):
        follower.stream(at * MS, TCP)
    # the last line ended at 950 ms
    assert kinds(follower) == ["hold", "hold", "hold"]


def test_a_refused_chunk_leaves_the_arm_where_it_goes_and_says_why():
    follower = begun()
    follower.command(deltas(0, [0.1]), 0, 0, TCP)
    follower.command(deltas(DT_NS, [np.nan]), DT_NS, 1, TCP)
    assert np.allclose(follower.stream(2 * DT_NS, TCP)[0][0], 0.1)
    assert kinds(follower) == ["action_rejected", "hold"]


def test_the_next_episode_begins_clean():
    follower = begun()
    follower.command(deltas(0, [0.1] * 4), 0, 0, TCP)
    follower.end()
    assert follower.idle
    follower.begin(SPEC, 10 * DT_NS)
    assert np.allclose(follower.stream(11 * DT_NS, TCP)[0], ARM.ready)
    assert kinds(follower) == []
