"""The bridge through real topics and services against a stand-in for the xs_sdk, over the emulated bus."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import rclpy
from robot_bridge.interbotix.driver import Interbotix
from robot_bridge.interbotix.spec import InterbotixSpec

from hardware.arm import TORQUE_OFF
from hardware.dynamixel.units import CENTRE, RADIANS
from hardware.widowx.driver import SETTINGS
from hardware.widowx.motors import MASTERS
from tests.ros.interbotix.conftest import NAME, PATIENT
from touchstone.bench import TABLE_Z
from touchstone.errors import TouchstoneError, UsageError, WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.readings import Target
from touchstone.safety.settings import MS

# three real-time processes and this one, and messages that take half a minute to build the first time
pytestmark = pytest.mark.long

STANDIN = "tests.ros.interbotix.standin"
READY = np.array(ARM.ready)
TURNED = READY + np.array([0.4, 0, 0, 0, 0, 0])


def until(condition, seconds: float = 30.0) -> bool:
    """Waits for something to become true; the time is only there to end a broken test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def target(joints, **changes) -> Target:
    now = time.monotonic_ns()
    return Target(np.array(joints), now, now + 1_000_000_000, **changes)


def torques(bus) -> set[int]:
    return {motor["torque"] for motor in bus.motors().values()}


def gate_of(arm) -> str:
    try:
        return arm.state().gate.value
    except WorldFailure:
        return "gone"


def message_of(spec: InterbotixSpec) -> str:
    arm = Interbotix(spec)
    with pytest.raises(TouchstoneError) as caught:
        arm.connect()
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


@contextmanager
def another_commander() -> Iterator[rclpy.publisher.Publisher]:
    """A node such as Interbotix's Python interface makes one."""
    from interbotix_xs_msgs.msg import JointGroupCommand

    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node("joystick", context=context)
    try:
        yield node.create_publisher(JointGroupCommand, f"/{NAME}/commands/joint_group", 10)
    finally:
        node.destroy_node()
        context.try_shutdown()


def recorded(arm) -> list[list[float]]:
    """The angles of every set-point that leaves the bridge from now on."""
    sent, command = [], arm._sdk.command
    arm._sdk.command = lambda angles: (sent.append(list(angles)), command(angles))
    return sent


# before any torque


def test_no_xs_sdk(world):
    assert "No xs_sdk answers as /wx250s/get_robot_info" in message_of(InterbotixSpec(NAME))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (("silence", {"ids": [3]}), "Motor shoulder_shadow does not answer the xs_sdk"),
        (("register", {"id": 8, "name": "model", "value": 1020}), "is a XM430-W350 and a wx250s has a XL430-W250"),
        (("register", {"id": 4, "name": "firmware", "value": 37}), "firmware 37, which has no bus watchdog"),
        (("register", {"id": 7, "name": "drive_mode", "value": 4}), "wrist_angle has drive_mode 0 and should have 1"),
        (("register", {"id": 5, "name": "homing_offset", "value": 200}), "elbow_shadow differs from its partner"),
        (("motor_error", {"id": 2, "bits": 4}), "Motor shoulder reports overheating"),
    ],
)
def test_an_arm_that_is_not_right_is_refused(bus, sdk, fault, said):
    bus.ask(fault[0], **fault[1])
    assert said in message_of(InterbotixSpec(NAME))


def test_a_second_bridge_is_refused_and_names_the_process(arm):
    assert f"in use by process {os.getpid()}" in message_of(InterbotixSpec(NAME))


def test_another_node_that_may_command_the_arm_is_refused_and_stops_an_arm_under_way(bus, sdk, arm):
    arm.rearm("test")
    arm.servo(target(TURNED))
    with another_commander():
        assert until(lambda: arm.state().gate == "stopped")
        assert "may command it, too" in arm.state().why and arm.state().counts["hand_over"] == 1
        assert until(lambda: "joystick" in _rearm_problem(arm))
    assert until(lambda: not _rearm_problem(arm))
    assert torques(bus) == {1}


# connected


def test_connecting_changes_nothing(bus, sdk):
    before = {id: {**motor, "position": None} for id, motor in bus.motors().items()}
    arm = Interbotix(InterbotixSpec(NAME, watchdog_ms=2000), PATIENT)
    arm.connect()
    state = arm.state()
    assert np.allclose(state.joints.position, READY, atol=0.002)
    assert state.gate == "stopped" and state.torque and state.commanded is None
    assert state.voltages["elbow_shadow"] == 12.0 and {motor.temperature for motor in state.motors} == {30}
    assert 0.4 < state.gripper.opening < 0.6
    arm.close()
    assert {id: {**motor, "position": None} for id, motor in bus.motors().items()} == before


def test_read_only_looks_and_asks_for_nothing_else(bus, sdk):
    arm = Interbotix(InterbotixSpec(NAME, read_only=True))
    arm.connect()
    assert np.allclose(arm.state().joints.position, READY, atol=0.002)
    for forbidden in (lambda: arm.rearm("test"), lambda: arm.torque_off(TORQUE_OFF)):
        with pytest.raises(UsageError, match="read-only"):
            forbidden()
    arm.servo(target(TURNED))
    assert arm._sdk._node.count_publishers(f"/{NAME}/commands/joint_group") == 0
    arm.close()
    assert {motor["watchdog"] for motor in bus.motors().values()} == {0}
    assert bus.motors()[1]["profile_velocity"] == 2000


def test_it_sets_its_own_profiles_goes_where_it_is_told_and_grips(arm, bus):
    arm.rearm("test")
    motors = bus.motors()
    assert {motors[id]["profile_velocity"] for id in range(1, 9)} == {30}, "the xs_sdk's own is 2 s"
    assert torques(bus) == {1} and {motor["watchdog"] for motor in motors.values()} == {100}
    assert {id for id, motor in motors.items() if motor["drive_mode"] == 5} == {3, 5, 7}
    assert arm.servo(target(TURNED)) is None
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.003))
    assert bus.ask("state")["positions"]["waist"] == pytest.approx(0.4, abs=0.003)
    assert arm.gripper(0.1, 2.0) is None
    assert until(lambda: abs(arm.state().gripper.opening - 0.1) < 0.02)
    assert bus.motors()[9]["goal_pwm"] == 140
    assert arm.gripper(0.1, 50.0).code == "gripper_force"
    assert arm.servo(target(READY + 3)).code == "position"


def with_tips_at(height: float) -> np.ndarray:
    """Joints with the gripper straight down and the fingertips `height` [m] over the table."""
    tcp = Pose(np.array([0.3, 0.0, TABLE_Z + height + 0.010]), ARM.ready_tcp.quaternion)
    return ARM.kinematics.inverse(tcp, READY).joints


def test_the_motors_are_given_no_goal_but_small_steps_inside_every_limit(bus, sdk):
    eager = replace(SETTINGS, ramp_speed=1.0, step=3.0, stale_stop=60_000 * MS, reading_age=2000 * MS)
    arm = Interbotix(InterbotixSpec(NAME, watchdog_ms=2000), eager)
    arm.connect()
    sent = recorded(arm)
    since = bus.ask("state")["now_s"]
    arm.rearm("test")
    rng = np.random.default_rng(5)
    for k in range(8):
        wish = READY + rng.uniform(-0.5, 0.5, 6) if k % 2 else with_tips_at(rng.uniform(-0.003, 0.01))
        for _ in range(120):
            wild = rng.uniform(-4, 4, 6)
            wild[rng.integers(6)] = np.nan if rng.random() < 0.5 else 1e9
            arm.servo(target(wish if rng.random() < 0.99 else wild))
            time.sleep(0.01)
    arm.close()
    ticks = np.floor(np.array(sent) / RADIANS + CENTRE).astype(int)
    for k, motor in enumerate(MASTERS):
        # a busy machine may lose some on the way, and the motors see no others
        left = iter(ticks[:, k].tolist())
        seen = [goal for _, id, goal in bus.ask("goals", since_s=since)["goals"] if id == motor.id]
        assert len(seen) > 100 and all(goal in left for goal in seen)
    angles, rounding = (ticks - CENTRE) * RADIANS, RADIANS / 2 + 1e-9
    assert (angles >= ARM.limits.lower - rounding).all() and (angles <= ARM.limits.upper + rounding).all()
    assert (np.abs(np.diff(angles, axis=0)) <= ARM.limits.velocity * 0.05 + 2 * rounding).all()
    heights = LinkHeights(ARM)
    tips = [heights.at(joints).tips for joints in angles]
    assert min(tips) >= 0.001 and min(heights.at(joints).links for joints in angles) >= 0.019
    assert min(tips) < 0.03, "the arm never came near the table"


def test_stop_holds_with_torque_and_torque_off_wants_to_be_confirmed(arm, bus):
    arm.rearm("test")
    arm.servo(target(TURNED))
    arm.stop("the test says so")
    assert arm.servo(target(TURNED)).code == "not_armed"
    assert torques(bus) == {1}
    with pytest.raises(UsageError, match="falls"):
        arm.torque_off("yes")
    assert torques(bus) == {1}
    arm.torque_off(TORQUE_OFF)
    assert torques(bus) == {0} and not arm.state().torque
    arm.rearm("test")
    assert torques(bus) == {1}


def test_closing_gives_the_xs_sdk_its_slow_profiles_back_and_leaves_the_arm_holding(arm, bus):
    arm.rearm("test")
    arm.stop("the test says so")
    arm.rearm("test")
    arm.close()
    arm.close()
    motors = bus.motors()
    assert {motor["profile_velocity"] for motor in motors.values()} == {2000}
    assert {(motor["torque"], motor["watchdog"]) for motor in motors.values()} == {(1, 0)}
    arm.connect()
    arm.rearm("test")
    assert {bus.motors()[id]["profile_velocity"] for id in range(1, 9)} == {30}


def test_a_re_arm_starts_where_the_arm_is_when_somebody_else_has_moved_it(arm, bus):
    from interbotix_xs_msgs.msg import JointGroupCommand

    arm.rearm("test")
    arm.stop("the test says so")
    moved = READY + np.array([0.2, 0, 0, 0, 0, 0])
    with another_commander() as publisher:
        assert until(lambda: publisher.get_subscription_count() == 1)
        publisher.publish(JointGroupCommand(name="arm", cmd=moved.tolist()))
        assert until(lambda: np.allclose(arm.state().joints.position, moved, atol=0.003))
    assert until(lambda: not _rearm_problem(arm))
    assert until(lambda: abs(arm.state().commanded[0] - 0.2) < 0.003)
    assert bus.ask("state")["positions"]["waist"] == pytest.approx(0.2, abs=0.003)


def test_a_program_that_falls_silent_above_the_bridge_leaves_a_stopped_arm_without_set_points(bus, sdk):
    hasty = replace(PATIENT, stale_hold=300 * MS, stale_stop=600 * MS)
    arm = Interbotix(InterbotixSpec(NAME, watchdog_ms=2000), hasty)
    arm.connect()
    arm.rearm("test")
    arm.servo(target(TURNED))
    assert until(lambda: arm.state().gate == "stopped")
    assert arm.state().counts["stale_stop"] == 1
    assert until(lambda: not arm._loop.live)
    time.sleep(0.2)
    last = len(bus.ask("goals")["goals"])
    time.sleep(0.3)
    assert len(bus.ask("goals")["goals"]) == last
    assert torques(bus) == {1}
    arm.close()


def test_hands_in_the_bench(arm):
    arm.rearm("test")
    arm.inhibit(True)
    assert arm.servo(target(TURNED)).code == "inhibited"
    arm.inhibit(False)
    assert arm.servo(target(TURNED)) is None


def test_an_arm_that_holds_in_another_mode_is_not_dropped_to_change_it(bus, start):
    start(STANDIN, bus.port, NAME, "arm=velocity")
    arm = Interbotix(InterbotixSpec(NAME, watchdog_ms=2000), PATIENT)
    arm.connect()
    with pytest.raises(UsageError, match=r"mode 'velocity'.*would fall"):
        arm.rearm("test")
    assert torques(bus) == {1} and arm.state().gate == "stopped"
    arm.torque_off(TORQUE_OFF)
    arm.rearm("test")
    assert torques(bus) == {1}
    arm.servo(target(TURNED))
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.003))
    arm.close()


# what goes wrong under way


def test_an_error_of_a_shadow_stops_the_arm_and_must_be_repaired(arm, bus):
    arm.rearm("test")
    arm.servo(target(TURNED))
    bus.ask("motor_error", id=3, bits=32)
    assert until(lambda: arm.state().gate == "stopped")
    assert "shoulder_shadow" in arm.state().why
    with pytest.raises(UsageError, match="shoulder_shadow"):
        arm.rearm("test")
    assert bus.motors()[2]["torque"] == 1, "the healthy one of the pair must go on holding"


def test_a_silent_motor_stops_the_arm_and_is_named(arm, bus):
    arm.rearm("test")
    bus.ask("silence", ids=[6])

    def named() -> bool:
        try:
            return "forearm_roll" in arm.state().why
        except WorldFailure as failure:
            return "forearm_roll" in str(failure)

    assert until(named)
    bus.ask("clear")
    assert until(lambda: gate_of(arm) == "stopped")


def test_overheating_rests_and_then_stops(arm, bus):
    arm.rearm("test")
    bus.ask("temperature", id=8, celsius=62)
    assert until(lambda: arm.state().gate == "resting")
    bus.ask("temperature", id=8, celsius=72)
    assert until(lambda: arm.state().gate == "stopped")
    assert torques(bus) == {1}


def test_a_blocked_arm_stops(arm, bus):
    arm.rearm("test")
    bus.ask("block", joints=["waist"])
    arm.servo(target(READY + np.array([0.55, 0, 0, 0, 0, 0])))
    assert until(lambda: arm.state().gate in ("stopped", "resting"))


def test_torque_that_somebody_else_switches_off_stops_the_arm(arm, bus):
    arm.rearm("test")
    bus.ask("register", id=7, name="torque_enable", value=0)
    assert until(lambda: arm.state().gate == "stopped")
    assert "wrist_angle" in arm.state().why


def test_when_the_xs_sdk_hangs_the_arm_is_stopped_by_its_motors_and_takes_no_goal_before_a_re_arm(arm, bus, sdk):
    arm.rearm("test")
    arm.servo(target(TURNED))
    os.kill(sdk.pid, signal.SIGSTOP)
    try:
        assert until(lambda: all(motor["tripped"] for motor in bus.motors().values()))
        assert until(lambda: gate_of(arm) == "gone")
    finally:
        os.kill(sdk.pid, signal.SIGCONT)
    assert until(lambda: gate_of(arm) == "stopped")
    assert torques(bus) == {1} and all(motor["tripped"] for motor in bus.motors().values())
    assert until(lambda: not _rearm_problem(arm))
    assert not any(motor["tripped"] for motor in bus.motors().values())
    arm.servo(target(READY))
    assert until(lambda: np.allclose(arm.state().joints.position, READY, atol=0.003))


def test_no_set_point_is_sent_into_silence_to_be_caught_up_with_later(bus, sdk):
    arm = Interbotix(InterbotixSpec(NAME, watchdog_ms=2540), replace(PATIENT, reading_age=400 * MS))
    arm.connect()
    sent = recorded(arm)
    arm.rearm("test")
    arm.servo(target(READY + np.array([1.5, 0, 0, 0, 0, 0])))
    assert until(lambda: len(sent) > 10)
    os.kill(sdk.pid, signal.SIGSTOP)
    try:
        assert until(lambda: "no_reading" in {code.value for code in arm._gate.counts})
        last = len(sent)
        time.sleep(0.3)
        assert len(sent) == last
    finally:
        os.kill(sdk.pid, signal.SIGCONT)
    assert until(lambda: gate_of(arm) == "stopped")
    arm.close()


def _rearm_problem(arm) -> str:
    try:
        arm.rearm("test")
    except TouchstoneError as error:
        return str(error)
    return ""


def test_when_the_xs_sdk_is_killed_the_motors_hold_and_every_call_says_so(arm, bus, sdk):
    arm.rearm("test")
    sdk.kill()
    with pytest.raises(WorldFailure, match="look whether it runs"):
        while True:
            arm.state()
            time.sleep(0.01)
    assert until(lambda: all(motor["tripped"] for motor in bus.motors().values()))
    assert torques(bus) == {1}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_when_the_bridge_dies_or_hangs_the_xs_sdk_holds_the_last_goal(bus, sdk, start, number):
    driver = start("tests.ros.interbotix.driving", NAME)
    os.kill(driver.pid, number)
    assert until(lambda: max(map(abs, bus.ask("state")["velocities"].values())) < 1e-4)
    first = bus.ask("state")
    time.sleep(0.5)
    second = bus.ask("state")
    assert second["positions"] == pytest.approx(first["positions"], abs=1e-4)
    assert second["packets"] > first["packets"], "the xs_sdk goes on reading, and so no watchdog trips"
    assert {motor["torque"] for motor in bus.motors().values()} == {1}
    assert not any(motor["tripped"] for motor in bus.motors().values())
