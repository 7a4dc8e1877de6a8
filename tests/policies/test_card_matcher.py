"""card-matcher and random-card find cards in pictures made by homography: light, tint, noise, JPEG, yaw, an arm."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from policy_server.policies.card_finder import find_cards
from policy_server.policies.card_matcher import FOUND, CardMatcherPolicy
from policy_server.policies.random_card import RandomCardPolicy
from touchstone.bench import CARD_THICKNESS, TABLE_Z, TOUCH_BENCH
from touchstone.cameras import CameraModel, pinhole, preset
from touchstone.errors import UsageError
from touchstone.geometry import Pose
from touchstone.spec import Brief
from touchstone.tasks.emoji.cards import card_corners, card_picture
from touchstone.tasks.emoji.instructions import TOUCH
from touchstone.tasks.emoji.splits import split
from touchstone.vision.cards import locate
from touchstone.world import CameraFrame, GripperState, JointState, Observation

TABLES = ((120, 90, 62), (176, 146, 112), (214, 183, 146), (150, 150, 152))


@dataclass(frozen=True)
class Scene:
    image: np.ndarray
    emojis: tuple
    centres: np.ndarray
    target: int


def scene(protocol: str, seed: int, arm: bool = False, model=None) -> Scene:
    """One picture of three cards on a plain, shaded, noisy table; `arm` hides up to half of one of them."""
    model = model or preset("grinningface")
    draw = np.random.default_rng([seed, len(protocol)])
    pool = split(protocol)
    emojis = tuple(pool[i] for i in draw.choice(len(pool), 3, replace=False))
    centres = np.array(TOUCH_BENCH.card_centres) + draw.uniform(-TOUCH_BENCH.jitter, TOUCH_BENCH.jitter, (3, 2))
    size = (model.width, model.height)
    image = np.full((size[1], size[0], 3), TABLES[draw.integers(len(TABLES))], np.float32)
    grain = cv2.resize(draw.normal(0, 6, (60, 8)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    image += grain[..., None]
    for emoji, centre in zip(emojis, centres, strict=True):
        _paste(image, emoji.char, centre, draw.uniform(-0.12, 0.12), model)
    target = int(draw.integers(3))
    if arm:
        _paste_arm(image, centres[target] + draw.uniform(-0.045, 0.045, 2), draw.uniform(0.008, 0.02), model)
    shade = np.linspace(*draw.uniform(0.8, 1.1, 2), size[0], dtype=np.float32)[None, :, None]
    image = image * shade * draw.uniform(0.6, 1.05) * draw.uniform(0.9, 1.1, 3)
    image = np.clip(image + draw.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(60, 96))])[1]
    return Scene(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), emojis, centres, target)


def _paste(image: np.ndarray, char: str, centre: np.ndarray, yaw: float, model) -> None:
    corners = card_corners(centre, yaw)
    pixels = model.project(np.column_stack([corners, np.full(4, TABLE_Z + CARD_THICKNESS)])).astype(np.float32)
    side = 256
    source = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32) - 0.5
    warp = cv2.getPerspectiveTransform(source, pixels)
    picture = cv2.GaussianBlur(card_picture(char, side), (0, 0), 1.0)
    size = (image.shape[1], image.shape[0])
    cover = cv2.warpPerspective(np.ones((side, side), np.float32), warp, size, flags=cv2.INTER_LINEAR)[..., None]
    image *= 1 - cover
    image += cover * cv2.warpPerspective(picture.astype(np.float32), warp, size, flags=cv2.INTER_AREA)


def _paste_arm(image: np.ndarray, tip: np.ndarray, half_width: float, model) -> None:
    near, far = 0.05, tip[0]
    left, right = half_width, -half_width
    outline = [(near, right), (near, left), (far, tip[1] + left), (far, tip[1] + right)]
    pixels = model.project(np.column_stack([outline, np.full(4, TABLE_Z + 0.02)]))
    cv2.fillConvexPoly(image, pixels.round().astype(np.int32), (28, 28, 30))


def misses(scenes: list[Scene], radius: float = 0.03, model=None) -> list[int]:
    """Indices of the scenes whose target `locate` puts farther than `radius` [m] from the truth."""
    model = model or preset("grinningface")
    found = [locate(one.image, model, one.emojis[one.target].char) for one in scenes]
    errors = [np.linalg.norm(f.xy - s.centres[s.target]) for f, s in zip(found, scenes, strict=True)]
    return [i for i, error in enumerate(errors) if error > radius]


def observation(one: Scene, ee: Pose, step: int = 0) -> Observation:
    frame = CameraFrame(one.image, 0, "sim", preset("grinningface"))
    joints = JointState((), np.zeros(0), np.zeros(0), np.zeros(0))
    return Observation(
        id=step,
        episode="e",
        step=step,
        stamp_ns=step * 200_000_000,
        clock="sim",
        cameras={"scene": frame},
        joints=joints,
        ee=ee,
        ee_commanded=ee,
        gripper=GripperState(1.0, 0.07),
        instruction="",
    )


def brief(label: str, seed: int = 0) -> Brief:
    instruction = TOUCH["paper"].format(label=label)
    return Brief(episode="e", task="touch-emoji", instruction=instruction, rate_hz=5.0, step_limit=60, seed=seed)


def where_it_closes(policy, one: Scene) -> np.ndarray | None:
    """Runs the policy on a perfect arm; xy [m] of the TCP when it closes the gripper, None if it never does."""
    position = np.array([0.25, 0.0, 0.1])
    for step in range(60):
        chunk = policy.infer(observation(one, Pose(position, np.array([1.0, 0.0, 0.0, 0.0])), step))
        if chunk.gripper[0] < 0.5:
            return position[:2]
        position = position + chunk.actions[0, :3]
    return None


@pytest.mark.parametrize("protocol", ["val", "hard"])
def test_the_named_card_is_found_among_three(protocol):
    scenes = [scene(protocol, seed) for seed in range(60)]
    assert len(misses(scenes)) <= 1


def test_the_named_card_is_found_behind_the_arm():
    scenes = [scene("val", seed, arm=True) for seed in range(40)]
    assert len(misses(scenes)) <= 2


@pytest.mark.parametrize("size", [(320, 240), (224, 224)])
def test_the_named_card_is_found_in_a_small_picture(size):
    full = preset("grinningface")
    small = CameraModel(*size, pinhole(*size, 1.2), full.distortion, full.base_from_camera)
    scenes = [scene("val", seed, model=small) for seed in range(15)]
    assert misses(scenes, model=small) == []


def test_lens_distortion_is_taken_out():
    straight = preset("grinningface")
    bent = np.array([-0.25, 0.08, 0.001, -0.001, 0.0])
    model = CameraModel(straight.width, straight.height, straight.K, bent, straight.base_from_camera)
    one = scene("val", 0)
    v, u = np.mgrid[0 : straight.height, 0 : straight.width].astype(np.float64)
    rays = cv2.undistortPoints(np.stack([u, v], axis=-1).reshape(-1, 1, 2), straight.K, bent, P=straight.K)
    maps = rays.reshape(straight.height, straight.width, 2).astype(np.float32)
    seen = cv2.remap(one.image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)
    found = locate(seen, model, one.emojis[one.target].char)
    assert np.linalg.norm(found.xy - one.centres[one.target]) < 0.005


def test_an_absent_card_scores_under_the_threshold():
    for seed in range(15):
        one = scene("val", seed)
        absent = next(emoji for emoji in split("train")[seed:] if emoji not in one.emojis)
        assert locate(one.image, preset("grinningface"), absent.char).score < FOUND


def test_all_cards_are_found_without_names():
    complete = 0
    for seed in range(30):
        one = scene("hard", seed)
        found = find_cards(one.image, preset("grinningface"))
        distances = [min((np.linalg.norm(card.xy - c) for card in found), default=1.0) for c in one.centres]
        complete += max(distances) < 0.03
    assert complete >= 28


def test_an_empty_table_has_no_cards():
    assert find_cards(np.full((480, 640, 3), 150, np.uint8), preset("grinningface")) == []


def test_card_matcher_closes_over_the_named_card():
    policy = CardMatcherPolicy()
    for seed in range(4):
        one = scene("hard", seed)
        policy.reset(brief(one.emojis[one.target].name))
        assert np.linalg.norm(where_it_closes(policy, one) - one.centres[one.target]) < 0.02


def test_card_matcher_holds_open_and_says_so_when_the_card_is_not_there(caplog):
    one = scene("val", 1)
    policy = CardMatcherPolicy()
    policy.reset(brief("red apple"))
    chunk = policy.infer(observation(one, Pose(np.zeros(3), np.array([1.0, 0, 0, 0]))))
    assert not chunk.actions.any()
    assert chunk.gripper[0] == 1.0
    assert "no card shows 'red apple'" in caplog.text


def test_card_matcher_refuses_a_name_it_does_not_know():
    with pytest.raises(UsageError, match="'gizmo'"):
        CardMatcherPolicy().reset(brief("gizmo"))


def test_random_card_touches_each_card_by_seed_and_ignores_the_name():
    one = scene("val", 2)
    policy = RandomCardPolicy()
    chosen = []
    for seed in range(12):
        policy.reset(brief("red apple", seed))
        at = where_it_closes(policy, one)
        distances = np.linalg.norm(one.centres - at, axis=1)
        assert distances.min() < 0.02
        chosen.append(int(distances.argmin()))
    assert set(chosen) == {0, 1, 2}
