"""Whatever becomes of `arm_node`, the motors stop by themselves."""

from __future__ import annotations

import os
import signal
import time

import pytest
from robot_bridge import topics
from sensor_msgs.msg import JointState

from hardware.emulators.dynamixel.control import EmulatedBus
from tests.ros.graph import graph
from tests.ros.runs import wait_until

pytestmark = pytest.mark.long
SHOULDER = 2  # the motor's id


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_node_that_is_killed_or_frozen_under_way_leaves_an_arm_that_its_motors_stop_and_hold(tmp_path, number):
    with EmulatedBus(pose="sleep") as bus, graph(tmp_path) as g:
        node = g.start("robot_bridge.arm_node", port=bus.port, operator="Ada")
        states = g.listen(topics.JOINT_STATES, JointState)
        assert g.call("/arm_node/rearm")[0]
        g.ask("/arm_node/home")
        shoulder = list(g.until(lambda: states)[0].name).index("shoulder")
        g.until(lambda: states[-1].position[shoulder] > -1.6, "motion")
        os.kill(node.pid, number)

        wait_until(lambda: all(motor["tripped"] for motor in bus.motors().values()), 20.0)
        wait_until(lambda: max(map(abs, bus.ask("state")["velocities"].values())) < 1e-4, 20.0)
        stopped = bus.ask("state")["positions"]
        assert stopped["shoulder"] < -0.1, "it stopped on its way"
        time.sleep(0.3)
        assert bus.ask("state")["positions"] == pytest.approx(stopped, abs=1e-4)
        assert {motor["torque"] for motor in bus.motors().values()} == {1}
