"""A flood of a thousand targets a second, good and mad ones, through driver, SDK and wire of each arm: what reaches the
motors is what the gate decided, and all of that is inside every limit."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("dynamixel_sdk")
pytest.importorskip("Robotic_Arm")

from tests.hardware.faults.rigs import ARMS, Rig, rig
from tests.hardware.faults.streams import KINDS, NUMBERS, ask
from tests.hardware.faults.watching import (
    LOWERED,
    Watch,
    assert_clear,
    assert_decisions_inside,
    assert_goals_are_decisions,
)
from touchstone.bench import TABLE_Z
from touchstone.geometry import Pose
from touchstone.safety.readings import Target
from touchstone.safety.settings import MS
from touchstone.safety.states import State

pytestmark = pytest.mark.long

SCALE = 0.25
TARGETS = 3000
FLOOD_HZ = 1000.0


class Flooded:
    """A driver as `streams.ask` wants a bench."""

    def __init__(self, rig: Rig, driver) -> None:
        self.driver, self.gate, self._rig = driver, driver, rig
        self.refused = self.taken = 0

    @property
    def here(self) -> np.ndarray:
        return self.driver.state().joints.position

    def ask(self, joints, age_ns: int = 0, **changes) -> None:
        stamp = self._rig.clock.now_ns() - age_ns
        wanted = Target(np.asarray(joints), **{"stamp_ns": stamp, "expires_ns": stamp + 500 * MS, **changes})
        if self.driver.servo(wanted) is None:
            self.taken += 1
        else:
            self.refused += 1


@pytest.mark.parametrize("name", ARMS)
def test_a_flood_of_targets_moves_no_motor_out_of_a_limit(name):
    rng = np.random.default_rng(11)
    with rig(name, SCALE) as there:
        driver = there.new_driver()
        # the first target of every source ramps: without that, and with room for jumps, more gets through
        driver._gate.settings = eager = replace(driver._gate.settings, step=3.0, ramp_speed=1.0, reading_age=2000 * MS)
        driver.connect()
        driver.rearm("a test")
        watch, flooded = Watch(driver._gate), Flooded(there, driver)
        low = _low(there)
        for k in range(TARGETS):
            _one(there, flooded, rng, low[k // 300 % len(low)])
            time.sleep(there.clock.real(1 / FLOOD_HZ))
            if driver.state().gate == State.STOPPED:
                driver.rearm("a test")
        driver.close()
        _, goals = there.goals()
    cycles = watch.cycles
    assert flooded.taken > TARGETS / 4 and flooded.refused > TARGETS / 20
    assert len(goals) > 200
    assert_decisions_inside(cycles, there.arm, eager)
    assert_goals_are_decisions(goals[2:], cycles, there.arm)
    assert assert_clear(goals, there.arm, eager, LOWERED[name]) < 0.05, "it never came near the table"


def _one(there: Rig, flooded: Flooded, rng: np.random.Generator, low: np.ndarray) -> None:
    if rng.random() < 0.7:  # enough of one wish, or nothing would move far
        flooded.ask(low)
    else:
        kind, number = rng.choice(KINDS), rng.choice(NUMBERS) if rng.random() < 0.5 else rng.uniform(-1.2, 1.2)
        ask(flooded, there.arm, kind, rng.uniform(-1, 1, len(there.arm.joint_names)), number)


def _low(there: Rig) -> list[np.ndarray]:
    """Places on the table and high over it, in turn."""
    found = []
    for height, y in ((0.0125, 0.1), (0.25, 0.0), (0.0125, -0.1), (0.15, 0.2)):
        pose = Pose(np.array([0.3, y, TABLE_Z + height]), there.arm.ready_tcp.quaternion)
        found.append(there.arm.kinematics.inverse(pose, there.arm.ready).joints)
    return found
