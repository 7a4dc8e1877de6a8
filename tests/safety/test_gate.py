"""What the gate does in each situation, one at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.safety.driving import TICK, Driven
from touchstone.bench import TABLE_Z
from touchstone.geometry import Pose
from touchstone.robots.base import arm
from touchstone.safety.gate import RearmRefused
from touchstone.safety.readings import MotorReading, Target
from touchstone.safety.settings import MS, GateSettings
from touchstone.safety.states import State

ARM = arm("wx250s")
READY = np.array(ARM.ready)
NEAR = READY + np.array([0.1, 0, 0, 0, 0, 0])


def with_tips_at(height: float) -> np.ndarray:
    """Joints with the gripper straight down and the fingertips `height` [m] over the table."""
    tcp = Pose(np.array([0.3, 0.0, TABLE_Z + height + 0.010]), ARM.ready_tcp.quaternion)
    return ARM.kinematics.inverse(tcp, READY).joints


@pytest.fixture
def driven():
    return Driven(ARM).armed()


def motors(driven, index, **changes):
    changed = replace(driven.reading.motors[index], **changes)
    return (*driven.reading.motors[:index], changed, *driven.reading.motors[index + 1 :])


def test_nothing_is_commanded_before_the_first_arming():
    driven = Driven(ARM)
    assert driven.ask(NEAR).code == "not_armed"
    decision = driven.gate.step(driven.now, driven.reading)
    assert decision.joints is None and decision.state == State.STOPPED


def test_it_goes_to_a_target_and_stays(driven):
    assert np.allclose(driven.run(3.0, NEAR).joints, NEAR, atol=1e-6)
    assert driven.gate.state == State.TRACKING


def test_the_first_target_is_approached_at_ramp_speed_and_the_next_is_not(driven):
    far = READY + np.array([1.0, 0, 0, 0, 0, 0])
    driven.run(6.0, far)
    ramp = max(abs(d.velocity[0]) for d in driven.decisions)
    assert ramp == pytest.approx(0.25 * ARM.limits.velocity[0], abs=1e-6)
    for k in range(400):
        driven.ask(far - np.array([min(0.012 * k, 1.0), 0, 0, 0, 0, 0]))
        driven.tick()
    assert max(abs(d.velocity[0]) for d in driven.decisions) > 2 * ramp


def test_another_source_begins_slowly(driven):
    driven.run(2.0, NEAR)
    assert driven.gate.state == State.TRACKING
    driven.run(0.05, READY, source="operator")
    assert driven.gate.state == State.RAMPING and "hand_over" in driven.codes()


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("late", {"expires_ns": 0}),
        ("out_of_order", {"stamp_ns": 5}),
        ("future", {"stamp_ns": 10**18, "expires_ns": 2 * 10**18}),
        ("bad_target", {"frame": "camera"}),
        ("bad_target", {"joints": np.full(6, np.nan)}),
        ("bad_target", {"joints": np.zeros(5)}),
        ("bad_target", {"joints": np.zeros((6, 1))}),
        ("bad_target", {"joints": np.array(["a"] * 6)}),
        ("bad_target", {"opening": 1.5}),
        ("bad_target", {"force": -1.0}),
        ("bad_target", {"stamp_ns": float("nan")}),
        ("gripper_force", {"force": 50.0}),
        ("position", {"joints": READY + 3.0}),
        ("step", {"joints": READY + np.array([1.5, 0, 0, 0, 0, 0])}),
        ("workspace", {"joints": np.array([0, 1.2, 0, 0, 1.2, 0])}),
        ("clearance", {"joints": with_tips_at(-0.005)}),
    ],
)
def test_a_wrong_target_is_refused_with_its_code_and_told_once(code, changes):
    driven = Driven(ARM, GateSettings(step=1.4)).armed()
    driven.run(2.0, READY)
    refused = driven.ask(changes.pop("joints", NEAR), **changes)
    assert refused is not None and refused.code == code and refused.detail.endswith(".")
    told = driven.tick().interventions
    assert [each.code for each in told] == [code]
    assert driven.tick().interventions == ()
    assert np.allclose(driven.run(0.3).joints, READY, atol=1e-6)


def test_a_silent_commander_means_hold_then_a_latched_stop(driven):
    driven.run(2.0, NEAR)
    driven.run(0.45)
    assert driven.gate.state == State.HOLDING and "stale_hold" in driven.codes()
    driven.ask(NEAR)
    assert driven.gate.state == State.TRACKING
    driven.run(2.2)
    assert driven.gate.state == State.STOPPED and "stale_stop" in driven.codes()
    assert driven.ask(NEAR).code == "not_armed"


def test_holding_on_purpose_does_not_become_stale(driven):
    driven.run(1.0, NEAR)
    driven.gate.hold()
    assert driven.run(5.0).state == State.HOLDING


def test_a_stop_brakes_holds_with_a_setpoint_and_needs_a_rearm(driven):
    driven.run(0.3, READY + 0.2)
    assert np.abs(driven.decisions[-1].velocity).max() > 0.1
    driven.gate.stop(driven.now, "the operator said so")
    before = driven.decisions[-1]
    after = driven.tick()
    assert np.abs(after.velocity).max() < np.abs(before.velocity).max() and np.abs(after.velocity).max() > 0
    standing = driven.run(2.0, READY)
    assert not standing.velocity.any() and standing.joints is not None and standing.state == State.STOPPED
    with pytest.raises(RearmRefused, match="operator"):
        driven.gate.rearm(driven.now, driven.reading, " ")
    driven.gate.rearm(driven.now, driven.reading, "test")
    assert driven.run(0.1).joints == pytest.approx(standing.joints)  # re-arming alone moves nothing


def test_a_fault_of_one_motor_of_a_pair_stops_the_arm_and_condemns_both(driven):
    driven.run(1.0, NEAR)
    pair = (*driven.reading.motors, MotorReading("shoulder_shadow", "shoulder", 30.0, errors=0x20))
    decision = driven.tick(motors=pair)
    assert decision.state == State.STOPPED and decision.faulted_joints == {"shoulder"}
    with pytest.raises(RearmRefused, match="shoulder_shadow"):
        driven.run(1.0)
        driven.gate.rearm(driven.now, driven.reading, "test")


def test_a_missing_motor_stops_it(driven):
    assert driven.tick(missing=("elbow",)).state == State.STOPPED


def test_a_warm_motor_rests_until_it_is_cool_and_a_hot_one_stops(driven):
    driven.run(2.0, NEAR)
    driven.tick(motors=motors(driven, 2, temperature=61.0))
    assert driven.gate.state == State.RESTING and driven.ask(READY).code == "resting"
    driven.run(10.0)
    assert driven.gate.state == State.RESTING
    driven.tick(motors=motors(driven, 2, temperature=49.0))
    assert driven.gate.state == State.HOLDING
    driven.run(5.0)
    driven.ask(READY)
    assert driven.gate.state == State.RAMPING
    driven.tick(motors=motors(driven, 2, temperature=71.0))
    assert driven.gate.state == State.STOPPED and {"hot", "overheated"} <= driven.codes()


def test_a_held_overload_rests_and_a_short_one_does_not(driven):
    driven.run(2.0, NEAR)
    load = np.array([0, 18.0, 0, 0, 0, 0])
    driven.tick(effort=load)
    driven.tick(effort=np.zeros(6))
    driven.run(2.0, NEAR)
    assert driven.gate.state == State.TRACKING
    driven.tick(effort=load)
    driven.run(1.1, NEAR)
    assert driven.gate.state == State.RESTING and "overload" in driven.codes()


def test_fingertips_that_press_may_only_go_up():
    driven = Driven(ARM, joints=with_tips_at(0.010)).armed()
    assert driven.ask(with_tips_at(0.008)) is None
    driven.tick(effort=np.array([0, -10.0, -6.0, 0, 0, 0]))
    assert "tip_force" in driven.codes() and driven.gate.state == State.HOLDING
    assert driven.ask(with_tips_at(0.005)).code == "tip_force"
    driven.tick()
    assert driven.ask(with_tips_at(0.030)) is None
    driven.run(3.0, with_tips_at(0.030))
    driven.tick(effort=np.zeros(6))
    assert driven.ask(with_tips_at(0.010)) is None


def test_fingertips_that_only_carry_the_arms_weight_may_go_down():
    driven = Driven(ARM, joints=with_tips_at(0.010)).armed()
    pushed = driven.gate._guard.heights.tip_force(driven.reading.joints, np.zeros(6))
    assert pushed > 2  # without a motor's effort, something else must be holding the arm
    driven.run(2.0, with_tips_at(0.005))
    assert "tip_force" not in driven.codes()


def test_hands_in_the_bench_inhibit_motion_and_the_next_one_is_slow(driven):
    driven.run(2.0, NEAR)
    driven.ask(READY)
    driven.run(0.1)
    driven.gate.inhibit(driven.now, True)
    assert driven.ask(READY).code == "inhibited"
    assert not driven.run(1.0).velocity.any()
    driven.gate.stop(driven.now, "test")
    with pytest.raises(RearmRefused, match="hands"):
        driven.gate.rearm(driven.now, driven.reading, "test")
    driven.gate.inhibit(driven.now, False)
    driven.gate.rearm(driven.now, driven.reading, "test")
    driven.gate.inhibit(driven.now, True)
    driven.gate.inhibit(driven.now, False)
    driven.run(3.0)
    assert driven.gate.state == State.HOLDING
    assert driven.ask(READY) is None and driven.gate.state == State.RAMPING


def test_without_a_fresh_reading_it_stops(driven):
    driven.run(1.0, NEAR)
    driven.now += TICK
    assert driven.gate.step(driven.now, None).state == State.STOPPED
    assert "no_reading" in driven.codes()


def test_a_reading_that_makes_no_sense_stops_it(driven):
    assert driven.tick(joints=np.full(6, np.nan)).state == State.STOPPED
    assert "bad_reading" in driven.codes()


def test_an_arm_that_does_not_follow_stops(driven):
    stuck = driven.reading.joints
    for _ in range(300):
        driven.ask(READY + 0.4 * np.eye(6)[0])
        driven.tick(joints=stuck)
    assert driven.gate.state == State.STOPPED and "tracking" in driven.codes()


def test_a_late_caller_gets_one_long_tick_and_is_told(driven):
    driven.run(1.0, READY + 0.3 * np.eye(6)[0])
    before = driven.decisions[-1].joints[0]
    driven.ask(READY + 0.3 * np.eye(6)[0])
    decision = driven.tick(350 * MS)
    assert decision.joints[0] - before <= ARM.limits.velocity[0] * 0.05 + 1e-9
    assert "missed_tick" in driven.codes()


@pytest.mark.parametrize(
    ("joints", "why"),
    [(READY + 3.0, "outside"), (with_tips_at(-0.005), "over the table")],
)
def test_an_arm_that_is_where_it_may_not_be_is_not_armed(joints, why):
    driven = Driven(ARM, joints=joints)
    with pytest.raises(RearmRefused, match=why):
        driven.gate.rearm(driven.now, driven.reading, "test")


def test_a_moving_or_hot_arm_is_not_armed():
    driven = Driven(ARM)
    with pytest.raises(RearmRefused, match="moving"):
        driven.gate.rearm(driven.now, replace(driven.reading, velocity=np.full(6, 0.5)), "test")
    with pytest.raises(RearmRefused, match="warmer"):
        warm = motors(driven, 0, temperature=55.0)
        driven.gate.rearm(driven.now, replace(driven.reading, motors=warm), "test")


def test_a_flood_is_counted_and_told_once_a_tick(driven):
    for _ in range(1000):
        driven.gate.command(Target(np.full(6, np.nan), driven.now + 1, driven.now + 10**9), driven.now)
        driven.gate.command(Target(np.full(6, np.nan), 1, driven.now + 10**9), driven.now)
    assert driven.gate.counts["out_of_order"] >= 1000
    assert [each.code for each in driven.tick().interventions] == ["bad_target", "out_of_order"]


def test_settings_that_cannot_be_meant_are_refused():
    from touchstone.errors import UsageError
    from touchstone.safety.settings import Box

    for wrong in (
        {"speed": 0.0},
        {"speed": 1.5},
        {"tip_force": float("nan")},
        {"box": Box((0, 0, 0), (0, 1, 1))},
        {"rest_temperature": 90.0},
        {"stale_hold": 3000 * MS},
        {"tip_clearance": 0.05},
    ):
        with pytest.raises(UsageError):
            GateSettings(**wrong)
