"""The WidowX driver through the real SDK against the emulated bus."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dynamixel_sdk")

from hardware.arm import TORQUE_OFF
from hardware.dynamixel.units import RADIANS, radians
from hardware.emulators.dynamixel.control import EmulatedBus
from hardware.widowx.driver import SETTINGS, WidowX
from hardware.widowx.motors import MASTERS, MOTORS
from hardware.widowx.spec import WidowXSpec
from touchstone.bench import TABLE_Z
from touchstone.errors import TouchstoneError, UsageError, WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.readings import Target
from touchstone.safety.settings import MS, GateSettings

# driver and emulator are real-time processes: beside a second test process on two cores the bus falls silent for longer
# than the driver bears, which is what it is there for
pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
READY = np.array(ARM.ready)
TURNED = READY + np.array([0.4, 0, 0, 0, 0, 0])
# a busy machine that lets neither this process nor the emulator run is no fault of the arm's
PATIENT = GateSettings(stale_stop=60_000 * MS, stale_hold=30_000 * MS, reading_age=2000 * MS)
WATCHDOG_MS = 2000


@pytest.fixture(scope="module")
def process():
    with EmulatedBus() as bus:
        yield bus


@pytest.fixture
def emulated(process):
    process.ask("reset", pose="ready")
    return process


@pytest.fixture
def arm(emulated):
    arm = WidowX(WidowXSpec(emulated.port, watchdog_ms=WATCHDOG_MS), PATIENT)
    arm.connect()
    yield arm
    arm.close()


def until(condition, seconds: float = 20.0) -> bool:
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


def torques(emulated) -> set[int]:
    return {motor["torque"] for motor in emulated.motors().values()}


def message_of(spec: WidowXSpec) -> str:
    arm = WidowX(spec)
    with pytest.raises(TouchstoneError) as caught:
        arm.connect()
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


# before any torque


def test_a_port_that_is_not_there():
    assert "There is no port /dev/no-such-port" in message_of(WidowXSpec("/dev/no-such-port"))


def test_a_port_that_is_no_serial_port(tmp_path):
    (tmp_path / "file").write_text("")
    assert "does not open as a serial port" in message_of(WidowXSpec(str(tmp_path / "file")))


def test_a_port_without_permission(tmp_path, monkeypatch):
    # a superuser may open anything, so the system's answer is put in its place
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "No permission" in message_of(WidowXSpec(str(tmp_path / "file")))


def test_a_port_with_something_else_on_it():
    master, slave = pty.openpty()
    assert "No motor answers" in message_of(WidowXSpec(os.ttyname(slave)))
    os.close(master)
    os.close(slave)


def test_a_port_in_use_names_the_process(arm, emulated):
    assert f"in use by process {os.getpid()}" in message_of(WidowXSpec(emulated.port))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (("silence", {"ids": [4]}), "Motor 4 (elbow) does not answer"),
        (("register", {"id": 8, "name": "model", "value": 1020}), "is a XM430-W350 and a wx250s has a XL430-W250"),
        (("register", {"id": 3, "name": "firmware", "value": 37}), "firmware 37, which has no bus watchdog"),
        (("motor_error", {"id": 2, "bits": 4}), "Motor 2 (shoulder) reports overheating"),
    ],
)
def test_an_arm_that_is_not_right_is_refused_before_any_torque(emulated, fault, said):
    emulated.ask(fault[0], **fault[1])
    assert said in message_of(WidowXSpec(emulated.port))
    assert torques(emulated) == {0} and emulated.ask("goals")["goals"] == []
    emulated.ask("clear")


def test_a_wrong_spec_is_refused():
    for wrong in ({"rate_hz": 0}, {"rate_hz": float("nan")}, {"watchdog_ms": 10}, {"rate_hz": 10, "watchdog_ms": 100}):
        with pytest.raises(UsageError):
            WidowXSpec("/dev/x", **wrong)


# connected


def test_connecting_sets_the_motors_up_and_switches_nothing_on(arm, emulated):
    motors = emulated.motors()
    assert torques(emulated) == {0}
    assert {id for id, motor in motors.items() if motor["drive_mode"] == 5} == {3, 5, 7}
    assert all(abs(motors[s]["position"] - motors[m]["position"]) <= 1 for s, m in ((3, 2), (5, 4)))
    state = arm.state()
    assert np.allclose(state.joints.position, READY, atol=0.002)
    assert state.gate == "stopped" and not state.torque and state.commanded is None
    assert state.voltages["waist"] == 12.0 and {m.temperature for m in state.motors} == {30}
    assert 0.4 < state.gripper.opening < 0.6


def test_read_only_writes_nothing_at_all(emulated):
    before = emulated.motors()
    arm = WidowX(WidowXSpec(emulated.port, read_only=True))
    arm.connect()
    assert np.allclose(arm.state().joints.position, READY, atol=0.002)
    assert any("drive_mode" in line for line in arm.differing_settings())
    for forbidden in (lambda: arm.rearm("test"), lambda: arm.torque_off(TORQUE_OFF)):
        with pytest.raises(UsageError, match="read-only"):
            forbidden()
    arm.servo(target(TURNED))
    arm.close()
    assert emulated.motors() == before


def test_it_goes_where_it_is_told_and_grips(arm, emulated):
    arm.rearm("test")
    assert torques(emulated) == {1} and {m["watchdog"] for m in emulated.motors().values()} == {100}
    assert arm.servo(target(TURNED)) is None
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.003))
    assert emulated.ask("state")["positions"]["waist"] == pytest.approx(0.4, abs=0.003)
    assert arm.gripper(0.1, 2.0) is None
    assert until(lambda: abs(arm.state().gripper.opening - 0.1) < 0.02)
    assert emulated.motors()[9]["goal_pwm"] == 140
    assert arm.gripper(0.1, 50.0).code == "gripper_force"
    assert arm.servo(target(READY + 3)).code == "position"
    assert "position" in {each.code.value for each in arm.take_interventions()} | set(arm.state().counts)


def with_tips_at(height: float) -> np.ndarray:
    """Joints with the gripper straight down and the fingertips `height` [m] over the table."""
    tcp = Pose(np.array([0.3, 0.0, TABLE_Z + height + 0.010]), ARM.ready_tcp.quaternion)
    return ARM.kinematics.inverse(tcp, READY).joints


def test_the_motors_are_given_no_goal_but_small_steps_inside_every_limit(emulated):
    eager = replace(SETTINGS, ramp_speed=1.0, step=3.0, stale_stop=60_000 * MS, reading_age=2000 * MS)
    arm = WidowX(WidowXSpec(emulated.port, watchdog_ms=WATCHDOG_MS), eager)
    arm.connect()
    arm.rearm("test")
    rng = np.random.default_rng(5)
    for k in range(8):
        wish = READY + rng.uniform(-0.5, 0.5, 6) if k % 2 else with_tips_at(rng.uniform(-0.003, 0.01))
        for _ in range(160):
            wild = rng.uniform(-4, 4, 6)
            wild[rng.integers(6)] = np.nan if rng.random() < 0.5 else 1e9
            arm.servo(target(wish if rng.random() < 0.99 else wild))
            time.sleep(0.01)
    arm.close()
    # one packet's goals may carry two stamps, so the last known goal of every motor stands in each row
    sent: dict[float, dict[int, float]] = {}
    known: dict[int, float] = {}
    for at, id, ticks in emulated.ask("goals")["goals"]:
        known[id] = radians(ticks)
        sent[at] = dict(known)
    rows = [[goals[m.id] for m in MASTERS] for goals in sent.values() if all(m.id in goals for m in MASTERS)]
    angles, rounding = np.array(rows), RADIANS / 2 + 1e-9
    assert len(angles) > 100
    assert (angles >= ARM.limits.lower - rounding).all() and (angles <= ARM.limits.upper + rounding).all()
    assert (np.abs(np.diff(angles, axis=0)) <= ARM.limits.velocity * 0.05 + 2 * rounding).all()
    heights = LinkHeights(ARM)
    tips = [heights.at(joints).tips for joints in angles]
    assert min(tips) >= 0.001 and min(heights.at(joints).links for joints in angles) >= 0.019
    assert min(tips) < 0.03, "the arm never came near the table"


def test_a_push_on_the_table_is_felt_through_the_motors_currents(arm, emulated):
    arm.rearm("test")
    arm.servo(target(with_tips_at(0.008)))
    assert until(lambda: np.allclose(arm.state().joints.position, with_tips_at(0.008), atol=0.003))
    assert "tip_force" not in arm.state().counts
    emulated.ask("push", newtons=30)
    assert until(lambda: "tip_force" in arm.state().counts)
    assert arm.servo(target(with_tips_at(0.005))).code == "tip_force"
    assert arm.servo(target(with_tips_at(0.030))) is None


def test_stop_holds_with_torque_and_torque_off_wants_to_be_confirmed(arm, emulated):
    arm.rearm("test")
    arm.servo(target(TURNED))
    arm.stop("the test says so")
    assert arm.servo(target(TURNED)).code == "not_armed"
    assert torques(emulated) == {1}
    with pytest.raises(UsageError, match="falls"):
        arm.torque_off("yes")
    assert torques(emulated) == {1}
    arm.torque_off(TORQUE_OFF)
    assert torques(emulated) == {0} and not arm.state().torque
    arm.rearm("test")
    assert torques(emulated) == {1}


def test_an_error_of_a_shadow_stops_both_and_must_be_repaired(arm, emulated):
    arm.rearm("test")
    arm.servo(target(TURNED))
    emulated.ask("motor_error", id=3, bits=32)
    assert until(lambda: arm.state().gate == "stopped")
    with pytest.raises(UsageError, match="shoulder_shadow"):
        arm.rearm("test")
    assert emulated.motors()[2]["torque"] == 1, "the healthy one of the pair must go on holding"


def test_a_silent_motor_stops_the_arm_and_is_named(arm, emulated):
    arm.rearm("test")
    emulated.ask("silence", ids=[6])

    def named():
        try:
            return arm.state().gate == "never"
        except WorldFailure as failure:
            return "forearm_roll" in str(failure)

    assert until(named)
    emulated.ask("clear")
    assert until(lambda: _gate(arm) == "stopped")


def _gate(arm):
    try:
        return arm.state().gate
    except WorldFailure:
        return None


def test_lost_and_damaged_replies_are_survived(arm, emulated):
    arm.rearm("test")
    arm.servo(target(TURNED))
    emulated.ask("drop", count=1)
    emulated.ask("corrupt", count=1)
    assert until(lambda: np.allclose(arm.state().joints.position, TURNED, atol=0.003))
    assert arm.state().missed >= 1


def test_replies_that_come_late_are_not_taken_for_others(arm, emulated):
    arm.rearm("test")
    for k in range(20):
        # later than the SDK waits, so that they meet the answers to what is asked next
        emulated.ask("delay", count=5 + k, seconds=0.04)
        time.sleep(0.2)
        state = arm.state()
        assert np.allclose(state.joints.position, READY, atol=0.01) and state.gate != "stopped", state.why
        assert {motor.temperature for motor in state.motors} == {30} and set(state.voltages.values()) == {12.0}


def test_an_unplugged_adapter_is_told_in_one_sentence(arm, emulated):
    arm.rearm("test")
    emulated.ask("disconnect")
    with pytest.raises(WorldFailure, match="is gone"):
        while True:
            arm.servo(target(TURNED))
            time.sleep(0.01)
    arm.close()
    emulated.ask("reconnect")
    again = WidowX(WidowXSpec(emulated.port, watchdog_ms=WATCHDOG_MS), PATIENT)
    again.connect()
    assert again.state().gate == "stopped"
    again.rearm("test")
    again.close()


def test_overheating_rests_and_then_stops(arm, emulated):
    arm.rearm("test")
    emulated.ask("temperature", id=8, celsius=62)
    assert until(lambda: arm.state().gate == "resting")
    emulated.ask("temperature", id=8, celsius=72)
    assert until(lambda: arm.state().gate == "stopped")
    assert torques(emulated) == {1}


def test_a_blocked_arm_stops(arm, emulated):
    arm.rearm("test")
    emulated.ask("block", joints=["waist"])
    arm.servo(target(READY + np.array([0.55, 0, 0, 0, 0, 0])))
    assert until(lambda: arm.state().gate in ("stopped", "resting"))


def test_closing_leaves_the_arm_holding_and_its_watchdogs_tripped(emulated):
    arm = WidowX(WidowXSpec(emulated.port, watchdog_ms=WATCHDOG_MS), PATIENT)
    arm.connect()
    arm.rearm("test")
    arm.close()
    arm.close()
    assert until(lambda: all(motor["tripped"] for motor in emulated.motors().values()))
    assert torques(emulated) == {1}
    again = WidowX(
        WidowXSpec(emulated.port, watchdog_ms=WATCHDOG_MS), PATIENT
    )  # a holding arm is taken over without letting it go
    again.connect()
    assert torques(emulated) == {1}
    again.rearm("test")
    assert not any(motor["tripped"] for motor in emulated.motors().values())
    again.close()


# processes that end or hang


@pytest.mark.parametrize("how", ["kill", "stop", "hang"])
def test_when_the_driver_dies_or_hangs_the_motors_stop_themselves_and_hold(emulated, how):
    command = [
        sys.executable,
        "-m",
        "tests.hardware.driving_widowx",
        emulated.port,
        *(["hang"] if how == "hang" else []),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout.readline() == "moving\n"
        if how != "hang":
            os.kill(process.pid, signal.SIGKILL if how == "kill" else signal.SIGSTOP)
        assert until(lambda: all(motor["tripped"] for motor in emulated.motors().values()))
        until(lambda: max(map(abs, emulated.ask("state")["velocities"].values())) < 1e-4)
        first = emulated.ask("state")
        time.sleep(0.3)
        second = emulated.ask("state")
        assert second["positions"] == pytest.approx(first["positions"], abs=1e-4)
        assert {motor["torque"] for motor in emulated.motors().values()} == {1}
        if how == "hang":
            assert until(lambda: emulated.ask("state")["packets"] > second["packets"]), "reading goes on"
            assert all(motor["tripped"] for motor in emulated.motors().values())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_every_motor_of_the_facts_is_there():
    assert [motor.id for motor in MOTORS] == list(range(1, 10))
