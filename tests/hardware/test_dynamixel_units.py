"""Ticks, radians and the gripper's linkage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.dynamixel.registers import ALL
from hardware.dynamixel.units import finger_distance, gripper_angle, radians, ticks, ticks_inside
from hardware.widowx.motors import MASTERS, MOTORS, SHADOWS
from touchstone.robots.wx250s import ARM


@pytest.mark.parametrize(("angle", "finger"), [(-0.5, 0.0139), (0, 0.01949), (0.5, 0.02733), (1.0, 0.03456)])
def test_the_linkage_is_the_published_one(angle, finger):
    assert finger_distance(angle) == pytest.approx(finger, abs=6e-6)


@given(st.floats(-0.45, 1.4))
def test_the_linkage_inverts(angle):
    assert gripper_angle(finger_distance(angle)) == pytest.approx(angle, abs=1e-6)


def test_a_distance_that_the_linkage_cannot_reach_is_refused():
    for finger in (0.0, -0.01, 0.05):
        with pytest.raises(ValueError, match="linkage"):
            gripper_angle(finger)


def test_the_gripper_of_the_arm_is_within_the_linkage():
    assert gripper_angle(ARM.gripper.closed) < gripper_angle(ARM.gripper.open) < 1.5


@given(st.integers(0, 4095))
def test_ticks_and_radians_invert(tick):
    assert ticks(radians(tick)) == tick


def test_rounding_stays_inside_the_motors_limits_and_more_is_an_error():
    for motor, lower, upper in zip(MASTERS, ARM.limits.lower, ARM.limits.upper, strict=True):
        assert motor.lower <= ticks_inside(lower, motor.lower, motor.upper) <= motor.upper
        assert motor.lower <= ticks_inside(upper, motor.lower, motor.upper) <= motor.upper
    with pytest.raises(ValueError, match="outside"):
        ticks_inside(1.7, 648, 3094)


def test_every_shadow_obeys_the_master_of_its_joint():
    for shadow in SHADOWS:
        master = next(m for m in MOTORS if m.id == shadow.secondary)
        assert master.joint == shadow.joint and not master.is_shadow and master.reverse != shadow.reverse


def test_no_two_registers_overlap():
    taken = [address for register in ALL for address in range(register.address, register.address + register.size)]
    assert len(taken) == len(set(taken))
