"""The Realman driver through the real SDK against the emulated controller."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hardware.arm import TORQUE_OFF
from hardware.emulators.realman.control import EmulatedController
from hardware.realman.units import LARGEST_FORCE
from tests.hardware.realman.conftest import READY, TURNED, UDP_PORT, commands, needs_sdk, target, until
from touchstone.errors import UsageError, WorldFailure
from touchstone.robots.rm75 import ARM
from touchstone.safety.settings import MS, GateSettings

pytestmark = needs_sdk
ROOT = Path(__file__).parents[3]


def gate(arm):
    try:
        return arm.state().gate
    except WorldFailure:
        return None


def stopped(arm) -> bool:
    return until(lambda: gate(arm) == "stopped")


def stops(emulated) -> int:
    return len(commands(emulated, "set_arm_stop"))


# connected


def test_connecting_moves_nothing_and_changes_nothing_that_is_right(arm, emulated):
    time.sleep(0.2)
    state = arm.state()
    assert np.allclose(state.joints.position, READY, atol=1e-4) and np.isnan(state.joints.effort).all()
    assert state.gate == "stopped" and state.torque and state.commanded is None
    assert state.voltages["joint_1"] == 24.0 and state.motors[0].temperature == 30
    assert 0.49 < state.gripper.opening < 0.51 and state.gripper.width == pytest.approx(0.035, abs=1e-3)
    assert state.gripper.force == 0
    assert not any('"set_' in line or '"move' in line for _, _, line in commands(emulated))


def test_the_push_is_set_where_it_differs_and_read_only_it_is_told(emulated, drivers):
    config = emulated.ask("state")["push_config"]
    looking, writing = drivers(read_only=True), drivers()
    looking.connect()
    assert looking.differing_settings() == []
    looking.close()
    emulated.ask("push_config", cycle=20)
    looking.connect()
    to = f"to 127.0.0.1:{emulated.udp_port}"
    assert looking.differing_settings() == [f"the push of the state: every 5 ms {to}, not every 100 ms {to}"]
    looking.close()
    assert emulated.ask("state")["push_config"]["cycle"] == 20
    writing.connect()
    assert emulated.ask("state")["push_config"] == config


def test_a_controller_that_pushes_nothing_is_told_so_read_only_and_set_up_otherwise(emulated, drivers):
    emulated.ask("push_config", enable=False)
    with pytest.raises(UsageError, match=r"is off, not every 5 ms to .* open it once without read_only"):
        drivers(read_only=True).connect()
    drivers().connect()
    assert emulated.ask("state")["push_config"]["enable"]


def test_read_only_writes_nothing_at_all(emulated, drivers):
    arm = drivers(read_only=True)
    arm.connect()
    assert np.allclose(arm.state().joints.position, READY, atol=1e-4)
    for forbidden in (lambda: arm.rearm("test"), lambda: arm.torque_off(TORQUE_OFF)):
        with pytest.raises(UsageError, match="read-only"):
            forbidden()
    assert arm.servo(target(TURNED)).code == "not_armed"
    arm.close()
    assert not any('"set_' in line or '"move' in line for _, _, line in commands(emulated))
    assert len({number for _, number, _ in commands(emulated)}) == 1, "nobody needs a guard who sends nothing"


def test_it_goes_where_it_is_told_and_grips(arm, emulated):
    arm.rearm("test")
    assert arm.servo(target(TURNED)) is None
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.001))
    assert arm.state().commanded == pytest.approx(TURNED)
    assert arm.gripper(0.1) is None
    assert until(lambda: abs(arm.state().gripper.opening - 0.1) < 0.01)
    assert arm.gripper(0.0, 5.0) is None
    assert until(lambda: arm.state().gripper.opening < 0.01)
    assert emulated.ask("state")["grip_force"] == 510
    assert arm.servo(target(READY + 3)).code == "position"
    assert "position" in arm.state().counts


def test_a_grip_that_finds_something_is_no_fault(arm, emulated):
    arm.rearm("test")
    emulated.ask("block", joints=["gripper"])
    emulated.ask("gripper", errors=1)
    arm.gripper(0.0)
    assert until(lambda: arm.state().gripper.force > 10)
    assert emulated.ask("state")["grip_force"] == 1000 and arm.state().gate == "holding"


def test_more_force_than_the_threshold_reaches_is_refused(arm):
    arm.rearm("test")
    assert arm.gripper(0.0, LARGEST_FORCE + 0.1).code == "gripper_force"
    assert arm.gripper(0.0, LARGEST_FORCE) is None


def test_setpoints_come_at_the_rate_that_was_asked_for(arm, emulated):
    arm.rearm("test")
    time.sleep(1.0)
    stamps = [at for at, _ in emulated.ask("goals")["goals"]]
    # on a busy machine some come late, and none early: a missed cycle is not made up for
    assert np.median(np.diff(stamps)) >= 0.008


def test_no_setpoint_is_sent_but_by_an_armed_gate(arm, emulated):
    arm.servo(target(TURNED))
    arm.gripper(1.0)
    time.sleep(0.3)
    assert emulated.ask("goals")["goals"] == [] and not commands(emulated, "set_gripper")


@pytest.mark.parametrize("generation", [3, 4])
def test_stop_brakes_ends_the_setpoints_and_is_the_stop_of_both_generations(emulated, drivers, generation):
    emulated.ask("reset", generation=generation)
    arm = drivers()
    arm.connect()
    arm.rearm("test")
    arm.servo(target(TURNED))
    time.sleep(0.3)
    arm.stop("the test says so")
    assert until(lambda: stops(emulated) > 0)
    sent = len(emulated.ask("goals")["goals"])
    assert arm.servo(target(TURNED)).code == "not_armed"
    time.sleep(0.2)
    assert len(emulated.ask("goals")["goals"]) == sent and all(emulated.ask("state")["enabled"])
    arm.rearm("test")
    arm.servo(target(TURNED))
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.001))
    arm.close()
    assert not commands(emulated, "set_arm_emergency_stop")


def test_torque_off_wants_to_be_confirmed_and_rearm_brings_it_back(arm, emulated):
    arm.rearm("test")
    with pytest.raises(UsageError, match="falls"):
        arm.torque_off("yes")
    assert all(emulated.ask("state")["enabled"])
    arm.torque_off(TORQUE_OFF)
    assert not any(emulated.ask("state")["enabled"]) and not arm.state().torque
    assert arm.state().gate == "stopped"
    arm.rearm("test")
    assert all(emulated.ask("state")["enabled"]) and arm.state().torque
    arm.servo(target(TURNED))
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.001))


def test_rearm_starts_where_the_arm_is_now(arm, emulated):
    arm.rearm("test")
    arm.servo(target(TURNED))
    time.sleep(0.5)
    emulated.ask("joint_error", joint=2, code=0x40)  # it stops by itself, in mid-motion
    assert stopped(arm)
    with pytest.raises(UsageError, match="joint_2 reports error 0x40"):
        arm.rearm("test")
    emulated.ask("clear")
    assert until(lambda: not arm.state().motors[1].errors and np.abs(arm.state().joints.velocity).max() < 0.05)
    there = arm.state().joints.position
    begin = emulated.ask("state")["now_s"]
    arm.rearm("test")
    assert until(lambda: emulated.ask("goals", since_s=begin)["goals"])
    first = emulated.ask("goals", since_s=begin)["goals"][0][1]
    assert first == pytest.approx(there, abs=1e-3)


def test_a_stop_overtakes_a_question_without_an_answer(arm, emulated):
    arm.rearm("test")
    emulated.ask("silence", commands=["get_gripper_state"])
    asked = len(commands(emulated, "get_gripper_state"))
    assert until(lambda: len(commands(emulated, "get_gripper_state")) > asked)
    arm.stop("the test says so")
    assert until(lambda: stops(emulated) > 0)
    emulated.ask("silence", commands=[])
    assert until(lambda: not arm._errands.stopping)


def test_no_rearm_while_a_stop_is_on_its_way(arm, emulated):
    arm.rearm("test")
    emulated.ask("silence", commands=["set_arm_stop"])
    arm.stop("the test says so")
    assert until(lambda: stops(emulated) > 0)
    with pytest.raises(WorldFailure, match="has not answered the last stop"):
        arm.rearm("test")
    emulated.ask("silence", commands=[])
    assert until(lambda: not arm._errands.stopping)
    arm.rearm("test")


def test_hands_in_the_bench_hold_it(arm):
    arm.rearm("test")
    arm.inhibit(True)
    assert arm.servo(target(TURNED)).code == "inhibited"
    arm.inhibit(False)
    assert arm.servo(target(TURNED)) is None
    arm.hold()
    assert arm.state().gate == "holding"


# what goes wrong


def test_overheating_rests_and_then_stops(arm, emulated):
    arm.rearm("test")
    emulated.ask("temperature", joint=5, celsius=62)
    assert until(lambda: arm.state().gate == "resting")
    emulated.ask("temperature", joint=5, celsius=72)
    assert stopped(arm)
    assert all(emulated.ask("state")["enabled"])


@pytest.mark.parametrize(
    "fault", [("controller_error", {"code": 0x1005}), ("gripper", {"online": False}), ("gripper", {"errors": 2})]
)
def test_errors_of_controller_and_gripper_stop_it(arm, emulated, fault):
    arm.rearm("test")
    arm.servo(target(TURNED))
    emulated.ask(fault[0], **fault[1])
    assert stopped(arm)
    with pytest.raises(UsageError):
        arm.rearm("test")
    emulated.ask("clear")
    assert until(lambda: not any(motor.errors for motor in arm.state().motors))


def test_a_gripper_that_does_not_answer_once_is_asked_again(arm, emulated):
    arm.rearm("test")
    emulated.ask("drop", count=1)
    time.sleep(1.0)
    assert (arm.state().gate, arm.state().why) == ("holding", "")
    emulated.ask("corrupt", count=1)
    time.sleep(1.0)
    assert (arm.state().gate, arm.state().why) == ("holding", "")


def test_a_blocked_arm_stops(arm, emulated):
    arm.rearm("test")
    emulated.ask("block", joints=["joint_1"])
    arm.servo(target(READY + np.array([0.55, 0, 0, 0, 0, 0, 0])))
    assert stopped(arm)
    assert "joint_1" in arm.state().why


def test_a_guard_that_ends_stops_the_arm_and_bars_it(arm, emulated):
    arm.rearm("test")
    arm.servo(target(TURNED))
    arm._heart.process.kill()
    assert stopped(arm) and "guard process has ended" in arm.state().why
    assert until(lambda: stops(emulated) > 0)
    with pytest.raises(UsageError, match="guard process has ended"):
        arm.rearm("test")
    arm.close()
    arm.connect()
    arm.rearm("test")


def test_a_silent_state_is_an_arm_that_is_gone(arm, emulated):
    emulated.ask("udp_silence", on=True)

    def told():
        try:
            return arm.state() is None
        except WorldFailure as failure:
            return "has told nothing for" in str(failure)

    assert until(told)
    emulated.ask("udp_silence", on=False)
    assert until(lambda: gate(arm) == "stopped")


@pytest.mark.long
def test_a_silent_state_holds_and_stops_a_moving_arm(emulated, drivers):
    arm = drivers(GateSettings(stale_stop=60_000 * MS, stale_hold=30_000 * MS))
    arm.connect()
    arm.rearm("test")
    arm.servo(target(READY + np.array([0.5, 0, 0, 0, 0, 0, 0])))
    time.sleep(0.5)
    emulated.ask("udp_silence", on=True)
    assert until(lambda: stops(emulated) > 0)
    emulated.ask("udp_silence", on=False)
    assert stopped(arm) and arm.state().why == "its state is not known any more"


# the wire


def test_a_lost_link_is_told_in_one_sentence_and_mended_by_a_new_connect(arm, emulated):
    arm.rearm("test")
    emulated.ask("disconnect")
    with pytest.raises(WorldFailure, match="is lost"):
        while True:
            arm.servo(target(TURNED))
            arm.state()
            time.sleep(0.01)
    arm.close()
    emulated.ask("reconnect")
    arm.connect()
    assert arm.state().gate == "stopped"
    arm.rearm("test")
    arm.servo(target(TURNED))
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.001))


def test_a_link_that_is_lost_while_nothing_moves_is_noticed_too(arm, emulated):
    emulated.ask("disconnect")
    assert until(lambda: gate(arm) is None)
    emulated.ask("reconnect")


def test_a_hung_controller_stops_the_gate_and_holds_nobody_up(arm, emulated):
    arm.rearm("test")
    arm.servo(target(TURNED))
    emulated.ask("hang", on=True)
    assert until(lambda: gate(arm) is None)
    arm.stop("the test says so")
    arm.close()
    emulated.ask("hang", on=False)
    arm.connect()
    assert arm.state().gate == "stopped"


def test_two_arms_in_one_process_know_their_own_states(arm, drivers):
    with EmulatedController(pose="home", generation=4, udp_port=UDP_PORT) as second:
        other = drivers(of=second)
        other.connect()
        assert np.allclose(other.state().joints.position, 0, atol=1e-4)
        assert np.allclose(arm.state().joints.position, READY, atol=1e-4)
        arm.rearm("test")
        arm.servo(target(TURNED))
        assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.001))
        assert np.allclose(other.state().joints.position, 0, atol=1e-4)
        other.close()
        arm.state()


def test_closing_leaves_the_arm_standing_and_may_be_done_twice(arm, emulated):
    arm.rearm("test")
    arm.servo(target(TURNED))
    time.sleep(0.3)
    guard = arm._heart.process
    arm.close()
    arm.close()
    assert stops(emulated) > 0 and guard.returncode == 0
    assert max(map(abs, emulated.ask("state")["velocities"].values())) < 0.01
    assert all(emulated.ask("state")["enabled"])
    goals = emulated.ask("goals")["goals"]
    speed = (goals[-1][1][0] - goals[-2][1][0]) / 0.01
    assert abs(speed) < ARM.limits.velocity[0] * 0.25, "it braked before it let go"


def test_the_look_from_the_command_line():
    # of an arm of its own: this process keeps the UDP port of every arm that it has driven
    with EmulatedController() as emulated:
        command = [sys.executable, "-m", "hardware.realman", emulated.host, "--port", str(emulated.port)]
        options = ["--udp-port", str(emulated.udp_port), "--seconds", "0.2"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0 and "TCP (0.3012, 0.0000, 0.1507) m; gripper 35.0 mm" in done.stdout
        assert not any('"set_' in line or '"move' in line for _, _, line in commands(emulated))
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "Nothing listens" in done.stderr
