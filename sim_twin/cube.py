"""The cube that is picked."""

from __future__ import annotations

import sapien
import sapien.render

from sim_twin.props import Prop
from touchstone.bench import CUBE_COLOUR, CUBE_SIDE


class Cube(Prop):
    """Its pose is that of its middle."""

    def __init__(self, scene: sapien.Scene, name: str) -> None:
        super().__init__(scene, name, [CUBE_SIDE / 2] * 3, origin_height=0.0)

    def _looks(self) -> sapien.render.RenderBodyComponent:
        body = sapien.render.RenderBodyComponent()
        paint = sapien.render.RenderMaterial(base_color=[*CUBE_COLOUR, 1], roughness=0.7, specular=0.3)
        body.attach(sapien.render.RenderShapeBox([CUBE_SIDE / 2] * 3, paint))
        return body
