"""The plant's physics on a clock that the test moves."""

from __future__ import annotations

import numpy as np
import pytest

from sim_twin.plant.bench import STEP_NS, Plant
from sim_twin.plant.physics import LAG_NS, Physics
from touchstone.errors import UsageError
from touchstone.facts import Fact
from touchstone.plant import References
from touchstone.robots.wx250s import ARM
from touchstone.safety.clearance import LinkHeights
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.tasks.emoji.touch import TouchEmoji

READY = np.array(ARM.ready)
TURNED = READY + np.array([0.2, 0.1, -0.1, 0.1, 0.1, 0.2])


class Hand:
    """A clock that stands still unless it is moved."""

    scale = 1.0

    def __init__(self) -> None:
        self.ns = 1_000_000_000

    def now_ns(self) -> int:
        return self.ns


class Rig:
    def __init__(self, world: str = "twin") -> None:
        self.clock = Hand()
        self.physics = Physics(ARM, Plant.named(world), self.clock)

    def run(self, seconds: float, joints=None, opening: float = 1.0):
        """The clock runs on and the motors want this all the time; the last motion."""
        wanted = np.full(6, np.nan) if joints is None else np.asarray(joints)
        for _ in range(round(seconds * 1e9 / STEP_NS)):
            self.clock.ns += STEP_NS
            motion = self.physics.exchange(References(self.clock.ns, wanted, opening))
            assert self.physics.catch_up() is None
        return motion


@pytest.fixture(scope="module")
def rig():
    made = Rig()
    yield made
    made.physics.close()


def test_joints_go_where_the_motors_want_them_and_their_effort_carries_the_arm(rig):
    motion = rig.run(4.0, TURNED)
    assert np.allclose(motion.positions, TURNED, atol=2e-3) and np.abs(motion.velocities).max() < 0.01
    assert np.allclose(motion.efforts, LinkHeights(ARM).gravity(motion.positions), atol=0.3)
    assert np.abs(motion.efforts).max() > 1.0
    assert rig.run(2.0, TURNED, 0.2).opening == pytest.approx(0.2, abs=0.02)


def test_a_joint_without_torque_stays_where_it_was_and_spends_nothing(rig):
    rig.run(4.0, READY)
    rig.run(0.1, TURNED)
    limp = rig.run(0.05)
    later = rig.run(2.0)
    assert np.allclose(later.positions, limp.positions, atol=0.03)
    assert (later.efforts == 0).all()
    again = rig.run(3.0, READY)
    assert np.allclose(again.positions, READY, atol=2e-3)


def test_references_count_from_their_stamp_on(rig):
    still = rig.run(4.0, READY)
    rig.physics.exchange(References(rig.clock.ns + 50 * STEP_NS, TURNED, 1.0))
    for k in range(100):
        rig.clock.ns += STEP_NS
        rig.physics.catch_up()
        moved = np.abs(rig.physics.exchange(References(0, READY, 1.0)).positions - still.positions).max()
        if k == 48:
            assert moved < 1e-3
        rig.physics._motors._under_way.pop()  # what this question has added
    assert moved > 0.02


def test_a_pause_is_caught_up_counted_and_told(rig):
    before = rig.physics.carry_out({"op": "state"})
    rig.clock.ns += 2 * LAG_NS
    assert "100 ms behind" in rig.physics.catch_up()
    after = rig.physics.carry_out({"op": "state"})
    assert after["steps"] - before["steps"] == 2 * LAG_NS // STEP_NS
    assert after["stalls"] == before["stalls"] + 1 and after["longest_lag_s"] == pytest.approx(0.1)


def test_an_episode_lays_the_table_anew_and_leaves_the_arm_where_it_is(rig):
    rig.run(3.0, TURNED, 0.6)
    for index in range(2):
        spec = TouchEmoji().plan("val", 0, index, ARM)
        answer = rig.physics.carry_out({"op": "reset", "spec": spec.model_dump(mode="json")})
        assert answer["generation"] == rig.physics.carry_out({"op": "look"})["generation"]
        motion = rig.run(0.5, TURNED, 0.6)
        assert np.allclose(motion.positions, TURNED, atol=2e-3) and motion.opening == pytest.approx(0.6, abs=0.02)
        facts = rig.physics.carry_out({"op": "facts"})
        assert set(facts["objects"]) == {"card_0", "card_1", "card_2"} and facts["finger_forces"] == {}
        for placement in spec.layout:
            fact = Fact.model_validate(facts["objects"][placement.name])
            assert np.allclose(fact.value[:2], placement.xy, atol=1e-3) and fact.source == "sim"


def test_things_that_can_be_grasped_tell_their_finger_forces(rig):
    spec = PickEmoji().plan("val", 0, 0, ARM)
    rig.physics.carry_out({"op": "reset", "spec": spec.model_dump(mode="json")})
    facts = rig.physics.carry_out({"op": "facts"})
    assert facts["finger_forces"]["cube"]["value"] == [0.0] * 6


def test_what_it_cannot_do_is_one_sentence(rig):
    spec = TouchEmoji().plan("val", 0, 0, ARM)
    strange = spec.layout[0].model_copy(update={"name": "teapot"})
    wrong = spec.model_copy(update={"layout": (strange,)}).model_dump(mode="json")
    for request in (
        {"op": "fly"},
        {"op": "reset", "spec": wrong},
        {"op": "reset"},
        {"op": "camera", "tired": True},
        {},
    ):
        assert rig.physics.carry_out(request)["error"].endswith(".")
    for world in ("shadow", "twin:x", "shadow:nothing", "moon"):
        with pytest.raises(UsageError):
            Plant.named(world)


def test_a_shadow_is_slower_keeps_its_secret_and_says_what_it_is():
    shadow = Rig("shadow:latency")
    there = shadow.physics.carry_out({"op": "describe"})
    assert (there["robot"], there["world"], there["plant"]) == ("wx250s", "shadow:latency", "shadow")
    sealed = shadow.physics.carry_out({"op": "sealed"})["sealed"]
    assert sealed["strengths"] == {"latency": 1.0} and sealed["shifts"]["latency_s"] > 0.1
    shadow.run(1.0, READY)
    motion = shadow.run(sealed["shifts"]["latency_s"] - 0.03, TURNED)
    assert np.allclose(motion.positions, READY, atol=1e-3)
    assert not np.allclose(shadow.run(0.3, TURNED).positions, READY, atol=0.02)
    shadow.physics.close()
