"""The twin as a World, with real SAPIEN rendering."""

import hashlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from policy_server.policies.expert import ExpertPolicy
from touchstone import calibration
from touchstone.errors import UsageError
from touchstone.evaluation.episode import run_episode
from touchstone.robots.wx250s import ARM
from touchstone.tasks.emoji.cards import base_from_picture, card_picture
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import WorldRequest

TASK = TouchEmoji()
TICK = 200_000_000


class Ticks:
    """A recorder that keeps what it is given."""

    def __init__(self):
        self.facts, self.images, self.stages = [], [], []

    def tick(self, observation, facts, events, chunk, stages_ms):
        self.facts.append(facts.model_dump_json())
        self.images.append(hashlib.sha256(observation.cameras["scene"].image.tobytes()).hexdigest())
        self.stages.append(stages_ms)


def play(world, index):
    ticks = Ticks()
    verdict = run_episode(world, ExpertPolicy(), TASK, TASK.plan("val", 3, index, ARM), ticks)
    return verdict, ticks


def test_the_expert_touches_the_named_card(twin):
    verdict, ticks = play(twin, 0)
    assert verdict.success
    assert {"observe", "policy", "advance"} <= set(ticks.stages[0])


def test_an_episode_does_not_depend_on_what_was_played_before(twin):
    _, first = play(twin, 1)
    play(twin, 2)
    _, again = play(twin, 1)
    assert first.facts == again.facts and first.images == again.images


def test_another_process_gives_the_same_facts_and_pictures(twin):
    _, here = play(twin, 4)
    code = (
        "from tests.twin.test_twin import play\n"
        "from sim_twin.world import make_world\n"
        "from touchstone.world import WorldRequest\n"
        "_, t = play(make_world(WorldRequest('wx250s', 'grinningface', privileged=True)), 4)\n"
        "print('\\n'.join(t.facts + t.images))\n"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert there.stdout.split("\n")[:-1] == here.facts + here.images


def test_a_second_twin_in_the_same_process_looks_the_same(twin):
    from sim_twin.world import make_world

    _, first = play(twin, 5)
    second = make_world(WorldRequest("wx250s", "grinningface", privileged=True))
    _, again = play(second, 5)
    second.close()
    assert first.images == again.images


def test_observing_twice_gives_the_same_observation(twin):
    twin.reset(TASK.plan("val", 0, 0, ARM))
    assert twin.observe() is twin.observe()


def test_without_a_chunk_the_arm_holds_and_says_so(twin):
    twin.reset(TASK.plan("val", 0, 0, ARM))
    before = twin.facts().tcp.value
    twin.command(None)
    twin.advance(5 * TICK)
    assert np.allclose(before[:3], twin.facts().tcp.value[:3], atol=1e-3)
    assert {event.kind for event in twin.events()} == {"hold"}
    assert twin.facts().step == 5 and twin.facts().stamp_ns == 5 * TICK


def printed(frame, placement, pixels=48):
    """The card's picture as the camera sees it, sampled at the places where the spec puts its pixels."""
    centres = (np.arange(pixels) + 0.5) / pixels
    uv = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
    xy = base_from_picture(uv, placement.xy, placement.yaw)
    at = frame.model.project(np.column_stack([xy, np.full(len(xy), -0.098)])).round().astype(int)
    return frame.image[at[:, 1], at[:, 0]].reshape(pixels, pixels, 3).astype(float)


def test_cards_lie_where_the_spec_says_with_the_glyphs_top_away_from_the_arm(twin):
    for index in range(4):
        spec = TASK.plan("hard", 0, index, ARM)
        twin.reset(spec)
        frame = twin.observe().cameras["scene"]
        for placement in spec.layout:
            assert np.allclose(twin.facts().objects[placement.name].value[:2], placement.xy, atol=1e-6)
            seen = printed(frame, placement)
            meant = cv2.resize(card_picture(placement.emoji), (48, 48), interpolation=cv2.INTER_AREA).astype(float)
            likeness = {
                name: np.corrcoef(seen.ravel(), other.ravel())[0, 1]
                for name, other in {
                    "upright": meant,
                    "upside down": meant[::-1, ::-1],
                    "turned": np.rot90(meant),
                    "blank": meant * 0 + np.random.default_rng(0).normal(size=meant.shape),
                }.items()
            }
            assert likeness["upright"] > 0.75 and likeness["upright"] == max(likeness.values()), likeness


def test_the_picture_agrees_with_the_camera_model(twin):
    """The rendered TCP region lies where the model projects it: fingers are dark, the table is not."""
    twin.reset(TASK.plan("val", 0, 0, ARM))
    frame = twin.observe().cameras["scene"]
    tip = ARM.kinematics.link_pose(ARM.ready, "gripper_bar_link").position
    u, v = frame.model.project(tip)[0].round().astype(int)
    assert frame.image[v - 6 : v + 7, u - 6 : u + 7].mean() < 100


def test_a_spec_for_another_camera_or_rate_is_refused(twin):
    spec = TASK.plan("val", 0, 0, ARM)
    with pytest.raises(UsageError, match="seen by"):
        twin.reset(spec.model_copy(update={"camera": "other"}))
    with pytest.raises(UsageError, match="divides 100 Hz"):
        twin.reset(spec.model_copy(update={"rate_hz": 7.0}))


def test_an_unknown_shader_is_named():
    from sim_twin.world import make_world

    with pytest.raises(UsageError, match="minimal, default, rt"):
        make_world(WorldRequest("wx250s", "grinningface", shader="raytraced"))


def test_a_calibrated_camera_is_rendered_and_told_as_it_is(tmp_path):
    from sim_twin.world import make_world

    nominal = calibration.nominal("wx250s")
    scene = nominal.cameras["scene"].model_copy(
        update={"K": (500.0, 0.0, 300.0, 0.0, 500.0, 250.0, 0.0, 0.0, 1.0), "distortion": (0.1, 0.0, 0.0, 0.0, 0.0)}
    )
    path = str(tmp_path / "calibration.yaml")
    calibration.save(nominal.model_copy(update={"cameras": {"scene": scene}}), Path(path))
    world = make_world(WorldRequest("wx250s", path))
    spec = TASK.plan("val", 0, 0, ARM, path)
    world.reset(spec)
    frame = world.observe().cameras["scene"]
    world.close()
    assert frame.model.K[0, 0] == 500.0 and not frame.model.distortion.any()
    meant = cv2.resize(card_picture(spec.layout[1].emoji), (48, 48), interpolation=cv2.INTER_AREA).astype(float)
    assert np.corrcoef(printed(frame, spec.layout[1]).ravel(), meant.ravel())[0, 1] > 0.75


def test_what_the_twin_cannot_reproduce_of_a_calibration_is_refused(tmp_path):
    from sim_twin.world import make_world

    path = tmp_path / "calibration.yaml"
    calibration.save(calibration.nominal("wx250s").model_copy(update={"command_latency_s": 0.1}), path)
    with pytest.raises(UsageError, match="command_latency_s"):
        make_world(WorldRequest("wx250s", str(path)))
