"""A task of INT-ACT as a task that sessions run: its specs, and its verdicts from facts as a journal keeps them."""

from __future__ import annotations

import numpy as np
import pytest

from touchstone.cameras import preset
from touchstone.errors import UsageError
from touchstone.facts import Fact, Facts
from touchstone.geometry import Pose
from touchstone.robots.base import arm
from touchstone.tasks.base import PlanOptions, task
from touchstone.tasks.int_act.layouts import drops
from touchstone.tasks.int_act.moments import Moment
from touchstone.tasks.int_act.recorded import LINK_FROM_TCP, PHYSICS_STEP, moment_of
from touchstone.tasks.int_act.scenes import SCENES
from touchstone.tasks.int_act.suite import suite

from .stories import CARROT, GRASP, SINK, Story

ARM = arm("wx250s")


def plan(id: str, index: int = 0, seed: int = 42, **options):
    found = task(f"int-act:{id}")
    return found.plan("suite", seed, index, ARM, found.camera, PlanOptions(**options))


def facts_of(moment: Moment) -> Facts:
    """As a twin would record a moment: forces instead of impulses, the TCP instead of the link."""

    def fact(value) -> Fact:
        return Fact(value=value, source="sim", frame="base")

    tcp = [*(np.array(moment.ee) - LINK_FROM_TCP).tolist(), 1.0, 0.0, 0.0, 0.0]
    things = moment.objects.items()
    return Facts(
        step=moment.step,
        stamp_ns=moment.step * 200_000_000,
        tcp=fact(tcp),
        tcp_commanded=fact(tcp),
        joints=fact([0.0] * 6),
        opening=fact(1.0),
        opening_commanded=fact(1.0),
        objects={name: fact(list(thing.pose)) for name, thing in things},
        centres={name: fact(list(thing.centre)) for name, thing in things},
        finger_forces={name: fact([v / PHYSICS_STEP for v in (*thing.left, *thing.right)]) for name, thing in things},
        contacts={name: fact({k: v / PHYSICS_STEP for k, v in thing.contacts.items()}) for name, thing in things},
    )


@pytest.mark.parametrize("id", [CARROT.id, SINK.id])
@pytest.mark.parametrize("index", [0, 7, 23])
def test_placements_are_the_suites_drops_in_the_arms_base_frame(id, index):
    spec = plan(id, index)
    scene = SCENES[spec.bench]
    for drop, placement in zip(drops(suite().task(id), index), spec.layout, strict=True):
        back = scene.world_from_base @ Pose(np.array([*placement.xy, scene.table_z]), np.array(placement.turn))
        assert placement.name == drop.object
        np.testing.assert_allclose(back.position, [*drop.xy, 0.87], atol=1e-12)
        assert abs(np.dot(back.quaternion, drop.turn)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("id", sorted(suite().tasks))
def test_everything_that_is_placed_is_before_the_arm_and_in_the_picture(id):
    spec = plan(id)
    camera, scene = preset(spec.camera), SCENES[spec.bench]
    for placement in spec.layout:
        assert 0.1 < placement.xy[0] < 0.5
        u, v = camera.project(np.array([[*placement.xy, scene.table_z]]))[0]
        assert 0 <= u < camera.width and 0 <= v < camera.height


def test_the_arm_starts_over_the_table_and_in_its_limits():
    for scene in SCENES.values():
        start = np.array(scene.start)
        assert np.all(start > ARM.limits.lower) and np.all(start < ARM.limits.upper)
        assert ARM.kinematics.forward(start).position[2] > scene.table_z + 0.1


def test_seeds_vary_nothing_but_the_policys_randomness():
    one, other = plan(CARROT.id, 5, seed=42), plan(CARROT.id, 5, seed=7)
    assert one.layout == other.layout and one.start == other.start
    assert one.policy_seed != other.policy_seed


def test_an_instruction_of_ones_own_replaces_the_suites_and_nothing_else():
    spec = plan(CARROT.id, instruction="the orange thing goes on the dish")
    assert spec.model_copy(update={"instruction": CARROT.instruction}) == plan(CARROT.id)


def test_a_verdict_from_facts_is_the_score_of_its_moments():
    story = Story(CARROT)
    story.tick(3, ee=tuple(story.at(CARROT.objects.source)))
    judged = task(f"int-act:{CARROT.id}").judge(plan(CARROT.id), [facts_of(m) for m in story.moments], [])
    assert judged.values == {
        "intention": True,
        "grasp": False,
        "moved_correct": False,
        "wrong_object": False,
        "success": False,
        "strict": False,
    }
    assert not judged.success and not judged.beside["strict"].success


def test_moments_survive_the_journal():
    story = Story(CARROT).tick()
    source = CARROT.objects.source
    thing = story.moments[-1].objects[source].model_copy(update=GRASP)
    moment = story.moments[-1].model_copy(update={"objects": {**story.moments[-1].objects, source: thing}})
    again = moment_of(facts_of(moment))
    np.testing.assert_allclose(again.ee, moment.ee, atol=1e-12)
    for name, then in moment.objects.items():
        now = again.objects[name]
        np.testing.assert_allclose([*now.left, *now.right], [*then.left, *then.right], atol=1e-12)
        assert now.contacts == pytest.approx(then.contacts) and now.centre == then.centre


def test_a_world_that_does_not_know_is_told_in_one_sentence():
    facts = facts_of(Story(CARROT).tick().moments[-1]).model_copy(update={"centres": {}})
    with pytest.raises(UsageError, match=r"Where the \w+ is at tick 1 is not in the journal"):
        moment_of(facts)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("int-act", {}, "INT-ACT is a suite"),
        ("int-act:widowx_carrot_on_plat", {}, "near it are: widowx_carrot_on_plate"),
        (f"int-act:{CARROT.id}", {"wording": "mine"}, "has no wording 'mine'"),
        (f"int-act:{CARROT.id}", {"record": "x"}, "leave --record out"),
        (f"int-act:{CARROT.id}", {"instruction": " "}, "--instruction is empty"),
    ],
)
def test_bad_requests_are_one_sentence(name, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        task(name).material("suite", PlanOptions(**options))


def test_another_arm_is_refused():
    found = task(f"int-act:{CARROT.id}")
    with pytest.raises(UsageError, match="use --robot wx250s"):
        found.plan("suite", 0, 0, arm("rm75"), found.camera)
