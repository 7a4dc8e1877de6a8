"""Heights over the table and the arithmetic of braking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.bench import TABLE_Z
from touchstone.geometry import Pose
from touchstone.robots.base import arm
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.motion import Motion, Planner, brake, braking_distance, braking_time

ARMS = {name: arm(name) for name in ("wx250s", "rm75")}
LINKS = {name: LinkHeights(each) for name, each in ARMS.items()}
WIDOWX = ARMS["wx250s"]
ACCELERATION = WIDOWX.limits.acceleration
six = st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6).map(np.array)


def test_the_widowx_fingertips_are_ten_millimetres_beyond_the_tcp():
    found = LinkHeights(WIDOWX).at(np.array(WIDOWX.ready))
    assert found.tips == pytest.approx(WIDOWX.ready_tcp.position[2] - TABLE_Z - 0.010, abs=1e-9)


@pytest.mark.parametrize("name", ARMS)
def test_the_tcp_is_that_of_the_arms_kinematics(name):
    joints = np.linspace(-0.3, 0.4, len(ARMS[name].joint_names))
    assert np.allclose(LinkHeights(ARMS[name]).at(joints).tcp, ARMS[name].kinematics.forward(joints).position)


def test_a_raised_or_tilted_table_counts():
    joints, level = np.array(WIDOWX.ready), Pose.from_list([0, 0, TABLE_Z, 1, 0, 0, 0])
    nominal = LinkHeights(WIDOWX, level).at(joints).tips
    raised = LinkHeights(WIDOWX, Pose.from_list([0, 0, TABLE_Z + 0.05, 1, 0, 0, 0])).at(joints).tips
    assert raised == pytest.approx(nominal - 0.05)
    tilt = np.radians(10)
    tilted = Pose.from_list([0, 0, TABLE_Z, np.cos(tilt / 2), 0, -np.sin(tilt / 2), 0])  # rises away from the base
    assert LinkHeights(WIDOWX, tilted).at(joints).tips < nominal - 0.03


@pytest.mark.parametrize("name", ARMS)
@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_height_changes_faster_than_the_reach_allows(name, seed):
    rng, limits, heights = np.random.default_rng(seed), ARMS[name].limits, LINKS[name]
    joints = rng.uniform(limits.lower, limits.upper)
    moved = np.clip(joints + rng.uniform(-0.1, 0.1, len(joints)), limits.lower, limits.upper)
    before, after = heights.at(joints), heights.at(moved)
    room = heights.reach * np.abs(moved - joints).sum() + 1e-9
    assert abs(after.tips - before.tips) <= room and abs(after.links - before.links) <= room
    assert np.linalg.norm(after.tcp - before.tcp) <= room


@pytest.mark.parametrize("name", ARMS)
@settings(deadline=None)
@given(newtons=st.floats(0, 100), axis=st.integers(0, 2))
def test_the_force_at_the_tcp_is_worked_out_from_the_efforts(name, newtons, axis):
    joints, heights = np.array(ARMS[name].ready) + 0.1, LINKS[name]
    effort = np.array([0.0] * len(joints))
    for i in range(len(joints)):
        step = np.zeros(len(joints))
        step[i] = 1e-6
        effort[i] = -newtons * (heights.at(joints + step).tcp - heights.at(joints - step).tcp)[axis] / 2e-6
    holding = heights.gravity(joints)
    assert heights.tip_force(joints, holding) == pytest.approx(0, abs=1e-9)
    assert heights.tip_force(joints, holding + effort) == pytest.approx(newtons, abs=0.05 + 0.01 * newtons)


@settings(deadline=None)
@given(six, six, st.lists(st.floats(0.001, 0.1), max_size=20))
def test_braking_in_pieces_ends_where_braking_at_once_ends(position, velocity, pieces):
    motion = Motion(position, velocity)
    rest = position + braking_distance(motion, ACCELERATION)
    for dt in pieces:
        before, motion = motion, brake(motion, dt, ACCELERATION)
        assert (np.abs(motion.velocity - before.velocity) <= ACCELERATION * dt + 1e-9).all()
        assert np.allclose(motion.position + braking_distance(motion, ACCELERATION), rest, atol=1e-9)
    assert brake(motion, 10.0, ACCELERATION).standing
    assert braking_time(brake(motion, 10.0, ACCELERATION), ACCELERATION) == 0


@settings(deadline=None)
@given(six, six)
def test_a_planned_motion_arrives_and_stays(start, goal):
    planner, motion = Planner(6, ACCELERATION), Motion.at_rest(start)
    for _ in range(500):
        motion = planner.towards(motion, goal, 0.02, WIDOWX.limits.velocity)
    assert motion.standing and np.allclose(motion.position, goal)
