import numpy as np
import pytest

from policy_server.policies.expert import ExpertPolicy
from policy_server.policies.hold import HoldPolicy
from policy_server.policies.random import RandomPolicy
from policy_server.policies.touch_motion import TouchMotion
from tests.policy_server.samples import BRIEF, READY, observation, privileged
from touchstone.errors import PolicyFailure
from touchstone.geometry import Pose
from touchstone.policy_checks import check_answer

CARDS = [(x, y, -0.098) for x in (0.32, 0.36) for y in (-0.22, 0.0, 0.22)]


def drive(decide, follow=lambda measured, commanded: commanded, ticks=60):
    """Runs ticks against an arm whose measured TCP is follow(measured, commanded); gives paths and grippers."""
    commanded = measured = READY.position
    path, grippers = [], []
    for k in range(ticks):
        seen = observation(k, ee=Pose(measured, READY.quaternion), commanded=Pose(commanded, READY.quaternion))
        chunk = decide(seen)
        commanded = commanded + chunk.actions[0, :3]
        measured = follow(measured, commanded)
        path.append(commanded)
        grippers.append(chunk.gripper[0])
    return np.array(path), np.array(grippers)


@pytest.mark.parametrize("card", CARDS)
def test_the_motion_reaches_a_card_in_ten_steps_then_closes_and_stays(card):
    motion = TouchMotion(5.0)
    path, grippers = drive(lambda seen: motion.next(seen, np.array(card)[:2]))
    closed = int(np.argmax(grippers == 0))
    assert 5 <= closed <= 10
    assert (grippers[:closed] == 1).all() and (grippers[closed:] == 0).all()
    np.testing.assert_allclose(path[closed:], np.array(card) + [0, 0, 0.025] + np.zeros_like(path[closed:]), atol=1e-9)
    steps = np.linalg.norm(np.diff(np.vstack([READY.position, path]), axis=0), axis=1)
    assert steps.max() <= 0.045 + 1e-12


@pytest.mark.parametrize("card", CARDS)
def test_the_fingers_come_down_from_above_the_card(card):
    motion = TouchMotion(5.0)
    path, _ = drive(lambda seen: motion.next(seen, np.array(card)[:2]))
    aside = np.linalg.norm((path - card)[:, :2], axis=1) > 0.03
    assert (path[aside, 2] - card[2] >= 0.05).all()


def test_a_faster_rate_keeps_the_speed():
    slow, fast = TouchMotion(5.0), TouchMotion(20.0)
    card = np.array(CARDS[0])[:2]
    seen = observation()
    one, other = (motion.next(seen, card).actions[0, :3] for motion in (slow, fast))
    ratio = np.linalg.norm(one) / np.linalg.norm(other)
    assert ratio == pytest.approx(4)
    assert fast.next(seen, card).dt == pytest.approx(0.05)


def test_the_gripper_waits_for_the_measured_arm():
    motion = TouchMotion(5.0)
    _, lagging = drive(lambda seen: motion.next(seen, np.array(CARDS[0])[:2]), lambda m, c: m + 0.3 * (c - m))
    motion = TouchMotion(5.0)
    _, exact = drive(lambda seen: motion.next(seen, np.array(CARDS[0])[:2]))
    assert np.argmax(exact == 0) < np.argmax(lagging == 0) <= np.argmax(exact == 0) + 10


@pytest.mark.parametrize("follow", [lambda m, c: m, lambda m, c: c + [0.0, 0.0, 0.02]])
def test_an_arm_that_never_arrives_closes_anyway(follow):
    motion = TouchMotion(5.0)
    _, grippers = drive(lambda seen: motion.next(seen, np.array(CARDS[0])[:2]), follow)
    assert 10 < np.argmax(grippers == 0) <= 20


def test_an_arm_that_refuses_the_commands_closes_anyway():
    motion = TouchMotion(5.0)
    grippers = [motion.next(observation(k), np.array(CARDS[0])[:2]).gripper[0] for k in range(20)]
    assert grippers[:10] == [1.0] * 10 and grippers[-1] == 0.0


def test_the_expert_goes_to_the_target():
    expert = ExpertPolicy()
    expert.reset(BRIEF)
    card = (0.33, -0.18, -0.098)
    secret = privileged(card)

    def decide(seen):
        full = observation(seen.id, ee=seen.ee, commanded=seen.ee_commanded, privileged=secret)
        chunk = expert.infer(full)
        check_answer(expert.contract, full, chunk)
        return chunk

    path, grippers = drive(decide)
    assert np.linalg.norm(path[-1] - card - np.array([0, 0, 0.025])) < 1e-9 and grippers[-1] == 0


def test_the_expert_without_its_secret_says_so():
    expert = ExpertPolicy()
    expert.reset(BRIEF)
    with pytest.raises(PolicyFailure, match="privileged"):
        expert.infer(observation())


def test_random_is_bounded_and_follows_the_seed_alone():
    policy = RandomPolicy()

    def run(seed):
        policy.reset(BRIEF.model_copy(update={"seed": seed}))
        chunks = [policy.infer(observation(k)) for k in range(40)]
        for k, chunk in enumerate(chunks):
            check_answer(policy.contract, observation(k), chunk)
        return np.array([[*c.actions[0], *c.gripper] for c in chunks])

    first, again, other = run(1), run(1), run(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.linalg.norm(first[:, :3], axis=1).max() <= 0.05
    assert set(first[:, 6]) == {0.0, 1.0}


def test_hold_stays():
    policy = HoldPolicy()
    policy.reset(BRIEF)
    path, grippers = drive(policy.infer, ticks=3)
    np.testing.assert_array_equal(path, np.tile(READY.position, (3, 1)))
    assert (grippers == 1).all()
