"""`arm_node` with `driver:=interbotix`."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from robot_bridge import topics
from sensor_msgs.msg import JointState

from tests.ros.graph import graph, interrupt, sentence_of, values
from tests.ros.interbotix.conftest import NAME, ROOT
from touchstone.robots.wx250s import ARM

NEAR = 0.06  # [rad], what `to_start` calls there


def test_without_interbotix_messages_the_node_ends_in_one_sentence(tmp_path):
    with graph(tmp_path) as g:
        sentence = sentence_of(g.start("robot_bridge.arm_node", driver="interbotix"))
    assert "interbotix_xs_msgs" in sentence


@pytest.mark.long
def test_a_person_moves_an_arm_behind_an_xs_sdk_by_the_nodes_services(built, bus, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(built), os.environ.get("PYTHONPATH", "")])))
    with graph(tmp_path) as g:
        command = [sys.executable, "-m", "tests.ros.interbotix.standin", bus.port, NAME]
        standin = subprocess.Popen(command, env=g.env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert standin.stdout.readline() == "up\n"
            node = g.start("robot_bridge.arm_node", driver="interbotix", operator="Ada", diagnostics_hz=5.0)
            states = g.listen(topics.JOINT_STATES, JointState)
            status = g.diagnostics("arm_node")
            g.until(lambda: states and status())
            assert status().level == DiagnosticStatus.WARN and values(status())["temperature gripper"] == "30"
            assert g.call("/arm_node/rearm")[0]
            success, why = g.call("/arm_node/home")
            assert success, why
            g.until(lambda: np.abs(np.array(states[-1].position[:6]) - ARM.home).max() < NEAR, "home")
            assert abs(bus.ask("state")["positions"]["wrist_angle"] - ARM.home[4]) < NEAR
            assert interrupt(node) == 0
            assert {(motor["torque"], motor["watchdog"]) for motor in bus.motors().values()} == {(1, 0)}
        finally:
            standin.kill()
            standin.wait()
            standin.stdout.close()
