"""A slowed world: driver and emulator on one clock that goes at half the speed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from hardware.emulators.realman.control import EmulatedController
from hardware.realman.driver import Realman
from tests.hardware.realman.conftest import PATIENT, TURNED, UDP_PORT, needs_sdk, spec_of, until
from touchstone.clock import Clock
from touchstone.safety.readings import Target

pytestmark = needs_sdk
SLOW = Clock(0.5)


@pytest.fixture
def slow():
    with EmulatedController(time_scale=SLOW.scale, udp_port=UDP_PORT) as emulated:
        arm = Realman(spec_of(emulated), PATIENT, clock=SLOW)
        arm.connect()
        yield arm, emulated
        arm.close()


def test_stamps_rates_and_motion_are_those_of_the_slowed_clock(slow):
    arm, emulated = slow
    assert abs(SLOW.now_ns() - arm.state().stamp_ns) < 3_000_000_000 < abs(time.monotonic_ns() - arm.state().stamp_ns)
    arm.rearm("test")
    now = SLOW.now_ns()
    assert arm.servo(Target(TURNED, now, now + 5_000_000_000)) is None
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.001))
    goals = emulated.ask("goals")["goals"]
    q, stamps = np.array([joints for _, joints in goals]), np.array([at for at, _ in goals])
    # on a busy machine some come late; in real time the median would be half of this
    assert np.median(np.diff(stamps)) == pytest.approx(0.010, abs=0.002)
    assert np.abs(np.diff(q, axis=0)).max() < 3.15 * 0.05
