"""The emulated controller's process on the wire: TCP lines, UDP states, faults."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hardware.emulators.realman.control import EmulatedController, free_udp_port
from tests.hardware.realman.conftest import until

ROOT = Path(__file__).parents[3]
QUESTION = {"command": "get_arm_power_state"}


class Client:
    """A TCP client that speaks the controller's JSON lines."""

    def __init__(self, emulated) -> None:
        self.socket = socket.create_connection((emulated.host, emulated.port), timeout=10)
        self._lines = self.socket.makefile("rb")

    def say(self, message, end: bytes = b"\r\n") -> None:
        self.socket.sendall((message if isinstance(message, bytes) else json.dumps(message).encode()) + end)

    def hear(self) -> dict:
        line = self._lines.readline()
        assert line.endswith(b"\r\n")
        return json.loads(line)

    def ask(self, message) -> dict:
        self.say(message)
        return self.hear()


@pytest.fixture(scope="module")
def plain():
    """One that no driver in this process has to do with."""
    with EmulatedController() as emulated:
        yield emulated


@pytest.fixture
def emulated(plain):
    plain.ask("reset")
    return plain


@pytest.fixture
def client(emulated):
    client = Client(emulated)
    yield client
    client.socket.close()


def test_lines_may_come_in_pieces_and_several_at_once(client):
    client.say(b'{"command":"get_arm_', end=b"")
    client.say(b'power_state"}\r\n{"command":"get_arm_power_state"}')
    assert client.hear() == client.hear() == {"state": "arm_power_state", "power_state": 1}


def test_nonsense_is_not_answered_and_does_no_harm(client):
    for nonsense in (b"", b"nonsense", b"[]", b'"text"', b"\xff\xfe", b'{"command":"movej_canfd"}', b'{"command":5}'):
        client.say(nonsense)
    assert client.ask(QUESTION)["power_state"] == 1


def test_every_client_is_answered_on_its_own_link_and_told_what_is_announced(emulated, client):
    other = Client(emulated)
    joints = [0, 21772, 0, 79068, 0, 79159, 2000]
    assert client.ask({"command": "movej", "joint": joints, "v": 50, "r": 0})["receive_state"] is True
    assert client.hear()["trajectory_state"] is other.hear()["trajectory_state"] is True
    emulated.ask("plan_failure", count=1)
    client.say({"command": "movej", "joint": joints, "v": 50, "r": 0})
    assert False in [client.hear().get("trajectory_state") for _ in range(2)]
    other.socket.close()


def test_the_state_is_pushed_to_whom_a_client_says(emulated, client):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        port = receiver.getsockname()[1]
        config = {"command": "set_realtime_push", "enable": True, "cycle": 2, "port": port, "ip": "127.0.0.1"}
        assert client.ask(config)["state"] is True
        data, (sender, _) = receiver.recvfrom(65536)
        state = json.loads(data)
        assert sender == emulated.host and state["joint_status"]["joint_position"][1] == 21772
        assert state["waypoint"]["position"] == pytest.approx([301_208, 0, 294_742], abs=2)
        assert state["err"] == [0] and state["arm_current_status"] == "idle"
        emulated.ask("controller_error", code=0x100D)
        assert until(lambda: json.loads(receiver.recv(65536))["err"] == [0x100D])


def test_answers_are_lost_damaged_late_or_kept_back_on_request(emulated, client):
    emulated.ask("drop", count=1)
    client.say(QUESTION)
    assert client.ask({"command": "get_gripper_state"})["command"] == "get_gripper_state"
    emulated.ask("corrupt", count=1)
    client.say(QUESTION)
    with pytest.raises(json.JSONDecodeError):
        client.hear()
    emulated.ask("delay", count=1, seconds=0.3)
    client.say(QUESTION)
    client.say({"command": "get_gripper_state"})
    assert "actpos" in client.hear() and "power_state" in client.hear()
    emulated.ask("silence", commands=["get_arm_power_state"])
    client.say(QUESTION)
    assert "actpos" in client.ask({"command": "get_gripper_state"})


def test_a_hung_controller_keeps_its_links_and_goes_on_where_it_was(emulated, client):
    emulated.ask("hang", on=True)
    client.say(QUESTION)
    client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.socket.recv(1)
    client.socket.settimeout(10)
    emulated.ask("hang", on=False)
    assert json.loads(client.socket.recv(1000))["power_state"] == 1


def test_a_broken_network_takes_no_links_until_it_is_back(emulated, client):
    emulated.ask("disconnect")
    with contextlib.suppress(ConnectionResetError):
        assert client.socket.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        Client(emulated)
    emulated.ask("reconnect")
    assert Client(emulated).ask(QUESTION)["power_state"] == 1


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("make_coffee", {}),
        ("joint_error", {"joint": 8, "code": 1}),
        ("block", {"joints": ["elbow"]}),
        ("reset", {"generation": 5}),
        ("push_config", {"colour": "red"}),
        ("delay", {"count": 1}),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_told_in_one_sentence(emulated, operation, arguments):
    with pytest.raises(ValueError, match=r"^[^\n]+\.$"):
        emulated.ask(operation, **arguments)


def test_a_port_in_use_is_one_sentence(emulated, tmp_path):
    command = [sys.executable, "-m", "hardware.emulators.realman", "--control", str(tmp_path / "control")]
    options = ["--host", emulated.host, "--port", str(emulated.port), "--udp-port", str(free_udp_port())]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Cannot listen on") and done.stderr.count("\n") == 1
