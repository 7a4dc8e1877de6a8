"""Things that an episode puts on the table: bodies with mass and friction."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import sapien
import sapien.physx
import sapien.render

from touchstone.bench import TABLE_Z
from touchstone.spec import Placement

#: ManiSkill's default density [kg/m^3], which GrinningFace's cube and cards have
DENSITY = 1000.0


class Prop:
    """One box-shaped thing. `origin` is the point that facts call its pose, in the frame of the box's middle [m]."""

    def __init__(self, scene: sapien.Scene, name: str, half_size: Iterable[float], origin_height: float) -> None:
        self.name = name
        self._scene = scene
        self._half_height = float(list(half_size)[2])
        self._origin = sapien.Pose([0, 0, origin_height])
        self.body = sapien.physx.PhysxRigidDynamicComponent()
        shape = sapien.physx.PhysxCollisionShapeBox(list(half_size), scene.create_physical_material(0.3, 0.3, 0.0))
        shape.density = DENSITY
        self._material = shape.physical_material
        self.body.attach(shape)
        self._entity = sapien.Entity()
        self._entity.name = name
        self._entity.add_component(self._looks())
        self._entity.add_component(self.body)

    def place(self, placement: Placement) -> None:
        """Puts it where the placement says, at rest on the table."""
        self._dress(placement)
        turn = [np.cos(placement.yaw / 2), 0.0, 0.0, np.sin(placement.yaw / 2)]
        self._entity.pose = sapien.Pose([*placement.xy, TABLE_Z + self._half_height], turn)
        self._scene.add_entity(self._entity)

    def pose(self, middle: sapien.Pose | None = None) -> list[float]:
        """x y z [m] w x y z in the base frame. middle: where its middle is, if the entity does not know."""
        pose = (middle or self._entity.pose) * self._origin
        return [float(v) for v in (*pose.p, *pose.q)]

    def shift(self, friction: float, mass: float) -> None:
        """Multiplies its coefficients of friction and its mass."""
        self._material.static_friction *= friction
        self._material.dynamic_friction *= friction
        self.body.mass *= mass
        self.body.inertia = self.body.inertia * mass

    def _looks(self) -> sapien.render.RenderBodyComponent:
        raise NotImplementedError

    def _dress(self, placement: Placement) -> None:
        """Changes its looks for one episode."""
