"""GrinningFace's tabletop as a ManiSkill 3 environment, in the arm's base frame.

Colours and blocks: GrinningFace env PickCubeWidowX-v8, moved by its base position (-0.25, 0.70, 0.10).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import mani_skill
import numpy as np
import sapien
import trimesh
from mani_skill.utils.registration import register_env
from mani_skill.utils.structs.types import SceneConfig, SimConfig

from sim_twin.arm_env import ArmEnv
from sim_twin.cards import Card
from sim_twin.cube import Cube
from sim_twin.looks import Looks
from sim_twin.props import Prop
from touchstone.bench import TABLE_Z, TOUCH_BENCH

SIM_FREQUENCY = 100  # [Hz], GrinningFace (ManiSkill's default)
WOOD = np.array([214, 183, 146]) / 256
BLUE = np.array([98, 117, 188]) / 256
PLINTH = np.array([0.20, 0.21, 0.22])
TABLE_HEIGHT = 0.9196429  # of ManiSkill's table [m]
TABLE_SCALE = 1.75
RGBA = "R8G8B8A8Unorm"


@register_env("TouchstoneBench-v1", max_episode_steps=100_000)
class BenchEnv(ArmEnv):
    """The bench. props: cards and cube; they are on the table once they are placed."""

    PROPS = (*(f"card_{slot}" for slot in range(len(TOUCH_BENCH.card_centres))), "cube")

    @property
    def _default_sim_config(self) -> SimConfig:
        return SimConfig(
            sim_freq=SIM_FREQUENCY,
            control_freq=SIM_FREQUENCY,
            scene_config=SceneConfig(enable_enhanced_determinism=True),
        )

    def _load_scene(self, options: dict) -> None:
        self._build_table()
        # the arm's base stands TABLE_Z over the table; without a plinth under it, it would float
        self._build_block("plinth", (0.117, 0.077, -TABLE_Z / 2), (-0.04, 0.0, TABLE_Z / 2), PLINTH)
        self._build_block("background", (0.5, 1.3, 2.0), (1.25, -0.75, 0.9804), WOOD)
        self._build_block("wall", (1.3, 0.5, 2.0), (0.25, 1.05, 0.9804), BLUE)
        self.props = self._make_props(self.scene.sub_scenes[0])

    def _load_lighting(self, options: dict) -> None:
        looks = self._looks
        self.scene.set_ambient_light(looks.ambient)
        self.scene.add_directional_light(
            looks.sun_direction, looks.sun, shadow=True, shadow_scale=1.2, shadow_map_size=1024
        )
        self.scene.add_directional_light(looks.fill_direction, looks.fill)

    def _make_props(self, scene: sapien.Scene) -> dict[str, Prop]:
        return {name: (Cube if name == "cube" else Card)(scene, name) for name in self.PROPS}

    def _build_table(self) -> None:
        # half of a turn about z, as ManiSkill's own table scene places it
        upright = [np.sqrt(0.5), 0, 0, np.sqrt(0.5)]
        builder = self.scene.create_actor_builder()
        builder.add_box_collision(sapien.Pose([0, 0, TABLE_HEIGHT / 2]), (2.418 / 2, 1.209 / 2, TABLE_HEIGHT / 2))
        mesh = Path(mani_skill.__file__).parent / "utils/scene_builder/table/assets/table.glb"
        builder.add_visual_from_file(str(mesh), scale=[TABLE_SCALE] * 3, pose=sapien.Pose(q=upright))
        builder.initial_pose = sapien.Pose([0.13, -0.70, TABLE_Z - TABLE_HEIGHT], upright)
        table = builder.build_static(name="table")
        bodies = [entity.find_component_by_type(sapien.render.RenderBodyComponent) for entity in table._objs]
        for part in (part for body in bodies for shape in body.render_shapes for part in shape.parts):
            if part.material.base_color_texture is not None:
                # the mesh says "metal", on which a rasteriser without reflections shows no shadow
                part.material.metallic_texture = sapien.render.RenderTexture2D(np.zeros((1, 1, 4), np.uint8), RGBA)
                part.material.base_color_texture = _wood(mesh, self._looks)

    def _build_block(self, name: str, half_size, position, colour) -> None:
        builder = self.scene.create_actor_builder()
        material = sapien.render.RenderMaterial(base_color=[*colour, 1], roughness=0.9, specular=0.1)
        builder.add_box_visual(half_size=half_size, material=material)
        builder.initial_pose = sapien.Pose(position)
        builder.build_static(name=name)


@lru_cache(maxsize=8)
def _wood(mesh: Path, looks: Looks) -> sapien.render.RenderTexture2D:
    """The mesh's wood, darker and greyer: without its metal it glows. A texture of our own, because SAPIEN shares those
    that it loads between all scenes of a process."""
    materials = (part.visual.material for part in trimesh.load(mesh).geometry.values())
    picture = next(m.baseColorTexture for m in materials if m.baseColorTexture is not None)
    rgb = np.asarray(picture.convert("RGB"), dtype=np.float32)
    rgb = 0.60 * rgb + 0.15 * rgb.mean(axis=-1, keepdims=True)
    middle = rgb.mean(axis=(0, 1))
    rgb = (middle + looks.grain * (rgb - middle)) * looks.table
    rgba = np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), np.full(rgb.shape[:2], 255, np.uint8)])
    return sapien.render.RenderTexture2D(rgba, RGBA, mipmap_levels=8, srgb=True)
