"""Cards in the twin's pictures, found as a bench's camera would find them; and what the operator is shown."""

from __future__ import annotations

import numpy as np
import pytest

from sim_twin.world import make_world
from touchstone.evaluation.attended import DETECTION_SIGMA, detect_cards
from touchstone.robots.base import arm
from touchstone.tasks.base import task
from touchstone.vision.cards import Detection
from touchstone.vision.overlay import AWAY, FOUND, WANTED, placement_overlay
from touchstone.world import WorldRequest


@pytest.fixture(scope="module", params=["wx250s", "rm75"])
def scenes(request):
    world = make_world(WorldRequest(robot=request.param, camera="grinningface"))
    touch, out = task("touch-emoji"), []
    for index in range(8):
        spec = touch.plan("val", 3, index, arm(request.param))
        world.reset(spec)
        out.append((spec, world.observe().cameras["scene"]))
    world.close()
    return out


def test_every_card_is_found_where_it_lies(scenes):
    errors = []
    for spec, frame in scenes:
        for placement in spec.layout:
            seen = detect_cards(spec, frame)[placement.name]
            if seen is not None:
                errors.append(np.linalg.norm(np.subtract(seen.xy, placement.xy)))
    assert len(errors) >= 0.9 * 3 * len(scenes)
    assert max(errors) <= DETECTION_SIGMA


def test_a_card_that_is_not_there_is_not_found(scenes):
    (spec, frame), (other, _) = scenes[0], scenes[1]
    shown = {placement.emoji for placement in spec.layout}
    strange = [placement for placement in other.layout if placement.emoji not in shown]
    found = detect_cards(spec.model_copy(update={"layout": tuple(strange)}), frame)
    assert strange and not any(found.values())


def test_the_overlay_shows_ghosts_until_a_card_is_found_and_then_whether_it_lies_there(scenes):
    spec, frame = scenes[0]
    first, second, third = spec.layout
    found = {
        first.name: None,
        second.name: Detection(np.array(second.xy), 0.0, 0.9),
        third.name: Detection(np.array(third.xy) - [0.05, 0.0], 0.0, 0.9),
    }
    out = placement_overlay(frame.image, frame.model, spec, found)
    colours = {tuple(pixel) for pixel in out.reshape(-1, 3)}
    assert {WANTED, FOUND, AWAY} <= colours
    assert out.shape == frame.image.shape and not np.array_equal(out, frame.image)
