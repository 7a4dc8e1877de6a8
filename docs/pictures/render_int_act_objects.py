"""Renders docs/pictures/int_act_objects.png: every INT-ACT object in the twin, 224 pixels a side, with its name.

python docs/pictures/render_int_act_objects.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import sapien
import sapien.render
from PIL import Image, ImageDraw, ImageFont

from sim_twin.camera import bytes_of
from sim_twin.int_act.shapes import BUILDERS
from sim_twin.int_act.solids import box_points
from sim_twin.int_act.thing import Thing
from sim_twin.rendering import DEFAULT_SHADER, require_vulkan
from touchstone.geometry import look_at
from touchstone.tasks.int_act.objects import object_kind

PICTURE = Path(__file__).parent / "int_act_objects.png"
SIDE, CAPTION, COLUMNS = 224, 20, 7
#: how an object is turned for its picture, quaternion wxyz (cans upright, their front to the camera); the others stand
#: as they are modelled
CAN = (0.59389, 0.59389, -0.38380, -0.38380)
TURNS = {"coke_can": CAN, "pepsi_can": CAN, "rabbit": (0.92388, 0.0, 0.0, -0.382683)}
#: where the camera is: seen from the object, and how many of its own sizes away
FROM, AWAY = np.array([0.45, -1.0, 1.0]), 2.1
OPTICAL_FROM_SAPIEN = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    require_vulkan()
    sapien.render.set_camera_shader_dir(DEFAULT_SHADER)
    studio = Studio()
    rows = -(-len(BUILDERS) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + CAPTION)), "white")
    for k, name in enumerate(BUILDERS):
        x, y = k % COLUMNS * SIDE, k // COLUMNS * (SIDE + CAPTION)
        sheet.paste(Image.fromarray(studio.picture(name)), (x, y))
        middle = (x + SIDE // 2, y + SIDE + CAPTION // 2)
        font = ImageFont.load_default(14)
        ImageDraw.Draw(sheet).text(middle, object_kind(name).label, fill="black", font=font, anchor="mm")
    sheet.save(file)


class Studio:
    """A table in the suite's light."""

    def __init__(self) -> None:
        self._scene = scene = sapien.Scene()
        scene.set_ambient_light([0.3] * 3)
        scene.add_directional_light([0, 0, -1], [2.2] * 3, shadow=True, shadow_scale=0.5, shadow_map_size=1024)
        scene.add_directional_light([-1, -0.5, -1], [0.7] * 3)
        scene.add_directional_light([1, 1, -1], [0.7] * 3)
        wood = sapien.render.RenderMaterial(base_color=[0.36, 0.26, 0.17, 1], roughness=0.9, specular=0.1)
        table, surface = sapien.Entity(), sapien.render.RenderBodyComponent()
        surface.attach(sapien.render.RenderShapeBox([2, 2, 0.01], wood))
        table.add_component(surface)
        table.pose = sapien.Pose([0, 0, -0.0101])
        scene.add_entity(table)
        self._camera = scene.add_camera("sheet", SIDE, SIDE, np.radians(30), 0.01, 10)

    def picture(self, name: str) -> np.ndarray:
        """uint8[224,224,3]: one object, turned as it lies in the suite."""
        bounds = object_kind(name).bounds
        turn = sapien.Pose(q=TURNS.get(name, (1.0, 0.0, 0.0, 0.0)))
        corners = np.array([(turn * sapien.Pose(p)).p for p in box_points(*bounds)])
        thing = Thing(self._scene, name)
        thing.put([0, 0, -corners[:, 2].min()], turn.q)
        middle = np.array([0, 0, np.ptp(corners[:, 2]) / 2])
        eye = middle + FROM / np.linalg.norm(FROM) * AWAY * np.linalg.norm(np.ptp(corners, axis=0))
        self._camera.entity.pose = sapien.Pose(look_at(eye, middle).matrix() @ OPTICAL_FROM_SAPIEN)
        self._scene.update_render()
        self._camera.take_picture()
        picture = bytes_of(self._camera.get_picture("Color"))
        thing.remove()
        return picture


if __name__ == "__main__":
    main()
