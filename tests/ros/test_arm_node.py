"""`arm_node` on the emulated bus: topics, services, diagnostics, and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from robot_bridge import topics
from robot_bridge.devices import SLEEP
from robot_bridge.stamps import to_ns
from sensor_msgs.msg import JointState

from hardware.emulators.dynamixel.control import EmulatedBus
from tests.ros.graph import LIMIT, graph, interrupt, sentence_of, values
from touchstone.robots.base import arm

ARM = arm("wx250s")
#: a gate does not forgive a machine that is too busy for it
SCALE = 0.5
SLOWED = {"time_scale": SCALE, "plant": "twin"}
NEAR = 0.06  # [rad], what `to_start` calls there


@pytest.fixture
def bus():
    with EmulatedBus(pose="sleep", time_scale=SCALE) as bus:
        yield bus


def joints(message: JointState) -> np.ndarray:
    return np.array([message.position[list(message.name).index(name)] for name in ARM.joint_names])


def test_a_person_moves_stops_and_lets_go_of_the_arm_by_services(bus, tmp_path):
    with graph(tmp_path) as g:
        node = g.start(
            "robot_bridge.arm_node", port=bus.port, **SLOWED, operator="Ada", rate_hz=20.0, diagnostics_hz=5.0
        )
        states = g.listen(topics.JOINT_STATES, JointState)
        poses = g.listen(topics.EE_POSE, PoseStamped)
        status = g.diagnostics("arm_node")
        g.until(lambda: states and status())
        assert status().level == DiagnosticStatus.WARN and "not armed yet" in status().message
        assert np.abs(joints(states[0]) - SLEEP["wx250s"]).max() < NEAR

        success, why = g.call("/arm_node/home")
        assert not success and "re-arm" in why
        assert g.call("/arm_node/rearm")[0]
        assert g.call("/arm_node/home")[0]
        g.until(lambda: np.abs(joints(states[-1]) - ARM.home).max() < NEAR, "home")
        tcp = g.until(
            lambda: next((p for p in poses if to_ns(p.header.stamp) == to_ns(states[-1].header.stamp)), None), "pose"
        )
        expected = ARM.kinematics.forward(joints(states[-1])).position
        p = tcp.pose.position
        assert np.allclose([p.x, p.y, p.z], expected, atol=1e-9) and tcp.header.frame_id == ARM.base_link

        # a stop is heard while the arm is under way, and ends the way
        on_the_way = g.ask("/arm_node/sleep")
        g.until(lambda: np.abs(joints(states[-1]) - ARM.home).max() > NEAR, "the way to sleep")
        assert g.call("/arm_node/stop")[0]
        success, why = g.until(on_the_way)
        assert not success and "~/stop" in why
        stopped_at = joints(states[-1])
        assert np.abs(stopped_at - SLEEP["wx250s"]).max() > NEAR
        g.until(lambda: status().level == DiagnosticStatus.ERROR, "the error")
        assert values(status())["torque"] == "True" and values(status())["count operator_stop"] == "1"

        success, why = g.call("/arm_node/torque_off", False)
        assert not success and "hold it" in why
        assert g.call("/arm_node/torque_off", True)[0]
        g.until(lambda: values(status())["torque"] == "False", "torque off")
        assert {motor["torque"] for motor in bus.motors().values()} == {0}
        assert interrupt(node) == 0


@pytest.mark.long
def test_nothing_moves_while_hands_are_in_the_bench(bus, tmp_path):
    with graph(tmp_path) as g:
        g.start("robot_bridge.arm_node", port=bus.port, **SLOWED, operator="Ada")
        assert g.call("/arm_node/rearm")[0]
        assert g.call("/arm_node/inhibit", True)[0]
        success, why = g.call("/arm_node/home")
        assert not success and "hands" in why
        assert g.call("/arm_node/inhibit", False)[0]
        assert g.call("/arm_node/home")[0]


def test_the_services_are_asked_for_from_a_command_line_too(bus, tmp_path):
    def ask(*words) -> tuple[int, str]:
        command = [sys.executable, "-m", "robot_bridge.arm_service", *words]
        ended = subprocess.run(command, env=g.env, capture_output=True, text=True, timeout=LIMIT, check=False)
        return ended.returncode, (ended.stdout + ended.stderr).strip()

    with graph(tmp_path) as g:
        g.start("robot_bridge.arm_node", port=bus.port, **SLOWED)
        g.until(lambda: "/arm_node/stop" in dict(g.node.get_service_names_and_types()))
        assert ask("stop") == (0, "The arm brakes and holds with torque; ~/rearm lets it move again.")
        code, said = ask("rearm")
        assert code == 1 and "operator" in said, "nobody is named who re-arms it"
        code, said = ask("torque_off", "no")
        assert code == 1 and "hold it" in said
        assert ask("torque_off")[0] == ask("home", "yes")[0] == ask("dance")[0] == 2


def test_a_read_only_node_shows_the_arm_and_writes_nothing(bus, tmp_path):
    before = bus.motors()
    with graph(tmp_path) as g:
        node = g.start("robot_bridge.arm_node", port=bus.port, **SLOWED, read_only="true")
        states = g.listen(topics.JOINT_STATES, JointState)
        stamps = g.until(lambda: [to_ns(state.header.stamp) for state in states] if len(states) > 20 else None)
        assert stamps == sorted(set(stamps))
        services = dict(g.node.get_service_names_and_types())
        assert not any(name.startswith("/arm_node/") and "std_srvs" in kinds[0] for name, kinds in services.items())
        assert interrupt(node) == 0
    written = ("torque", "watchdog", "goal", "drive_mode", "homing_offset", "profile_velocity", "goal_pwm")
    for id, motor in bus.motors().items():
        assert {key: motor[key] for key in written} == {key: before[id][key] for key in written}


@pytest.mark.long
def test_speed_is_a_part_of_the_arms_own(bus, tmp_path):
    with graph(tmp_path) as g:
        g.start("robot_bridge.arm_node", port=bus.port, **SLOWED, operator="Ada", speed=0.1)
        states = g.listen(topics.JOINT_STATES, JointState)
        assert g.call("/arm_node/rearm")[0]
        under_way = g.ask("/arm_node/home")
        g.until(lambda: joints(states[-1])[1] > -1.7, "motion")
        fastest = max(abs(speed) for state in states for speed in state.velocity[: len(ARM.joint_names)])
        # the gate's ramp takes a quarter of the tenth; an encoder's speed is coarse
        assert fastest < 0.1 * ARM.limits.velocity[1]
        assert under_way() is None
        assert g.call("/arm_node/stop")[0]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"port": "/dev/not-there"}, ["/dev/not-there"]),
        ({}, ["port=/dev/ttyDXL"]),
        ({"robot": "rm75"}, ["host=192.168.1.18"]),
        ({"robot": "r2d2"}, ["r2d2"]),
        ({"port": "/dev/x", "speed": "2.0"}, ["speed"]),
        ({"port": "/dev/x", "rearm": "true"}, ["person", "rearm"]),
        ({"port": "/dev/x", "time_scale": "0.5"}, ["time scale", "plant"]),
        ({"port": "/dev/x", "camera": "nowhere.yaml"}, ["nowhere.yaml"]),
    ],
)
def test_what_cannot_work_is_one_sentence(tmp_path, parameters, words):
    with graph(tmp_path) as g:
        sentence = sentence_of(g.start("robot_bridge.arm_node", **parameters))
    assert all(word in sentence for word in words), sentence


def test_an_unknown_stage_is_one_sentence_after_the_arm_was_met(bus, tmp_path):
    with graph(tmp_path) as g:
        sentence = sentence_of(g.start("robot_bridge.arm_node", port=bus.port, **SLOWED, stage="moon"))
    assert "'moon'" in sentence and "plant:SOCKET" in sentence
    assert {motor["torque"] for motor in bus.motors().values()} == {0}
