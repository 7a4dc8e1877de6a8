"""What is wrong with an arm is one sentence, before anything moves."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from hardware.realman import controller as controller_module
from hardware.realman import heart as heart_module
from hardware.realman import reach
from hardware.realman.driver import Realman
from hardware.realman.spec import RealmanSpec
from tests.hardware.realman.conftest import UDP_PORT, commands, needs_sdk, spec_of
from touchstone.errors import TouchstoneError, UsageError

pytestmark = needs_sdk


def message_of(spec: RealmanSpec) -> str:
    arm = Realman(spec)
    with pytest.raises(TouchstoneError) as caught:
        arm.connect()
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


def untouched(emulated) -> bool:
    """Nobody asked anything of the arm but questions."""
    return not any('"set_' in line or '"move' in line for _, _, line in commands(emulated))


def test_a_name_that_is_no_host():
    assert "There is no address of 'no such host'" in message_of(RealmanSpec("no such host"))


def test_an_address_that_nobody_has(monkeypatch):
    # 192.0.2.0/24 is for documentation; whether and how a network refuses it differs
    def silent(*_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr(reach.socket, "create_connection", silent)
    assert "192.0.2.1 does not answer" in message_of(RealmanSpec("192.0.2.1"))


def test_an_address_where_nothing_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        assert f"Nothing listens on port {port} of 127.0.0.1" in message_of(RealmanSpec("127.0.0.1", port))


def test_something_else_that_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_swallow, args=(server,), daemon=True).start()
        port = server.getsockname()[1]
        assert "does not answer as a Realman controller" in message_of(RealmanSpec("127.0.0.1", port, UDP_PORT))


def _swallow(server: socket.socket) -> None:
    connections = []
    try:
        while True:
            connections.append(server.accept()[0])
    except OSError:
        for each in connections:
            each.close()


@pytest.mark.parametrize(
    ("product", "said"),
    [("RM65-BI", "is a RM65-B and Touchstone drives a RM75-B"), ("RM75-6FI", "is a RM75-6F and Touchstone drives")],
)
def test_another_arm(emulated, product, said):
    emulated.ask("reset", product=product)
    assert said in message_of(spec_of(emulated))
    assert untouched(emulated)


@pytest.mark.parametrize(("there", "expected"), [(3, 4), (4, 3)])
def test_another_generation(emulated, there, expected):
    emulated.ask("reset", generation=there)
    said = message_of(spec_of(emulated, generation=expected))
    assert f"is of generation {there} (firmware V1.7.0), not {expected}" in said
    assert untouched(emulated)


@pytest.mark.parametrize("generation", [3, 4])
def test_the_generation_that_is_expected(emulated, generation):
    emulated.ask("reset", generation=generation)
    arm = Realman(spec_of(emulated, generation=generation))
    arm.connect()
    arm.close()


def test_a_controller_in_error(emulated):
    emulated.ask("controller_error", code=0x1005)
    assert "reports error 0x1005 (the joints' bus);" in message_of(spec_of(emulated))
    assert untouched(emulated)


def test_a_joint_in_error(emulated):
    emulated.ask("joint_error", joint=3, code=0x60)
    said = message_of(spec_of(emulated))
    assert "joint_3 of the arm at" in said and "0x0060 (encoder, current too high);" in said


@pytest.mark.parametrize("fault", [("gripper", {"online": False}), ("silence", {"commands": ["get_gripper_state"]})])
def test_a_gripper_that_is_missing(emulated, fault):
    emulated.ask(fault[0], **fault[1])
    said = message_of(spec_of(emulated))
    assert "gripper" in said and "24 V" in said
    assert untouched(emulated)


def test_a_udp_port_in_use(emulated):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 0))
        port = other.getsockname()[1]
        spec = RealmanSpec(emulated.host, emulated.port, port)
        assert f"UDP port {port} is in use by another process" in message_of(spec)
    assert commands(emulated) == []


def test_a_sixth_udp_port_of_one_process(monkeypatch):
    monkeypatch.setattr(reach, "_ours", {1, 2, 3, 4, 5})
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = message_of(RealmanSpec("127.0.0.1", server.getsockname()[1], UDP_PORT))
    assert "takes no more than 5 UDP ports" in said and "1, 2, 3, 4, 5" in said


def test_a_push_that_never_arrives(emulated):
    emulated.ask("udp_silence", on=True)
    assert f"No state of {emulated.host}:{emulated.port} arrives on UDP port" in message_of(spec_of(emulated))


def test_an_arm_in_use_names_the_process(arm, emulated):
    assert f"in use by process {os.getpid()}" in message_of(spec_of(emulated))


def test_a_second_connect_of_the_same_driver(arm):
    with pytest.raises(UsageError, match="connected already"):
        arm.connect()


def test_a_guard_without_a_link_of_its_own(emulated, monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = nobody.getsockname()[1]
        begin = heart_module.Heart.__init__
        monkeypatch.setattr(heart_module.Heart, "__init__", lambda self, a, _, *rest: begin(self, a, closed, *rest))
        assert "The guard process gets no link of its own" in message_of(spec_of(emulated))
    assert commands(emulated, "movej") == []


def test_the_sdk_is_not_there(emulated, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "Robotic_Arm", None)
    assert "pip install Robotic_Arm" in message_of(spec_of(emulated))


def test_a_refused_arm_is_let_go(emulated):
    emulated.ask("controller_error", code=0x1005)
    arm = Realman(spec_of(emulated))
    for _ in range(2):  # a lock that was kept would make the second one another sentence
        with pytest.raises(UsageError, match="0x1005"):
            arm.connect()
    emulated.ask("clear")
    arm.connect()
    arm.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_hz": 50},
        {"rate_hz": float("nan")},
        {"guard_ms": 10},
        {"guard_ms": 60_000},
        {"port": 0},
        {"udp_port": 70_000},
        {"generation": 2},
    ],
)
def test_a_wrong_spec_is_refused(wrong):
    with pytest.raises(UsageError):
        RealmanSpec("192.168.1.18", **wrong)


def test_calls_before_connect_say_so():
    arm = Realman(RealmanSpec("192.168.1.18"))
    for call in (arm.state, arm.hold, lambda: arm.stop("x"), arm.take_interventions):
        with pytest.raises(UsageError, match="not connected"):
            call()
    arm.close()


def test_a_call_that_hangs_is_left_behind(emulated, monkeypatch):
    """RealMan's SDK has a deadlock; whoever calls it gets a sentence nevertheless."""
    monkeypatch.setattr(controller_module, "ANSWER_S", 0.2)
    let_go = threading.Event()
    arm = Realman(spec_of(emulated))
    arm.connect()
    try:
        monkeypatch.setattr(arm._controller._arm, "rm_set_arm_stop", let_go.wait, raising=False)
        for call in (arm._controller.stop, arm._controller.gripper):
            with pytest.raises(TouchstoneError, match="SDK hangs"):
                call()
    finally:
        let_go.set()
        arm._controller._stuck = False
        arm.close()
