"""Renders docs/pictures/int_act_scenes.jpg: INT-ACT's table and sink as the Bridge cameras see them in the twin.

python docs/pictures/render_int_act_scenes.py [shader]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from sim_twin.world import make_world
from touchstone.registry import ROBOTS, load
from touchstone.tasks.int_act.scenes import ROBOT
from touchstone.tasks.int_act.task import PROTOCOL, IntAct
from touchstone.world import WorldRequest

PICTURE = Path(__file__).parent / "int_act_scenes.jpg"
#: task and episode of each half
SHOWN = (("widowx_orange_juice_on_plate_distract", 1), ("widowx_put_eggplant_in_basket", 1))


def main() -> None:
    shader = sys.argv[1] if len(sys.argv) > 1 else "default"
    Image.fromarray(np.hstack([_picture(name, index, shader) for name, index in SHOWN])).save(PICTURE, quality=88)


def _picture(name: str, index: int, shader: str) -> np.ndarray:
    task = IntAct(name)
    world = make_world(WorldRequest(ROBOT, f"{task.camera}@1280x960", shader, scene=task.scene))
    spec = task.plan(PROTOCOL, 0, index, load(ROBOTS, ROBOT), f"{task.camera}@1280x960")
    world.reset(spec)
    picture = Image.fromarray(world.observe().cameras["scene"].image)
    world.close()
    return np.asarray(picture.resize((640, 480), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main()
