"""Whatever is asked of the WidowX's driver, no goal outside a limit reaches a motor's register."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("dynamixel_sdk")

from hardware.widowx.driver import SETTINGS
from hardware.widowx.motors import MASTERS, MOTORS
from tests.hardware.faults.in_memory import Bench
from tests.hardware.faults.streams import ask, steps
from tests.hardware.faults.watching import (
    LOST,
    LOWERED,
    assert_clear,
    assert_decisions_inside,
    assert_goals_are_decisions,
)
from touchstone.bench import TABLE_Z
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.safety.settings import MS
from touchstone.safety.states import State

EAGER = replace(SETTINGS, step=3.0, ramp_speed=1.0)
AWAY = np.array(ARM.ready) + np.array([1.2, 0, 0, 0, 0, 0])
CONTROL_TICKS_NS = 2 * 200 * MS


def assert_inside_every_limit(bench: Bench) -> float:
    """Gives the lowest fingertip [m] over the table."""
    goals = bench.goals()
    assert_decisions_inside(bench.watch.cycles, ARM, EAGER)
    assert_goals_are_decisions(goals, bench.watch.cycles, ARM)
    for _, id, ticks in bench.emulated.goals:
        motor = MOTORS[id - 1]
        assert motor.lower <= ticks <= motor.upper, f"{motor.name} was sent to {ticks}"
    return assert_clear(goals, ARM, EAGER, LOWERED["wx250s"]) if len(goals) else np.inf


@settings(deadline=None, max_examples=25)
@given(stream=st.lists(steps(6), min_size=5, max_size=50))
def test_no_goal_outside_a_limit_reaches_a_motor(stream):
    bench = Bench(EAGER)
    bench.arm()
    for kind, at, number, ms in stream:
        ask(bench, ARM, kind, np.array(at), number)
        for _ in range(4):
            bench.tick(ms * MS)
    for _ in range(100):
        bench.tick()
    assert_inside_every_limit(bench)


def test_targets_at_the_table_and_at_the_ends_are_met_without_breaking_a_limit():
    bench = Bench(EAGER)
    bench.arm()
    rng = np.random.default_rng(7)
    for k in range(10):
        low = Pose(np.array([0.3, rng.uniform(-0.1, 0.1), TABLE_Z + 0.0125]), ARM.ready_tcp.quaternion)
        wish = (
            ARM.kinematics.inverse(low, ARM.ready).joints if k % 2 else np.array(ARM.ready) + rng.uniform(-0.5, 0.5, 6)
        )
        for _ in range(120):
            bench.ask(wish)
            bench.tick()
    assert assert_inside_every_limit(bench) < 0.01, "it never came near the table"
    assert len(bench.goals()) > 1000


def moving() -> Bench:
    bench = Bench(EAGER)
    bench.arm()
    for _ in range(30):
        bench.ask(AWAY)
        bench.tick()
    assert bench.loop.decision.velocity[0] > 0.5
    return bench


# how it comes, which states it may lead to, whether an operator must end it
FAULTS = {
    "motor error": (lambda b: b.emulated.motors[6].fail(32), State.STOPPED),
    "motor error in a pair": (lambda b: b.emulated.motors[5].fail(32), State.STOPPED),
    "overheating": (lambda b: _hot(b, 72), State.STOPPED),
    "warm": (lambda b: _hot(b, 62), State.RESTING),
    "silence": (lambda b: b.emulated.silent.add(7), State.STOPPED),
    "drop": (lambda b: _spoil(b, lambda reply: None), State.STOPPED),
    "corrupt": (lambda b: _spoil(b, lambda reply: reply[:-1] + bytes([reply[-1] ^ 0xFF])), State.STOPPED),
    "commander silent": (lambda b: None, State.HOLDING),
}
SEEN_AFTER = {"commander silent": EAGER.stale_hold}


def _hot(bench: Bench, celsius: int) -> None:
    from hardware.dynamixel import registers as reg

    bench.emulated.motors[8].put(reg.PRESENT_TEMPERATURE, celsius)


def _spoil(bench: Bench, how) -> None:
    bench.port.spoil = how


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_makes_a_moving_arm_hold_within_two_control_ticks(fault):
    begin, state = FAULTS[fault]
    bench = moving()
    begin(bench)
    began = bench.time.ns
    for _ in range((SEEN_AFTER.get(fault, 0) + CONTROL_TICKS_NS) // (10 * MS)):
        if fault != "commander silent":
            bench.ask(AWAY)
        bench.tick()
    held = bench.watch.held_ns(began)
    assert bench.gate.state == state and held - began <= SEEN_AFTER.get(fault, 0) + CONTROL_TICKS_NS
    for _ in range(40):
        bench.tick()
    assert not bench.loop.decision.velocity.any()
    assert_inside_every_limit(bench)
    if state != State.STOPPED:
        return
    bench.emulated.silent.clear()
    bench.port.spoil = lambda reply: reply
    stood = bench.goals()[-1]
    for _ in range(200):
        assert bench.ask(AWAY) is not None
        bench.tick()
    assert bench.gate.state == State.STOPPED and (bench.goals()[-1] == stood).all(), "only an operator starts it again"


def test_a_commander_that_stays_silent_leaves_an_arm_that_its_own_motors_hold():
    bench = moving()
    for _ in range(400):
        bench.tick()
    assert bench.gate.state == State.STOPPED and not bench.loop.live
    assert all(motor.tripped and motor.torque for motor in bench.emulated.motors.values())
    assert_inside_every_limit(bench)


def test_the_checks_of_this_file_can_fail():
    bench = moving()
    assert_inside_every_limit(bench)
    goal = MASTERS[0].lower + 100
    bench.emulated.goals.append((bench.emulated.now + 1, 1, goal))
    with pytest.raises(AssertionError, match="nobody decided"):
        assert_inside_every_limit(bench)
    bench = moving()
    bench.watch.cycles[-1].joints[0] += 3 * LOST["wx250s"] + ARM.limits.velocity[0] * 0.05
    with pytest.raises(AssertionError, match="velocity"):
        assert_inside_every_limit(bench)
