"""A photograph behind the arm and the things of an episode: what shows through, and what cannot be shown."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sim_twin.world import make_world
from touchstone.errors import UsageError
from touchstone.robots.wx250s import ARM
from touchstone.tasks.base import task as find_task
from touchstone.world import WorldRequest

SIZE = (320, 240)


def photograph(folder, size=SIZE) -> str:
    """Loud magenta and green stripes, which nothing in a scene has."""
    columns = np.arange(size[0]) // 8 % 2
    picture = np.where(columns[None, :, None], [255, 0, 255], [0, 255, 0]).astype(np.uint8)
    path = folder / "bench.png"
    Image.fromarray(np.broadcast_to(picture, (size[1], size[0], 3)).copy()).save(path)
    return str(path)


def request(task, overlay: str | None, shader: str | None = None) -> WorldRequest:
    return WorldRequest(ARM.name, f"{task.camera}@{SIZE[0]}x{SIZE[1]}", shader, scene=task.scene, overlay=overlay)


def picture(name: str, overlay: str | None = None, shader: str | None = None):
    """The first frame of an episode, with its spec."""
    task = find_task(name)
    wanted = request(task, overlay, shader)
    world = make_world(wanted)
    spec = task.plan("val" if "val" in task.protocols else task.protocols[0], 0, 1, ARM, wanted.camera)
    world.reset(spec)
    frame = world.observe().cameras["scene"]
    world.close()
    return spec, frame


def at(frame, spec, name: str, height: float) -> tuple[int, int]:
    """Row and column of a thing's middle."""
    u, v = frame.model.project(np.array([*spec.placement(name).xy, height]))[0].round().astype(int)
    return v, u


@pytest.mark.parametrize("shader", ["minimal", "default"])
def test_arm_and_things_are_as_rendered_and_all_else_is_the_photograph(tmp_path, shader):
    path = photograph(tmp_path)
    photo = np.asarray(Image.open(path))
    name = "int-act:widowx_carrot_on_plate"
    spec, laid = picture(name, path, shader)
    _, plain = picture(name, None, shader)
    from_photo = (laid.image == photo).all(axis=2)
    as_rendered = (laid.image == plain.image).all(axis=2)
    assert (from_photo | as_rendered).all() and 0.5 < from_photo.mean() < 0.97
    for thing in ("carrot", "plate"):
        assert as_rendered[at(laid, spec, thing, 0.01)]
    tip = ARM.kinematics.link_pose(spec.start, "gripper_bar_link").position
    u, v = laid.model.project(tip)[0].round().astype(int)
    assert as_rendered[v, u] and from_photo[-5, -5] and from_photo[5, 5]


def test_sink_and_basket_floor_are_in_the_photograph(tmp_path):
    path = photograph(tmp_path)
    photo = np.asarray(Image.open(path))
    spec, laid = picture("int-act:widowx_put_eggplant_in_basket", path)
    from_photo = (laid.image == photo).all(axis=2)
    assert from_photo[at(laid, spec, "basket_floor", 0.077)] and from_photo.mean() > 0.7
    assert not from_photo[at(laid, spec, "eggplant", 0.09)]


def test_the_cards_lie_on_a_photograph_too(tmp_path):
    spec, laid = picture("touch-emoji", photograph(tmp_path))
    _, plain = picture("touch-emoji")
    card = at(laid, spec, "card_1", -0.098)
    assert (laid.image[card] == plain.image[card]).all() and not (laid.image == plain.image).all()


def test_a_photograph_that_cannot_serve_is_one_sentence(tmp_path):
    task = find_task("touch-emoji")
    with pytest.raises(UsageError, match=r"Cannot read the photograph .*nowhere\.png: No such file"):
        make_world(request(task, str(tmp_path / "nowhere.png")))
    text = tmp_path / "words.png"
    text.write_text("no picture")
    with pytest.raises(UsageError, match="it is no picture"):
        make_world(request(task, str(text)))
    with pytest.raises(UsageError, match="has 100x80 pixels, and the camera 320x240"):
        make_world(request(task, photograph(tmp_path, (100, 80))))
