"""The emulated controller by itself, on a clock of our own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hardware.emulators.kinematic import GRIPPER
from hardware.emulators.realman.controller import ERROR_JUMP, ERROR_LIMIT, Controller
from hardware.emulators.realman.gripper import CLOSED, HELD, OPEN
from touchstone.robots.rm75 import ARM

READY = np.array(ARM.ready)
TICK = 0.01


@pytest.fixture
def controller():
    return Controller(3)


def millidegrees(joints) -> list[int]:
    return [float(np.round(1e3 * d)) for d in np.degrees(joints)]


def setpoint(controller, joints) -> None:
    assert controller.handle({"command": "movej_canfd", "joint": millidegrees(joints), "follow": True}) == []


def run(controller, seconds: float) -> None:
    for _ in range(round(seconds / TICK)):
        controller.advance(controller.now + TICK)


def drive(controller, towards, steps: int = 30) -> None:
    """`steps` setpoints on a straight line from where it is."""
    start = controller.joints
    for k in range(1, steps + 1):
        setpoint(controller, start + (towards - start) * k / steps)
        run(controller, TICK)


def test_setpoints_are_followed_late_and_logged(controller):
    there = READY + 0.1
    drive(controller, there)
    assert np.abs(controller.joints - there).max() > 1e-3
    run(controller, 0.3)
    assert np.allclose(controller.joints, there, atol=2e-5)
    assert len(controller.goals) == 30 and controller.push()["arm_current_status"] == "move_through_joint"
    assert controller.goals[-1][1] == pytest.approx(there, abs=1e-5)


def test_the_last_setpoint_is_held_or_with_coast_left_behind(controller):
    there = READY + np.array([0.1, 0, 0, 0, 0, 0, 0])
    drive(controller, there)
    run(controller, 1)
    assert controller.joints[0] == pytest.approx(there[0], abs=1e-4)
    controller.coast = True
    drive(controller, there + np.array([0.1, 0, 0, 0, 0, 0, 0]))
    run(controller, 1)
    assert controller.joints[0] > there[0] + 0.3
    (answer,) = controller.handle({"command": "set_arm_stop"})
    assert answer["arm_stop"] is True
    stopped = controller.joints
    run(controller, 1)
    assert np.allclose(controller.joints, stopped, atol=1e-6)


def test_what_coasts_ends_at_the_limits(controller):
    controller.coast = True
    drive(controller, READY + np.array([0.5, 0, 0, 0, 0, 0, 0]))
    run(controller, 20)
    assert controller.joints[0] == pytest.approx(math.radians(178), abs=1e-3)


@pytest.mark.parametrize(
    ("joints", "error"),
    [
        (READY + np.array([0, 3, 0, 0, 0, 0, 0]), ERROR_LIMIT),
        ([float("nan")] * 7, ERROR_LIMIT),
        (READY + 0.2, ERROR_JUMP),
    ],
)
def test_a_setpoint_outside_limits_or_too_far_stops_it_with_an_error(controller, joints, error):
    setpoint(controller, joints)
    assert controller.errors == [error] and controller.refused == 1 and not controller.goals
    setpoint(controller, READY)
    assert controller.refused == 2, "an error is latched"
    controller.handle({"command": "clear_system_err"})
    setpoint(controller, READY)
    assert len(controller.goals) == 1


def test_a_joint_error_stops_it_until_it_is_cleared(controller):
    drive(controller, READY + 0.1, steps=10)
    controller.fail_joint(2, 0x10)
    assert controller.push()["joint_status"]["joint_err_code"][2] == 0x10
    setpoint(controller, controller.joints)
    assert controller.refused == 1
    controller.handle({"command": "set_joint_clear_err", "joint_clear_err": 3})
    assert controller.healthy


def test_a_planned_move_tells_when_it_is_done_or_that_it_failed(controller):
    there = READY + 0.2
    move = {"command": "movej", "joint": millidegrees(there), "v": 50, "r": 0, "trajectory_connect": 0}
    assert controller.handle(move) == [{"command": "movej", "receive_state": True}]
    run(controller, 3)
    (done,) = controller.announcements()
    assert done["trajectory_state"] is True and done["device"] == 0
    assert np.allclose(controller.joints, there, atol=1e-4)
    controller.failing_plans = 1
    controller.handle(move)
    assert controller.announcements()[0]["trajectory_state"] is False
    assert controller.handle({**move, "joint": [1_000_000] * 7})[0]["receive_state"] is False


def test_the_gripper_opens_closes_and_holds_what_it_finds(controller):
    def ask(**message):
        (answer,) = controller.handle(message)
        return answer

    assert ask(command="set_gripper_position", position=1000, block=False)["state"] is True
    run(controller, 1)
    assert ask(command="get_gripper_state")["mode"] == OPEN and ask(command="get_gripper_state")["actpos"] == 1000
    done = controller.announcements()[0]
    assert done["device"] == 1 and "trajectory_connect" in done
    ask(command="set_gripper_pick_on", speed=500, force=200, block=False)
    run(controller, 1)
    assert ask(command="get_gripper_state")["mode"] == CLOSED and controller.plant.positions[GRIPPER] < 1e-5
    ask(command="set_gripper_release", speed=500, block=False)
    run(controller, 0.1)
    controller.plant.blocked = {GRIPPER}
    run(controller, 0.1)
    state = ask(command="get_gripper_state")
    assert state["mode"] == HELD and state["current_force"] > 1000
    assert ask(command="set_gripper_pick", speed=500, force=49, block=False)["state"] is False
    assert ask(command="set_gripper_position", position=0, block=False)["state"] is False


def test_a_joint_whose_drive_is_off_follows_nothing(controller):
    controller.handle({"command": "set_joint_en_state", "joint_en_state": [1, 0]})
    drive(controller, READY + 0.1)
    run(controller, 0.3)
    assert controller.joints[0] == pytest.approx(READY[0], abs=1e-6)
    assert controller.joints[1] == pytest.approx(READY[1] + 0.1, abs=1e-4)
    assert controller.push()["joint_status"]["joint_en_flag"] == [0, 1, 1, 1, 1, 1, 1]


def test_only_generation_4_knows_the_emergency_stop():
    message = {"command": "set_arm_emergency_stop", "emergency_stop": 1}
    assert Controller(3).handle(message) == [] and len(Controller(4).handle(message)) == 1
    assert "robot_controller_version" not in Controller(3).handle({"command": "get_arm_software_info"})[0]
    assert Controller(4).handle({"command": "get_arm_software_info"})[0]["robot_controller_version"] == "4.0"


def test_what_it_does_not_know_is_not_answered(controller):
    assert controller.handle({"command": "make_coffee"}) == [] and controller.handle({}) == []
