"""INT-ACT's control: target poses about the measured gripper, joints at once, and failures that are told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sim_twin.int_act.scene import IntActScene
from tests.twin.int_act.worlds import episode, open_world
from touchstone.control.embodiment import Embodiment
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.robots.wx250s import ARM
from touchstone.tasks.int_act.scenes import TABLE

DT_NS = 200_000_000
START = np.array(TABLE.start)


def embodied() -> Embodiment:
    embodiment = Embodiment(ARM, IntActScene.rules)
    embodiment.reset(START, 1.0)
    return embodiment


def step(embodiment: Embodiment, k: int, action, measured, kind: str = "align2"):
    embodiment.command(Chunk(1, k * DT_NS, 0.2, kind, np.array([action], dtype=float), np.ones(1)), k * DT_NS, k)
    return embodiment.step(k * DT_NS, k, ARM.kinematics.forward(measured), measured)


def link(joints) -> np.ndarray:
    return ARM.kinematics.link_pose(joints, "ee_gripper_link").matrix()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-0.02, 0.02), min_size=3, max_size=3),
    st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=3),
    st.lists(st.floats(-0.03, 0.03), min_size=6, max_size=6),
)
def test_a_target_is_the_last_one_moved_about_the_measured_gripper_link(move, turn, lag):
    """T = Tr(c) D Tr(-c) T', twice, with poses of `ee_gripper_link` and an arm that lags behind."""
    embodiment, target, measured = embodied(), link(START), START + lag
    for k in range(2):
        c, delta = np.eye(4), np.eye(4)
        c[:3, 3] = link(measured)[:3, 3]
        delta[:3, :3], delta[:3, 3] = Rotation.from_rotvec(turn).as_matrix(), move
        target = c @ delta @ np.linalg.inv(c) @ target
        setpoint = step(embodiment, k, [*move, *turn], measured)
        assert [event.kind for event in embodiment.drain_events()] == []
        reached = link(setpoint.joints)
        assert np.allclose(reached[:3, 3], target[:3, 3], atol=2e-4) and np.allclose(reached, target, atol=2e-3)


def test_without_a_solution_the_arm_holds_where_it_is_says_so_and_the_target_stays():
    embodiment = embodied()
    measured = START + 0.01
    for k in range(3):
        setpoint = step(embodiment, k, [0.5, 0, 0, 0, 0, 0], measured)
        assert np.array_equal(setpoint.joints, measured)
        (event,) = embodiment.drain_events()
        assert event.kind == "ik_failure" and "no joint solution" in event.detail and event.step == k
    start = ARM.kinematics.forward(START).position
    assert np.allclose(setpoint.tcp.position, start + [1.5, 0, 0])
    setpoint = step(embodiment, 3, [-1.5, 0, 0.01, 0, 0, 0], measured)
    assert np.allclose(ARM.kinematics.forward(setpoint.joints).position, start + [0, 0, 0.01], atol=2e-4)


def test_no_joint_is_too_fast_and_limits_still_hold():
    embodiment = embodied()
    step(embodiment, 0, [0, 0, 0, 0, 0, 0.9], START)
    assert embodiment.drain_events() == []
    assert np.abs(embodiment.setpoint.joints - START).max() / 0.2 > ARM.limits.velocity.min()
    step(embodiment, 1, ARM.limits.upper + 0.1, START, "joint_abs")
    assert [event.kind for event in embodiment.drain_events()] == ["action_rejected"]


@pytest.fixture(scope="module")
def world():
    world = open_world(TABLE.name)
    yield world
    world.close()


def drive(world, spec, k: int, kind: str, action, gripper: float = 1.0):
    world.command(Chunk(1, k * DT_NS, 0.2, kind, np.array([action], dtype=float), np.array([gripper])))
    world.advance((k + 1) * DT_NS)
    return world.facts()


def test_physics_and_motors_are_the_suites(world):
    spec = episode("widowx_carrot_on_plate", 0)
    world.reset(spec)
    robot = world._env.agent.robot._objs[0]
    assert world._env.scene.timestep == pytest.approx(0.002) and spec.dt_ns // world._substep_ns == 100
    for body in (robot, world._env.props["carrot"].body):
        assert (body.solver_position_iterations, body.solver_velocity_iterations) == (25, 1)
    gains = [[joint.stiffness, joint.damping, joint.force_limit, joint.friction] for joint in world._drives.joints]
    # INT-ACT's code
    stiffness = (1169.789, 730.0, 808.460, 1229.130, 1272.276, 1056.333)
    damping = (330.0, 180.0, 152.120, 309.622, 201.050, 269.515)
    force = (200, 200, 100, 100, 100, 100)
    assert np.allclose(gains, np.stack([stiffness, damping, force, np.zeros(6)], axis=1), atol=0.06)
    for finger in world._drives.fingers:
        assert (finger.stiffness, finger.damping, finger.force_limit) == (1000, 200, 60)
        for shape in finger.child_link.collision_shapes:
            assert shape.physical_material.static_friction == 2.0 and shape.patch_radius == pytest.approx(0.01)


@pytest.mark.parametrize(("gripper", "target"), [(0.0, 0.014), (1.0, 0.038), (0.5, 0.026)])
def test_the_gripper_is_sent_where_the_suite_sends_it(world, gripper, target):
    spec = episode("widowx_carrot_on_plate", 0)
    world.reset(spec)
    facts = drive(world, spec, 0, "align2", [0] * 6, gripper)
    for finger in world._drives.fingers:
        assert float(np.squeeze(finger.drive_target)) == pytest.approx(target, abs=1e-6)
    assert facts.opening_commanded.value == gripper and -0.02 < facts.opening.value < 1.02


def test_joints_get_their_target_at_once_and_are_there_after_a_tick_or_two(world):
    spec = episode("widowx_carrot_on_plate", 0)
    world.reset(spec)
    before = np.array(world.facts().tcp.value[:3])
    facts = [drive(world, spec, k, "align2", [0.02, 0, 0, 0, 0, 0]) for k in range(5)]
    moved = np.diff([before[0], *(f.tcp.value[0] for f in facts)])
    assert moved[0] > 0.006 and facts[-1].tcp.value[0] - before[0] == pytest.approx(0.1, abs=0.02)
    last = [drive(world, spec, 5 + k, "align2", [0] * 6) for k in range(5)][-1]
    assert np.allclose(np.array(last.tcp.value[:3]) - before, [0.1, 0, 0], atol=1e-3)


@pytest.mark.parametrize("kind", ["target_delta", "ee_abs", "joint_abs", "joint_delta"])
def test_the_other_kinds_of_action_still_work(world, kind):
    spec = episode("widowx_carrot_on_plate", 0)
    world.reset(spec)
    pose = ARM.kinematics.forward(START)
    lower = Pose(pose.position - [0, 0, 0.02], pose.quaternion)
    joints = ARM.kinematics.inverse(lower, START).joints
    action = {
        "target_delta": [0, 0, -0.02, 0, 0, 0],
        "ee_abs": lower.to_list(),
        "joint_abs": joints,
        "joint_delta": joints - START,
    }[kind]
    drive(world, spec, 0, kind, action)
    facts = [drive(world, spec, k, "target_delta", [0] * 6) for k in range(1, 6)][-1]
    assert np.allclose(facts.tcp.value[:3], lower.position, atol=1e-3)
    assert world.events() == []
