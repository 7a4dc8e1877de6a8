"""An INT-ACT object as a body of SAPIEN's: what is seen, what collides, and what facts say about it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import sapien
import sapien.physx
import sapien.render

from sim_twin.int_act.official import OfficialModel, official_model
from sim_twin.int_act.shapes import shape_of
from sim_twin.int_act.solids import Paint, Part, linear
from touchstone.tasks.int_act.objects import DAMPING, FRICTION, RESTITUTION, object_kind

RGBA = "R8G8B8A8Unorm"
LOCKED = [True] * 6


class Thing:
    """One object of a scene; `put` brings it in. Its mass is that of its collision pieces at the object's density.

    name: of the object, also the entity's. fixed: it never moves, as the sink. meshes: `official` for the suite's own,
    where ManiSkill's assets have them. Raises MissingPart when there are no such assets.
    """

    def __init__(
        self, scene: sapien.Scene, name: str, fixed: bool = False, meshes: Literal["own", "official"] = "own"
    ) -> None:
        self.name = name
        self.kind = object_kind(name)
        self._scene = scene
        self._material = scene.create_physical_material(FRICTION, FRICTION, RESTITUTION)
        model = official_model(name) if meshes == "official" else None
        self.body = sapien.physx.PhysxRigidDynamicComponent()
        for collision in self._collisions(model):
            collision.density = self.kind.density
            self.body.attach(collision)
        self.body.linear_damping = self.body.angular_damping = DAMPING
        if fixed:
            self.body.set_locked_motion_axes(LOCKED)
        self._entity = sapien.Entity()
        self._entity.name = name
        self._entity.add_component(looks(name, model))
        self._entity.add_component(self.body)

    def put(self, position, quaternion=(1.0, 0.0, 0.0, 0.0)) -> None:
        """Brings it into the scene: its own frame at a position [m], turned by a quaternion wxyz."""
        self._entity.pose = sapien.Pose(list(position), list(quaternion))
        self._scene.add_entity(self._entity)

    def remove(self) -> None:
        """Takes it out of the scene again."""
        self._entity.remove_from_scene()

    def lock_tilt(self, locked: bool) -> None:
        """Whether roll and pitch are held, as while it is dropped."""
        self.body.set_locked_motion_axes([False, False, False, locked, locked, False])

    def stop(self) -> None:
        """Takes its speed, and wakes it."""
        self.body.linear_velocity = self.body.angular_velocity = np.zeros(3)
        self.body.wake_up()

    def speed(self) -> float:
        """[m/s]"""
        return float(np.linalg.norm(self.body.linear_velocity))

    def turning(self) -> float:
        """[rad/s]"""
        return float(np.linalg.norm(self.body.angular_velocity))

    def pose(self) -> list[float]:
        """x y z [m] w x y z of its own frame."""
        pose = self._entity.pose
        return [float(v) for v in (*pose.p, *pose.q)]

    def centre(self) -> list[float]:
        """x y z [m] of its centre of mass."""
        return [float(v) for v in (self._entity.pose * self.body.cmass_local_pose).p]

    def shift(self, friction: float, mass: float) -> None:
        """Multiplies its coefficients of friction and its mass."""
        self._material.static_friction *= friction
        self._material.dynamic_friction *= friction
        self.body.mass *= mass
        self.body.inertia = self.body.inertia * mass

    def _collisions(self, model: OfficialModel | None) -> list[sapien.physx.PhysxCollisionShapeConvexMesh]:
        convex = sapien.physx.PhysxCollisionShapeConvexMesh
        if model is not None:
            return convex.load_multiple(str(model.collision), _all(self.kind.scale), self._material)
        return [
            convex(np.ascontiguousarray(piece, dtype=np.float32), _all(1), self._material)
            for piece in shape_of(self.name).pieces
        ]


def looks(name: str, model: OfficialModel | None = None) -> sapien.render.RenderBodyComponent:
    """What is seen of an object: its official mesh if there is one, else ours."""
    body = sapien.render.RenderBodyComponent()
    if model is not None:
        body.attach(sapien.render.RenderShapeTriangleMesh(str(model.visual), _all(object_kind(name).scale)))
        return body
    for (vertices, triangles, normals, uv), paint in _surfaces(name):
        body.attach(sapien.render.RenderShapeTriangleMesh(vertices, triangles, normals, uv, _material(paint)))
    return body


def body_of(parts: Iterable[Part]) -> sapien.render.RenderBodyComponent:
    """What is seen of loose parts."""
    body = sapien.render.RenderBodyComponent()
    for part in parts:
        body.attach(sapien.render.RenderShapeTriangleMesh(*_arrays(part), _material(part.paint)))
    return body


@cache
def _surfaces(name: str) -> tuple[tuple[tuple[np.ndarray, ...], Paint], ...]:
    return tuple((_arrays(part), part.paint) for part in shape_of(name).parts)


def _arrays(part: Part) -> tuple[np.ndarray, ...]:
    kinds = (np.float32, np.uint32, np.float32, np.float32)
    return tuple(np.ascontiguousarray(a, dtype=kind) for a, kind in zip(part.shaded(), kinds, strict=True))


def _all(scale: float) -> np.ndarray:
    return np.full(3, scale, dtype=np.float32)


def _material(paint: Paint) -> sapien.render.RenderMaterial:
    material = sapien.render.RenderMaterial(
        base_color=[*linear(paint.colour), 1], roughness=paint.roughness, specular=paint.specular
    )
    if paint.picture is not None:
        material.base_color_texture = _texture(_SameArray(paint.picture))
    return material


class _SameArray:
    """An array as a key of a cache: equal to itself alone."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __hash__(self) -> int:
        return id(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameArray) and other.array is self.array


@lru_cache(maxsize=64)
def _texture(picture: _SameArray) -> sapien.render.RenderTexture2D:
    """Kept, because upload is the slow part of a new scene."""
    # picture rows run downwards, texture v upwards
    rgba = np.dstack([picture.array[::-1], np.full(picture.array.shape[:2], 255, np.uint8)])
    return sapien.render.RenderTexture2D(np.ascontiguousarray(rgba), RGBA, mipmap_levels=6, srgb=True)
