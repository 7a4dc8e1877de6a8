"""What of the bridge needs neither a graph nor an arm."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
from robot_bridge.interbotix.driver import Interbotix
from robot_bridge.interbotix.sensing import NAMES, Senses
from robot_bridge.interbotix.spec import InterbotixSpec
from robot_bridge.interbotix.stamping import Stamping
from robot_bridge.interbotix.units import commanded_angle, effort_units, position_ticks, register_value, velocity_units
from sensor_msgs.msg import JointState

from hardware.dynamixel import registers as reg
from hardware.dynamixel.units import radians
from hardware.widowx.motors import MOTORS
from touchstone.clock import Clock
from touchstone.errors import MissingPart, UsageError

MS = 1_000_000
FINGERS = ["left_finger", "right_finger"]


def test_without_interbotix_messages_one_sentence_says_where_to_start(monkeypatch):
    monkeypatch.setitem(sys.modules, "interbotix_xs_msgs", None)
    with pytest.raises(MissingPart) as caught:
        Interbotix(InterbotixSpec())
    text = str(caught.value)
    assert "interbotix_xs_msgs" in text and "\n" not in text and text.endswith(".")


def test_a_slowed_clock_is_refused():
    with pytest.raises(UsageError, match="real time"):
        Interbotix(InterbotixSpec(), clock=Clock(0.5))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "/wx250s"},
        {"name": "a b"},
        {"rate_hz": 0},
        {"rate_hz": float("nan")},
        {"watchdog_ms": 40},
    ],
)
def test_a_wrong_spec_is_refused(wrong):
    with pytest.raises(UsageError):
        InterbotixSpec(**wrong)


def test_every_tick_arrives_as_itself_whether_the_other_side_cuts_off_or_rounds():
    for ticks in range(4096):
        angle = np.float32(commanded_angle(ticks))  # as the message carries it
        told = angle * np.float32(2048 / np.pi) + np.float32(2048)
        assert int(told) == round(float(told)) == ticks


@given(st.integers(0, 4095), st.integers(-1023, 1023), st.integers(-1193, 1193))
def test_registers_are_found_again_behind_what_joint_states_say(position, speed, current):
    assert position_ticks(float(np.float32((position - 2048) * np.pi / 2048))) == position
    assert velocity_units(float(np.float32(speed * 0.229 * 0.104719755))) == speed
    assert effort_units(float(np.float32(current * 2.69))) == current


def test_a_tripped_watchdog_is_told_without_its_sign():
    assert register_value(reg.BUS_WATCHDOG, 255) == -1
    assert register_value(reg.BUS_WATCHDOG, 20) == 20
    assert register_value(reg.PRESENT_POSITION, -5) == -5
    assert register_value(reg.TORQUE_ENABLE, 1) == 1


# stamps


@given(st.integers(-(10**18), 10**18), st.lists(st.integers(0, 50), min_size=2, max_size=60))
def test_however_far_the_clocks_are_apart_a_late_message_is_as_much_older(apart, lates):
    stamping = Stamping()
    for k, late in enumerate([0, *lates]):
        taken = 10**12 + k * 100 * MS
        assert stamping.stamp_ns(taken + apart, taken + late * MS) == taken


def test_a_sender_that_repeats_itself_grows_old():
    stamping = Stamping()
    stamps = [stamping.stamp_ns(7, 10**12 + k * 10 * MS) for k in range(100)]
    assert set(stamps) == {10**12}


def test_a_sender_whose_clock_runs_slow_stays_fresh():
    stamping = Stamping()
    for k in range(20_000):
        arrived = 10**12 + k * 10 * MS
        stamp = stamping.stamp_ns(arrived - int(k * 10 * MS * 1e-4), arrived)  # 100 ppm
        assert arrived - stamp < 2 * MS


def test_a_sender_whose_clock_was_set_back_is_believed_again_after_two_windows():
    stamping, ages = Stamping(), []
    for k in range(2000):
        arrived = 10**12 + k * 10 * MS
        header = arrived - (3600 * 1000 * MS if k >= 500 else 0)
        ages.append(arrived - stamping.stamp_ns(header, arrived))
    assert max(ages[:500]) == 0 and min(ages[500:900]) == 3600 * 1000 * MS and max(ages[1600:]) == 0


# joint_states


def states(positions, **changes) -> JointState:
    message = JointState(name=[*NAMES, *FINGERS], position=[*map(float, positions), 0.02, -0.02])
    message.velocity, message.effort = [0.0] * 9, [26.9] * 9
    message.header.stamp = Time(sec=5)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def test_joints_come_in_the_arms_order_whatever_order_they_are_told_in():
    senses, angles = Senses(), np.linspace(-0.6, 0.6, 7)
    message = states(angles)
    order = [8, 3, 1, 0, 2, 7, 6, 5, 4]
    for field in ("name", "position", "velocity", "effort"):
        values = list(getattr(message, field))
        setattr(message, field, [values[k] for k in order])
    assert senses.take(message, 10**12)
    assert np.allclose(senses.joints().position, angles[:6], atol=0.001)
    assert senses.stamp_ns == 10**12
    assert senses.values[3] == senses.values[2], "a shadow counts as its master"


@pytest.mark.parametrize(
    "changes",
    [
        {"position": [-float(np.float32(np.pi))] * 7 + [0.02, -0.02]},
        {"position": [float("nan")] * 9},
        {"name": ["a"] * 9},
        {"effort": []},
        {"position": [0.0] * 3},
    ],
)
def test_a_message_that_tells_nothing_is_counted_and_changes_nothing(changes):
    senses = Senses()
    assert senses.take(states([0.1] * 7), 10**12)
    before = senses.joints().position
    assert not senses.take(states([0.2] * 7, **changes), 10**12 + 10 * MS)
    assert (senses.joints().position == before).all() and senses.stamp_ns == 10**12 and senses.unreadable == 1


def test_zero_ticks_of_one_joint_alone_are_believed():
    senses = Senses()
    assert senses.take(states([-np.pi, *[0.0] * 6]), 10**12)
    assert senses.joints().position[0] == pytest.approx(radians(0))


def test_a_motor_that_does_not_answer_is_missing_until_it_does():
    senses, motor = Senses(), MOTORS[5]
    senses.note(motor, reg.HARDWARE_ERROR, None)
    assert senses.missing == (motor.name,)
    senses.note(motor, reg.HARDWARE_ERROR, 4)
    assert senses.missing == () and senses.of(reg.HARDWARE_ERROR, motor.id) == 4
