"""Driver and emulated bus on one slowed clock: everything takes longer, and every limit counts in emulated seconds."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("dynamixel_sdk")

from hardware.emulators.dynamixel.control import EmulatedBus
from hardware.widowx.driver import WidowX
from hardware.widowx.spec import WidowXSpec
from touchstone.clock import Clock
from touchstone.robots.wx250s import ARM
from touchstone.safety.readings import Target
from touchstone.safety.settings import MS, GateSettings

# real-time processes, as in test_widowx.py
pytestmark = pytest.mark.long

CLOCK = Clock(0.25)
PATIENT = GateSettings(stale_stop=60_000 * MS, stale_hold=30_000 * MS, reading_age=2000 * MS)


@pytest.fixture
def emulated():
    with EmulatedBus("ready", CLOCK.scale) as bus:
        yield bus


def test_an_arm_moves_as_far_in_emulated_seconds_as_its_limits_say(emulated):
    arm = WidowX(WidowXSpec(emulated.port, watchdog_ms=2000), PATIENT, clock=CLOCK)
    arm.connect()
    arm.rearm("test")
    goal = np.array(ARM.ready) + np.array([0.5, 0, 0, 0, 0, 0])
    began = time.monotonic()
    while abs(arm.state().joints.position[0] - 0.5) > 0.003:
        now = CLOCK.now_ns()
        assert arm.servo(Target(goal, now, now + 1_000_000_000)) is None
        time.sleep(0.02)
    took = time.monotonic() - began
    state = arm.state()
    arm.close()
    # from rest at a quarter of 1.5 rad/s, braking aside: no clock lets it arrive earlier
    speed, acceleration = 0.25 * ARM.limits.velocity[0], ARM.limits.acceleration[0]
    assert took * CLOCK.scale >= (0.497 / speed + speed / acceleration / 2) * 0.99
    assert state.rate_hz < 110, "a slowed loop runs at its rate in emulated seconds"
    goals = [goal for goal in emulated.ask("goals")["goals"] if goal[1] == 1]
    assert goals[-1][0] - goals[0][0] <= took * CLOCK.scale + 1.0, "the bus counts emulated seconds"


def test_a_watchdog_counts_emulated_seconds(emulated):
    arm = WidowX(WidowXSpec(emulated.port, watchdog_ms=1000), PATIENT, clock=CLOCK)
    arm.connect()
    arm.rearm("test")
    arm.close()
    closed = time.monotonic()
    while not all(motor["tripped"] for motor in emulated.motors().values()):
        assert time.monotonic() - closed < 60
        time.sleep(0.02)
    assert (time.monotonic() - closed) * CLOCK.scale > 0.9
