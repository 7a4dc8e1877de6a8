"""The pick task in the real twin, without pictures: the expert's episodes, their replays, and what the fingers feel."""

from __future__ import annotations

import numpy as np
import pytest

from policy_server.policies.expert import ExpertPolicy
from sim_twin.world import make_world
from touchstone.bench import CUBE_SIDE, TABLE_Z
from touchstone.evaluation.episode import run_episode
from touchstone.robots.base import arm
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.tasks.emoji.pick_rule import CUBE, GRASP_FORCE, LIFTED, is_grasped
from touchstone.world import WorldRequest

TASK = PickEmoji()


class Kept:
    """A recorder that keeps the facts."""

    def __init__(self):
        self.facts = []

    def tick(self, observation, facts, events, chunk, stages_ms):
        self.facts.append(facts)


class DropsIt(ExpertPolicy):
    """The expert, but high over the card its arm stops, and then the gripper opens."""

    def reset(self, brief):
        super().reset(brief)
        self._stopped = 0

    def infer(self, observation):
        chunk = super().infer(observation)
        told = observation.privileged
        cube = np.array(told.facts.objects[CUBE].value[:3])
        card = np.array(told.spec.placement(told.spec.target).xy)
        if self._stopped or (np.linalg.norm(cube[:2] - card) < 0.05 and cube[2] > TABLE_Z + 0.06):
            self._stopped += 1
            chunk.actions[:] = 0.0
            chunk.gripper[:] = 0.0 if self._stopped < 15 else 1.0
        return chunk


@pytest.fixture(scope="module", params=["wx250s", "rm75"])
def twin(request):
    world = make_world(WorldRequest(request.param, "grinningface", privileged=True, pictures=False))
    yield world
    world.close()


def play(twin, index: int, policy=None, seed: int = 0):
    kept = Kept()
    spec = TASK.plan("val", seed, index, arm(twin.describe().robot))
    return run_episode(twin, policy or ExpertPolicy(), TASK, spec, kept), kept.facts


@pytest.mark.parametrize("seed", range(3))
def test_the_expert_places_the_cube_by_both_rules(twin, seed):
    verdict, facts = play(twin, 0, seed=seed)
    assert verdict.success, verdict.reason
    assert verdict.beside["paper"].success and verdict.beside["paper"].step <= verdict.step
    assert verdict.step == facts[-1].step < TASK.step_limit


def test_a_replay_is_bitwise_equal_whatever_was_played_in_between(twin):
    first = [one.model_dump_json() for one in play(twin, 1)[1]]
    for between in (2, 3, 4):
        play(twin, between)
        assert [one.model_dump_json() for one in play(twin, 1)[1]] == first


def test_another_twin_gives_the_same_facts(twin):
    _, here = play(twin, 5)
    second = make_world(WorldRequest(twin.describe().robot, "grinningface", privileged=True, pictures=False))
    _, there = play(second, 5)
    second.close()
    assert here == there


def test_the_fingers_push_inwards_while_they_hold_the_cube(twin):
    _, facts = play(twin, 0)
    held = [one for one in facts if is_grasped(one)]
    high = [one for one in facts if one.objects[CUBE].value[2] - CUBE_SIDE / 2 - TABLE_Z > LIFTED]
    assert len(high) >= 5 and all(is_grasped(one) for one in high)
    for one in held:
        left, right = np.reshape(one.finger_forces[CUBE].value, (2, 3))
        assert left[1] < -GRASP_FORCE and right[1] > GRASP_FORCE
        assert one.finger_forces[CUBE].frame == "tcp"
    carried = high[len(high) // 2]
    left, right = np.reshape(carried.finger_forces[CUBE].value, (2, 3))
    # the squeeze is many times the cube's weight, and the two pushes cancel
    assert np.linalg.norm(left + right) < 0.5 * np.linalg.norm(left)


def test_nothing_is_felt_before_the_grasp_and_after_the_release(twin):
    _, facts = play(twin, 0)
    for one in (facts[0], facts[5], facts[-1]):
        assert not np.any(one.finger_forces[CUBE].value)
    assert set(facts[0].finger_forces) == {CUBE}


def test_the_cube_and_the_cards_lie_still_where_the_spec_says(twin):
    spec = TASK.plan("val", 0, 0, arm(twin.describe().robot))
    twin.reset(spec)
    for seconds in (0, 1):
        twin.command(None)
        twin.advance(seconds * 1_000_000_000)
        for placement in spec.layout:
            x, y, z = twin.facts().objects[placement.name].value[:3]
            assert np.allclose((x, y), placement.xy, atol=5e-4)
            height = CUBE_SIDE / 2 if placement.kind == "cube" else 0.002
            assert z == pytest.approx(TABLE_Z + height, abs=5e-4)


def test_a_cube_that_is_dropped_from_high_up_fires_the_papers_rule_before_it_lands(twin):
    verdict, facts = play(twin, 0, DropsIt())
    assert verdict.beside["paper"].execution
    at = verdict.beside["paper"].step
    fired = next(one for one in facts if one.step == at)
    assert fired.objects[CUBE].value[2] > TABLE_Z + CUBE_SIDE
    # the strict rule waits for it to lie, or says no
    assert verdict.step is None or verdict.step >= at + 10
