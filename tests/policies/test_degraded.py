from dataclasses import replace

import numpy as np
import pytest

from policy_server.loading import load_policy
from policy_server.policies import degraded, degraded_expert
from policy_server.policies.card_matcher import CAMERA
from tests.support.pick_sessions import TASK as PICK
from tests.support.pick_sessions import pick_facts
from tests.support.sessions import episode, plan
from touchstone.errors import PolicyFailure
from touchstone.policy import PolicyContract
from touchstone.robots.wx250s import ARM
from touchstone.tasks.emoji.pick_rule import CUBE
from touchstone.world import Privileged

PIXELS = [name for name in vars(degraded) if name.endswith("Policy") and name not in ("CardMatcherPolicy", "Policy")]
PIXELS = [name for name in PIXELS if name != "RandomCardPolicy"]
EXPERTS = [name for name in vars(degraded_expert) if name.endswith("ExpertPolicy") and name != "ExpertPolicy"]


class Recorder:
    """Stands where the inner policy does: keeps what it is shown and answers with a step downwards."""

    contract = PolicyContract(name="recorder", version="1")

    def __init__(self):
        self.seen = []

    def reset(self, brief):
        self.seen.clear()

    def infer(self, observation):
        self.seen.append(observation)
        return degraded.single_delta(observation, np.array([0.0, 0.0, -0.001 * len(self.seen)]), 1.0, 5.0)


def recorded(policy, monkeypatch):
    monkeypatch.setattr(policy, "base", Recorder)
    made = policy()
    return made, made._inner


@pytest.fixture(scope="module")
def ticks():
    return [tick.observation for tick in episode(plan(0))]


@pytest.fixture
def told():
    spec = PICK.plan("val", 0, 0, ARM)
    return Privileged(spec, pick_facts(spec, "n")[0])


def test_every_one_is_a_policy_with_a_name_of_its_own():
    made = [load_policy(f"policy_server.policies.degraded:{name}") for name in PIXELS]
    made += [load_policy(f"policy_server.policies.degraded_expert:{name}") for name in EXPERTS]
    assert len(PIXELS) == 6 and len({one.contract.name for one in made}) == len(made) == 12
    assert [one.contract.needs_privileged for one in made] == [False] * 6 + [True] * 6


def test_asked_before_an_episode_it_refuses(ticks):
    with pytest.raises(PolicyFailure, match="call reset first"):
        degraded.BlurredPolicy().infer(ticks[0])


@pytest.mark.parametrize("name", PIXELS)
def test_the_same_episode_goes_the_same_way_again(name, ticks):
    def run():
        policy = getattr(degraded, name)()
        policy.reset(plan(0).brief())
        return [policy.infer(one) for one in ticks[:3]]

    for one, other in zip(run(), run(), strict=True):
        assert np.array_equal(one.actions, other.actions) and np.array_equal(one.gripper, other.gripper)


def test_the_colour_blind_one_sees_no_colours(ticks, monkeypatch):
    policy, inner = recorded(degraded.ColourBlindPolicy, monkeypatch)
    policy.reset(plan(0).brief())
    policy.infer(ticks[0])
    image = inner.seen[0].cameras[CAMERA.name].image
    assert np.ptp(image, axis=2).max() == 0 and np.ptp(ticks[0].cameras[CAMERA.name].image, axis=2).max() > 0


def test_the_blurred_one_sees_no_edges(ticks, monkeypatch):
    policy, inner = recorded(degraded.BlurredPolicy, monkeypatch)
    policy.reset(plan(0).brief())
    policy.infer(ticks[0])
    steep = [
        abs(np.diff(one.cameras[CAMERA.name].image.astype(float), axis=1)).max() for one in (ticks[0], *inner.seen)
    ]
    assert steep[1] < steep[0] / 3


def test_the_noisy_one_errs_alike_all_episode_long(ticks, monkeypatch):
    policy, inner = recorded(degraded.NoisyPolicy, monkeypatch)
    errors = []
    for index in (0, 1):
        policy.reset(plan(index).brief())
        for one in ticks[:2]:
            policy.infer(one)
        poses = [one.cameras[CAMERA.name].model.base_from_camera.position for one in (*inner.seen, ticks[0])]
        assert np.array_equal(poses[0], poses[1])
        errors.append(poses[0] - poses[2])
    assert not np.allclose(errors[0], errors[1]) and 0 < np.abs(errors).max() < 5 * degraded.NOISE


def test_the_delayed_one_is_late_by_whole_ticks_in_some_episodes(ticks, monkeypatch):
    policy, _ = recorded(degraded.DelayedPolicy, monkeypatch)
    first = set()
    for index in range(12):
        policy.reset(plan(index).brief())
        steps = []
        for one in ticks[:3]:
            chunk = policy.infer(one)
            assert (chunk.answers, chunk.t0_ns) == (one.id, one.stamp_ns)
            steps.append(round(float(chunk.actions[0, 2]), 6))
        assert steps in ([-0.001, -0.002, -0.003], [0.0, -0.001, -0.002])
        first.add(steps[0])
    assert len(first) == 2


def test_the_early_one_closes_below_its_height_and_stays_closed(ticks, monkeypatch):
    policy, _ = recorded(degraded.EarlyClosePolicy, monkeypatch)
    policy.reset(plan(0).brief())
    low = degraded.TABLE_Z + degraded.CARD_THICKNESS + degraded.EARLY[0] - 0.001
    high = degraded.TABLE_Z + degraded.CARD_THICKNESS + degraded.EARLY[1] + 0.001
    grips = [policy.infer(_at(ticks[0], z)) for z in (high, low, high)]
    assert [float(chunk.gripper[0]) for chunk in grips] == [1.0, 0.0, 0.0]
    assert not grips[2].actions.any()


def _at(observation, z):
    position = np.array([*observation.ee.position[:2], z])
    return replace(observation, ee=replace(observation.ee, position=position))


def test_the_wrong_card_one_draws_in_the_stated_share():
    policy = degraded.WrongCardPolicy()
    drawn = 0
    for index in range(200):
        brief = plan(0).brief().model_copy(update={"seed": index})
        policy.reset(brief)
        drawn += policy._inner is policy._drawing
    # four standard deviations of a share of 200
    assert abs(drawn / 200 - degraded.DRAWN) < 0.14


def test_the_wrong_card_expert_never_errs_onto_the_card_asked_for(ticks, told):
    policy, targets = degraded_expert.OftenWrongExpertPolicy(), []
    for seed in range(100):
        policy.reset(PICK.plan("val", 0, 0, ARM).brief().model_copy(update={"seed": seed}))
        targets.append(policy.see(replace(ticks[0], privileged=told)).privileged.spec.target)
    wrong = [name for name in targets if name != told.spec.target]
    assert abs(len(wrong) / 100 - degraded_expert.OFTEN_WRONG) < 0.19
    assert set(wrong) == {placement.name for placement in told.spec.choices} - {told.spec.target}


def test_the_noisy_expert_moves_the_cube_alone_and_sideways(ticks, told):
    policy = degraded_expert.NoisyExpertPolicy()
    policy.reset(told.spec.brief())
    seen = policy.see(replace(ticks[0], privileged=told)).privileged.facts.objects
    error = np.subtract(seen[CUBE].value, told.facts.objects[CUBE].value)
    assert error[2:].tolist() == [0.0] * 5 and 0 < np.abs(error[:2]).max() < 5 * degraded_expert.NOISE
    assert all(seen[name] == fact for name, fact in told.facts.objects.items() if name != CUBE)
