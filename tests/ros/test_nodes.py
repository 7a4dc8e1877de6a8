"""How a node starts and ends: parameters, signals, errors, diagnostics."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from eval.domains import own_domain
from rclpy.executors import SingleThreadedExecutor

from touchstone.environment import clean_environment

LIMIT = 60.0

NODE = """
import sys
from rclpy.node import Node
from robot_bridge.lifetime import Diagnostics, run_node, spin
from touchstone.errors import MissingPart

class Probe(Node):
    def __init__(self):
        super().__init__("probe")
        self.diagnostics = Diagnostics(self, lambda: {"answer": 42})
        self.diagnostics.ok("ready")

    def destroy_node(self):
        print("closed", flush=True)
        super().destroy_node()

def work(node, signals, executor):
    print("up", flush=True)
    if sys.argv[1] == "fails":
        raise MissingPart("There is no lamp; buy one.")
    if sys.argv[1] == "leads":
        while True:
            signals.check()
            executor.spin_once(timeout_sec=0.1)
    spin(node, signals, executor)

sys.exit(run_node(lambda _: Probe(), work))
"""


@pytest.fixture
def environment():
    with own_domain({}) as domain:
        yield {
            **clean_environment(os.environ),
            "ROS_DOMAIN_ID": str(domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        }


def start(environment, *arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("role", "number", "code"),
    [
        ("serves", signal.SIGINT, 0),
        ("serves", signal.SIGTERM, 0),
        ("leads", signal.SIGINT, 130),
        ("leads", signal.SIGTERM, 143),
    ],
)
def test_a_node_ends_cleanly_however_often_it_is_told_to(environment, role, number, code):
    node = start(environment, "-c", NODE, role)
    assert node.stdout.readline() == "up\n"
    for _ in range(3):
        node.send_signal(number)
    stdout, stderr = node.communicate(timeout=LIMIT)
    assert (node.returncode, stdout, stderr) == (code, "closed\n", "")


def test_what_a_user_can_mend_is_one_sentence_and_its_exit_code(environment):
    node = start(environment, "-c", NODE, "fails")
    stdout, stderr = node.communicate(timeout=LIMIT)
    assert (node.returncode, stdout) == (2, "up\nclosed\n")
    assert stderr == "touchstone: There is no lamp; buy one.\n"


@pytest.mark.parametrize(
    ("module", "parameter"),
    [
        ("eval.episode_node", "trials:=0"),
        ("eval.episode_node", "seed:=often"),
        ("policy_bridge.policy_node", "connect_s:=-1.0"),
        ("robot_bridge.twin_node", "robot:=r2d2"),
        ("robot_bridge.twin_node", "world:=moon"),
    ],
)
def test_a_parameter_out_of_range_is_refused_in_one_sentence(environment, module, parameter):
    node = start(environment, "-m", module, "--ros-args", "-p", parameter)
    _, stderr = node.communicate(timeout=LIMIT)
    assert node.returncode == 2
    (line,) = stderr.splitlines()
    assert line.startswith("touchstone: ") and parameter.split(":=")[0] in line


def test_diagnostics_come_by_themselves(environment):
    node = start(environment, "-c", NODE, "serves")
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(environment["ROS_DOMAIN_ID"]))
    executor = SingleThreadedExecutor(context=context)
    listener = rclpy.create_node("listener", context=context)
    try:
        executor.add_node(listener)
        heard = []
        listener.create_subscription(DiagnosticArray, "/diagnostics", lambda m: heard.extend(m.status), 10)
        for _ in range(int(LIMIT * 10)):
            executor.spin_once(timeout_sec=0.1)
            if heard:
                break
        (status,) = heard[:1]
        assert (status.name, status.message, status.level) == ("probe", "ready", b"\0")
        assert [(value.key, value.value) for value in status.values] == [("answer", "42")]
    finally:
        executor.shutdown()
        listener.destroy_node()
        context.try_shutdown()
        node.kill()
        node.communicate()
