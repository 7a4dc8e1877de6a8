"""The chunking expert's plans, without a twin: legs, their rolling out, and the same plan as poses."""

import numpy as np
import pytest

from policy_server.policies import pick_motion, touch_motion
from policy_server.policies.expert_chunks import _poses
from policy_server.policies.legs import SETTLE_S, Leg, Start, legs_of, roll
from touchstone.bench import CARD_THICKNESS, CUBE_SIDE, TABLE_Z
from touchstone.errors import UsageError
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM

CARD, CUBE = np.array([0.34, 0.2]), np.array([0.28, 0.0, TABLE_Z + CUBE_SIDE / 2])
HOME = ARM.ready_tcp


def start(at=HOME.position, opening=1.0, closing=False, held=False) -> Start:
    return Start(Pose(np.array(at), HOME.quaternion), np.array(at), np.zeros(3), opening, closing, held)


def way(actions: np.ndarray, at=HOME.position) -> np.ndarray:
    return at + np.cumsum(actions[:, :3], axis=0)


def test_a_touch_goes_over_the_card_first_then_down_waits_and_closes():
    actions, gripper = roll(legs_of("touch-emoji", start(), CARD, None), start(), 40, 5.0)
    path = way(actions)
    goal = [*CARD, TABLE_Z + CARD_THICKNESS + touch_motion.FINGER_HEIGHT]
    assert path[-1] == pytest.approx(goal, abs=1e-6)
    low = path[:, 2] < goal[2] + touch_motion.HOVER - 1e-6
    assert np.linalg.norm(path[low][:, :2] - CARD, axis=1).max() < touch_motion.OVER_CARD
    arrived, closed = np.argmax(np.linalg.norm(path - goal, axis=1) < 1e-6), np.argmax(gripper < 0.5)
    assert closed - arrived >= round(SETTLE_S * 5)
    assert np.linalg.norm(actions[:, :3], axis=1).max() <= touch_motion.MAX_SPEED / 5 + 1e-9
    assert (gripper[closed:] == 0).all() and (actions[closed:, :3] == 0).all()


def test_a_whole_pick_brings_the_cube_from_its_place_to_the_card():
    actions, gripper = roll(legs_of("pick-emoji", start(), CARD, CUBE), start(), 400, 20.0)
    path = way(actions)
    closed = np.flatnonzero(gripper < 0.5)
    assert path[closed[0] - 1] == pytest.approx(CUBE, abs=1e-6)
    assert path[closed[-1]][:2] == pytest.approx(CARD, abs=1e-6)
    assert path[closed[-1]][2] == pytest.approx(TABLE_Z + CARD_THICKNESS + CUBE_SIDE / 2 + pick_motion.DROP, abs=1e-6)
    assert path[closed][:, 2].max() == pytest.approx(TABLE_Z + pick_motion.CARRY, abs=1e-6)


@pytest.mark.parametrize(
    ("begins", "cube", "first"),
    [
        (start(), CUBE, Leg(CUBE + [0, 0, pick_motion.HOVER], 1.0)),
        (start(CUBE + [0, 0, 0.05]), CUBE, Leg(CUBE, 1.0)),
        (start(CUBE, opening=0.6, closing=True), CUBE, Leg(CUBE, 0.0)),
        (start(CUBE, opening=0.1, closing=True), CUBE, Leg(CUBE + [0, 0, pick_motion.HOVER], 1.0)),
        (start(CUBE, opening=0.5, closing=True, held=True), CUBE, Leg(np.array([*CUBE[:2], -0.025]), 0.0)),
    ],
    ids=["far", "over it", "closing", "closed on nothing", "held"],
)
def test_the_way_is_told_from_what_is_seen_alone(begins, cube, first):
    leg = legs_of("pick-emoji", begins, CARD, cube)[0]
    assert leg.goal == pytest.approx(first.goal) and leg.gripper == first.gripper


def test_poses_are_where_the_deltas_lead():
    deltas, _ = roll(legs_of("touch-emoji", start(), CARD, None), start(), 20, 5.0)
    poses = _poses(HOME, deltas)
    assert poses[:, :3] == pytest.approx(way(deltas))
    assert np.linalg.norm(poses[:, 3:], axis=1) == pytest.approx(np.ones(20))


def test_a_task_without_a_way_is_refused():
    with pytest.raises(UsageError, match="pick-emoji"):
        legs_of("stack", start(), CARD, None)
