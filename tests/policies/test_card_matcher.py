"""card-matcher and random-card find cards in pictures made by homography: light, tint, noise, JPEG, yaw, an arm."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from policy_server.policies.card_vision import locate
from touchstone.bench import CARD_THICKNESS, TABLE_Z, TOUCH_BENCH
from touchstone.cameras import preset
from touchstone.tasks.emoji.cards import card_corners, card_picture
from touchstone.tasks.emoji.splits import split

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
    base = np.array([[0.05, -half_width], [0.05, half_width], [tip[0], tip[1] + half_width], [tip[0], tip[1] - half_width]])
    pixels = model.project(np.column_stack([base, np.full(4, TABLE_Z + 0.02)]))
    cv2.fillConvexPoly(image, pixels.round().astype(np.int32), (28, 28, 30))


def misses(scenes: list[Scene], radius: float = 0.03, model=None) -> list[int]:
    """Indices of the scenes whose target `locate` puts farther than `radius` [m] from the truth."""
    model = model or preset("grinningface")
    found = [locate(one.image, model, one.emojis[one.target]) for one in scenes]
    errors = [np.linalg.norm(f.xy - s.centres[s.target]) for f, s in zip(found, scenes, strict=True)]
    return [i for i, error in enumerate(errors) if error > radius]


@pytest.mark.parametrize("protocol", ["val", "hard"])
def test_the_named_card_is_found_among_three(protocol):
    scenes = [scene(protocol, seed) for seed in range(60)]
    assert len(misses(scenes)) <= 1
