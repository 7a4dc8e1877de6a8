"""What RealMan's SDK does that a driver must know.

The first half shows the traps in the SDK itself, and fails once a newer one is without them; the second half shows that
the driver does not step into them.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hardware.emulators.realman.control import free_udp_port
from hardware.realman import sdk as our_sdk
from hardware.realman.controller import Controller, ControllerFailure, ControllerGone
from tests.hardware.realman.conftest import READY, commands, needs_sdk, spec_of, until

pytestmark = needs_sdk
ROOT = Path(__file__).parents[3]
LONG_ENOUGH = 4.0  # [s]; without the deadlock it takes 5 ms


@pytest.fixture
def controller(emulated):
    controller = Controller(spec_of(emulated))
    controller.open(lambda state: None)
    yield controller
    controller.close()


def in_a_process(lines: str, emulated, timeout: float = 60.0) -> str:
    """What Python prints that is connected as `c`; of one that hangs, what it had printed."""
    program = (
        "from hardware.realman.controller import Controller\n"
        "from hardware.realman import controller as module, sdk\n"
        "from hardware.realman.spec import RealmanSpec\n"
        f"spec = RealmanSpec('{emulated.host}', {emulated.port}, {free_udp_port()})\n"
        "c = Controller(spec)\n"
        "c.open(lambda state: None)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program + lines], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        return process.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0] + "(hangs)"


# the SDK


def test_an_emergency_stop_is_refused_on_generation_3_and_what_follows_deadlocks(emulated):
    said = in_a_process(
        "print(c._arm.rm_set_arm_emergency_stop(True), flush=True)\n"
        f"module.ANSWER_S = {LONG_ENOUGH}\n"
        "try:\n"
        "    c.set_push()\n"
        "except module.ControllerFailure as failure:\n"
        "    print(failure, flush=True)\n"
        "c.close()\n"
        "print('closed', flush=True)\n",
        emulated,
    )
    refused, sentence, closed = said.splitlines()[:3]
    assert refused == "-4" and "SDK hangs" in sentence and closed == "closed"
    assert not commands(emulated, "set_arm_emergency_stop"), "it never reached the wire"


def test_a_blocking_grip_is_ended_by_the_push_of_device_1(controller):
    assert controller._arm.rm_set_gripper_position(700, True, 10) == 0


@pytest.fixture
def unanswered(controller, emulated):
    """A question that is on its way and gets no answer; the SDK gives it up after half a second."""
    emulated.ask("silence", commands=["get_gripper_state"])
    asking = threading.Thread(target=controller._arm.rm_get_gripper_state)
    asking.start()
    assert until(lambda: commands(emulated, "get_gripper_state"))
    yield asking
    asking.join()


def test_a_stop_goes_out_at_once_and_its_call_waits_until_another_question_is_given_up(
    controller, emulated, unanswered
):
    stopping = threading.Thread(target=controller._arm.rm_set_arm_stop)
    stopping.start()
    assert until(lambda: commands(emulated, "set_arm_stop"))
    assert unanswered.is_alive() and stopping.is_alive()
    stopping.join()


def test_setpoints_do_not_wait(controller, emulated, unanswered):
    controller.setpoint(READY)
    assert until(lambda: commands(emulated, "movej_canfd"))
    assert unanswered.is_alive()


# our use of it


def test_a_grip_is_sent_without_blocking_and_without_the_sleep_of_timeout_0(controller, monkeypatch):
    asked = []
    for name in ("rm_set_gripper_position", "rm_set_gripper_pick_on"):
        monkeypatch.setattr(controller._arm, name, lambda *a, name=name: asked.append((name, *a)) or 0, raising=False)
    controller.grip(0.5, 5.0)
    controller.grip(0.0, 5.0)
    assert asked == [("rm_set_gripper_position", 500 + 1, False, 1), ("rm_set_gripper_pick_on", 500, 510, False, 1)]


def test_the_first_setpoint_after_a_lost_link_seems_sent_and_a_new_handle_mends_it(controller, emulated):
    emulated.ask("disconnect")
    assert until(lambda: _raises(ControllerGone, lambda: controller.setpoint(READY)))
    with pytest.raises(ControllerGone):
        controller.stop()
    emulated.ask("reconnect")
    with pytest.raises(ControllerGone):
        controller.setpoint(READY)  # it never comes back by itself
    controller.close()
    controller.open(lambda state: None)
    controller.setpoint(READY)
    controller.stop()
    assert commands(emulated, "movej_canfd")


def _raises(kind, call) -> bool:
    try:
        call()
    except kind:
        return True
    return False


def test_a_hung_controller_is_told_after_the_sdks_half_second(controller, emulated):
    emulated.ask("hang", on=True)
    with pytest.raises(ControllerFailure, match="does not answer when it is to tell its gripper"):
        controller.gripper()
    emulated.ask("hang", on=False)
    assert controller.gripper().online


def test_damaged_and_late_answers_are_failures_and_not_values(controller, emulated):
    emulated.ask("corrupt", count=1)
    with pytest.raises(ControllerFailure):
        controller.gripper()
    emulated.ask("delay", count=1, seconds=0.2)
    assert controller.gripper().online


def test_a_failed_connect_is_forgotten(emulated):
    """The SDK would take the pushes of this address for the handle that failed."""
    emulated.ask("silence", commands=["get_joint_max_acc"])
    failing = Controller(spec_of(emulated))
    with pytest.raises(Exception, match="does not answer as a Realman controller"):
        failing.open(lambda state: None)
    emulated.ask("silence", commands=[])
    heard = []
    again = Controller(spec_of(emulated))
    again.open(heard.append)
    assert until(lambda: heard)
    again.close()


def test_the_sdks_threads_are_started_once(controller, monkeypatch):
    import Robotic_Arm.rm_robot_interface as sdk

    monkeypatch.setattr(sdk, "rm_init", lambda mode: pytest.fail("started again"))
    our_sdk._start()
