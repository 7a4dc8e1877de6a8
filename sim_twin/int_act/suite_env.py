"""INT-ACT's table and sink as a ManiSkill 3 environment, in the arm's base frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import sapien
import sapien.physx
from mani_skill.utils.registration import register_env
from mani_skill.utils.structs.types import DefaultMaterialsConfig, SceneConfig, SimConfig

from sim_twin.arm_env import ArmEnv
from sim_twin.int_act.room import backdrop, corners, table_top
from sim_twin.int_act.solids import Part
from sim_twin.int_act.thing import Thing, body_of
from sim_twin.looks import Looks, Triple
from touchstone.geometry import Pose
from touchstone.spec import Placement
from touchstone.tasks.int_act import objects
from touchstone.tasks.int_act.scenes import SINK, TABLE, Scene, scene_of
from touchstone.tasks.int_act.suite import suite
from touchstone.tasks.int_act.table import Fixture

ENV = "TouchstoneIntAct-v1"
#: INT-ACT's code: physics steps a second [Hz], and friction of what has none of its own
PHYSICS_HZ = 500
FRICTION = 1.0


@dataclass(frozen=True)
class SuiteLooks(Looks):
    """rim, rim_direction: a third light. The table's wood is ours, see `room.py`."""

    rim_direction: Triple = (-1.0, -1.0, -1.0)
    rim: Triple = (0.0, 0.0, 0.0)


#: INT-ACT's code, turned into the base frame
LOOKS = {
    TABLE.name: SuiteLooks(
        ambient=(0.3, 0.3, 0.3),
        sun_direction=(0.0, 0.0, -1.0),
        sun=(2.2, 2.2, 2.2),
        fill_direction=(1.0, 0.5, -1.0),
        fill=(0.7, 0.7, 0.7),
        rim=(0.7, 0.7, 0.7),
    ),
    SINK.name: SuiteLooks(
        ambient=(0.3, 0.3, 0.3), sun_direction=(0.0, 0.0, -1.0), sun=(0.3, 0.3, 0.3), fill=(0.0, 0.0, 0.0)
    ),
}
#: half of the edge of the area on which the sun casts shadows [m], and its middle: over the objects
SHADOWS_WITHIN, SHADOWS_AROUND = 0.6, (0.25, 0.0, 0.0)


@register_env(ENV, max_episode_steps=100_000)
class SuiteEnv(ArmEnv):
    """Table and, in its scene, the sink. setting: which scene. meshes: whose, of the objects.

    Its reset takes the option `layout`. props: what that names; it is on the table once it was put.
    """

    def __init__(self, *args, setting: Scene, meshes: Literal["own", "official"] = "own", **kwargs) -> None:
        self._setting, self._meshes = setting, meshes
        self.default_looks = LOOKS[setting.name]
        self.props: dict[str, Thing]
        super().__init__(*args, **kwargs)

    @property
    def _default_sim_config(self) -> SimConfig:
        return SimConfig(
            sim_freq=PHYSICS_HZ,
            control_freq=PHYSICS_HZ,
            scene_config=SceneConfig(
                solver_position_iterations=25,
                solver_velocity_iterations=1,
                contact_offset=0.005,
                enable_pcm=False,
                enable_tgs=True,
                enable_enhanced_determinism=True,
            ),
            default_materials_config=DefaultMaterialsConfig(static_friction=FRICTION, dynamic_friction=FRICTION),
        )

    def _load_scene(self, options: dict) -> None:
        scene = self.scene.sub_scenes[0]
        self._build_table(scene)
        fixture = fixture_of(self._setting)
        if fixture is not None:
            sink = Thing(scene, fixture.object, fixed=True, meshes=self._meshes)
            pose = self._setting.in_base(Pose(np.array(fixture.position), np.array([1.0, 0.0, 0.0, 0.0])))
            sink.put(pose.position, pose.quaternion)
        layout: Sequence[Placement] = options.get("layout", ())
        self.props = {placement.name: Thing(scene, placement.kind, meshes=self._meshes) for placement in layout}

    def _load_lighting(self, options: dict) -> None:
        looks = self._looks
        self.scene.set_ambient_light(looks.ambient)
        self.scene.add_directional_light(
            looks.sun_direction,
            looks.sun,
            shadow=True,
            position=SHADOWS_AROUND,
            shadow_scale=SHADOWS_WITHIN,
            shadow_map_size=2048,
        )
        for direction, colour in ((looks.fill_direction, looks.fill), (looks.rim_direction, looks.rim)):
            if any(colour):
                self.scene.add_directional_light(direction, colour)

    def _build_table(self, scene: sapien.Scene) -> None:
        low, high = np.array(corners(self._setting))
        slab = sapien.physx.PhysxRigidStaticComponent()
        material = scene.create_physical_material(FRICTION, FRICTION, 0.0)
        slab.attach(sapien.physx.PhysxCollisionShapeBox((high - low) / 2, material))
        _stand(scene, objects.TABLE, (low + high) / 2, slab, [table_top(self._setting, self._looks)])
        _stand(scene, "room", np.zeros(3), None, backdrop(self._setting))


def _stand(scene: sapien.Scene, name: str, at: np.ndarray, body, parts: Iterable[Part]) -> None:
    """Something that never moves. at: where its middle is [m]; the parts are where they are."""
    entity = sapien.Entity()
    entity.name = name
    if body is not None:
        entity.add_component(body)
    entity.add_component(body_of(part.moved(-at) for part in parts))
    entity.pose = sapien.Pose(at)
    scene.add_entity(entity)


def fixture_of(setting: Scene) -> Fixture | None:
    """What stands locked in a scene."""
    layouts = (task.layout for task in suite().tasks.values())
    return next((layout.fixture for layout in layouts if layout.fixture and setting is scene_of(layout)), None)
