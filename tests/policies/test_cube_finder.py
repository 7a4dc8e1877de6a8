"""find_cube on the twin's own pictures of both arms, and on the same pictures under another light, noise and JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from policy_server.policies.cube_finder import find_cube
from touchstone.bench import CUBE_SIDE, TABLE_Z
from touchstone.cameras import CameraModel, preset
from touchstone.robots.base import arm
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.world import WorldRequest

TASK = PickEmoji()
EPISODES = range(6)
#: an episode whose cards show something cube-sized and blue, by arm
BLUE_CARD = 27


@dataclass(frozen=True)
class Seen:
    """One picture uint8[H,W,3] RGB, its camera, and the cube's middle [m], None when it is not there."""

    image: np.ndarray
    model: CameraModel
    cube: np.ndarray | None


@pytest.fixture(scope="module", params=["wx250s", "rm75"])
def pictures(request) -> list[Seen]:
    """Rendered once per arm: with a cube, and the last one without."""
    from sim_twin.world import make_world

    world = make_world(WorldRequest(request.param, "grinningface", privileged=True))
    robot = arm(request.param)
    specs = [TASK.plan("hard", 1, index, robot) for index in (*EPISODES, BLUE_CARD)]
    cards_alone = [spec.model_copy(update={"layout": spec.choices}) for spec in specs[-3:]]
    seen = []
    for spec in (*specs, *cards_alone):
        world.reset(spec)
        observation = world.observe()
        cube = observation.privileged.facts.objects.get("cube")
        frame = observation.cameras["scene"]
        seen.append(Seen(frame.image.copy(), frame.model, None if cube is None else np.array(cube.value[:3])))
    world.close()
    return seen


def with_cube(pictures: list[Seen]) -> list[Seen]:
    return [one for one in pictures if one.cube is not None]


def tinted(image, draw):
    return image * draw.uniform(0.85, 1.15, 3)


def dark(image, draw):
    return image * 0.5


def noisy(image, draw):
    return image + draw.normal(0.0, 8.0, image.shape)


def compressed(image, draw):
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]


def blurred(image, draw):
    return cv2.GaussianBlur(image, (5, 5), 1.0)


def test_the_cubes_middle_is_found_to_two_millimetres(pictures):
    for one in with_cube(pictures):
        assert np.linalg.norm(find_cube(one.image, one.model) - one.cube) < 0.002


@pytest.mark.parametrize("change", [tinted, dark, noisy, compressed, blurred], ids=lambda change: change.__name__)
def test_another_light_noise_and_compression_cost_less_than_five_millimetres(pictures, change):
    draw = np.random.default_rng(0)
    for one in with_cube(pictures):
        image = np.clip(change(one.image, draw), 0, 255).astype(np.uint8)
        found = find_cube(np.ascontiguousarray(image), one.model)
        assert found is not None and np.linalg.norm(found - one.cube) < 0.005


def test_without_a_cube_nothing_is_found(pictures):
    empty = [one for one in pictures if one.cube is None]
    assert len(empty) == 3
    for one in empty:
        assert find_cube(one.image, one.model) is None


def test_a_cube_that_is_painted_over_is_not_found(pictures):
    for one in with_cube(pictures)[:3]:
        image = one.image.copy()
        u, v = one.model.project(one.cube)[0].round().astype(int)
        image[v - 40 : v + 41, u - 40 : u + 41] = (176, 146, 112)
        found = find_cube(image, one.model)
        assert found is None or np.linalg.norm(found[:2] - one.cube[:2]) > 0.05


@pytest.mark.parametrize("grey", [0, 60, 150, 255])
def test_a_plain_picture_has_no_cube(grey):
    assert find_cube(np.full((480, 640, 3), grey, np.uint8), preset("grinningface")) is None


@pytest.mark.parametrize(("side", "found"), [(CUBE_SIDE, True), (2 * CUBE_SIDE, False), (0.4 * CUBE_SIDE, False)])
def test_a_blue_thing_of_another_size_is_no_cube(side, found):
    """Drawn from the camera model alone: the outline of a cube with this side on a plain table."""
    model = preset("grinningface")
    image = np.full((480, 640, 3), (176, 146, 112), np.uint8)
    middle = np.array([0.27, 0.03, TABLE_Z + side / 2])
    corners = middle + side * (np.stack(np.meshgrid(*[(-0.5, 0.5)] * 3), axis=-1).reshape(-1, 3))
    outline = cv2.convexHull(model.project(corners).round().astype(np.int32))
    cv2.fillConvexPoly(image, outline, (45, 45, 120))
    place = find_cube(image, model)
    assert (place is not None) is found
    if found:
        assert np.linalg.norm(place - middle) < 0.003
