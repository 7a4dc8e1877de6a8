"""INT-ACT's scripts in the twin, without pictures: the expert succeeds, and every failure is exactly what it says."""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import cache

import pytest

from policy_server.policies.expert import ExpertPolicy
from policy_server.policies.int_act.failures import (
    DropEarlyPolicy,
    HoverPolicy,
    PushPolicy,
    WrongObjectPolicy,
)
from sim_twin.world import TwinWorld
from tests.policies.int_act.scenes import spec_of
from tests.twin.int_act.worlds import open_world
from touchstone.errors import PolicyFailure, UsageError
from touchstone.evaluation.episode import run_episode
from touchstone.spec import Brief
from touchstone.tasks.int_act.metrics import METRICS
from touchstone.tasks.int_act.suite import suite
from touchstone.tasks.int_act.task import IntAct

#: intention, grasp, moved correct, wrong object, success, strict
PLACED = (True, True, True, False, True, True)
FAILURES = {
    HoverPolicy: (True, False, False, False, False, False),
    PushPolicy: (True, False, True, False, False, False),
    DropEarlyPolicy: (True, True, True, False, False, False),
    WrongObjectPolicy: (False, False, False, True, False, False),
}
#: in the sink there is nothing else to move: the basket's floor is wedged in
NOTHING_ELSE = (False,) * 6
#: one task of a kind: flat, long, stacked, standing, hollow, chord, four objects, negated, and one in the sink
A_FEW = (
    "widowx_spoon_on_towel",
    "widowx_carrot_on_plate_lang_neg_action",
    "widowx_stack_cube",
    "widowx_coke_can_on_ramekin_clean",
    "widowx_small_plate_on_green_cube_clean",
    "widowx_carrot_on_plate_lang_neg",
    "widowx_put_eggplant_in_basket",
)


class Clumsy(ExpertPolicy):
    """The expert, whose fingers come open for a second while it carries."""

    def infer(self, observation):
        chunk = super().infer(observation)
        if 24 <= observation.step < 29:
            chunk.gripper[:] = 1.0
        return chunk


class Nothing:
    """A recorder that keeps nothing."""

    def tick(self, observation, facts, events, chunk, stages_ms):
        pass


@pytest.fixture(scope="module")
def twins():
    """A twin of a scene, opened when it is first asked for."""
    with ExitStack() as opened:

        @cache
        def twin_of(scene: str) -> TwinWorld:
            return opened.enter_context(closing(open_world(scene, privileged=True)))

        yield twin_of


def values_of(twins, policy, name: str, episode: int) -> tuple[bool, ...]:
    task, spec = IntAct(name), spec_of(name, episode)
    verdict = run_episode(twins(task.scene), policy, task, spec, Nothing())
    return tuple(verdict.values[metric] for metric in METRICS)


def expected(policy: type, name: str) -> tuple[bool, ...]:
    if policy is WrongObjectPolicy and suite().task(name).layout.scene == "sink":
        return NOTHING_ELSE
    return FAILURES[policy]


@pytest.mark.parametrize("name", ["widowx_carrot_on_plate", "widowx_carrot_on_plate_lang_neg_action"])
def test_the_expert_does_what_is_asked(twins, name):
    assert values_of(twins, ExpertPolicy(), name, 1) == PLACED


@pytest.mark.parametrize("policy", FAILURES)
def test_a_failure_is_worth_exactly_what_its_definition_says(twins, policy):
    assert values_of(twins, policy(), "widowx_coke_can_on_plate_distract", 2) == FAILURES[policy]


@pytest.mark.long
@pytest.mark.parametrize("name", suite().tasks)
def test_the_expert_succeeds_by_the_strict_rule(twins, name):
    """Four episodes of every task, of every turn; all 24 are in docs/int-act.md's table."""
    got = [values_of(twins, ExpertPolicy(), name, episode) for episode in (0, 7, 13, 22)]
    assert got == [PLACED] * 4


@pytest.mark.long
def test_what_was_lost_on_the_way_is_taken_again(twins):
    assert values_of(twins, Clumsy(), "widowx_put_eggplant_in_basket", 0) == PLACED


@pytest.mark.long
@pytest.mark.parametrize("policy", FAILURES)
@pytest.mark.parametrize("name", A_FEW)
def test_failures_of_a_few_tasks(twins, policy, name):
    for episode in (0, 5, 9, 16, 23):
        assert values_of(twins, policy(), name, episode) == expected(policy, name), episode


@pytest.mark.long
@pytest.mark.parametrize("policy", FAILURES)
@pytest.mark.parametrize("name", suite().tasks)
def test_failures_of_every_task(twins, policy, name):
    for episode in (3, 14):
        assert values_of(twins, policy(), name, episode) == expected(policy, name), episode


@pytest.mark.parametrize("policy", FAILURES)
def test_failures_are_no_policies_for_other_tasks(policy):
    brief = Brief(episode="e", task="touch-emoji", instruction="", rate_hz=5.0, step_limit=60, seed=0)
    with pytest.raises(UsageError, match="knows INT-ACT's tasks alone"):
        policy().reset(brief)


def test_a_script_that_was_never_reset_says_so():
    with pytest.raises(PolicyFailure, match="call reset first"):
        HoverPolicy().infer(None)
