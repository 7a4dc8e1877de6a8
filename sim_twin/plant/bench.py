"""The bench as both processes build it: one steps it, the other poses it like the first and looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium
import numpy as np
import sapien
import torch

from sim_twin.bench_env import SIM_FREQUENCY
from sim_twin.camera import SceneCamera
from sim_twin.drives import Drives
from sim_twin.rendering import DEFAULT_SHADER, render_backend, require_vulkan
from sim_twin.shadow import parse
from sim_twin.shifts import Shifts, bend_camera, bend_scene
from touchstone.cameras import CameraModel
from touchstone.errors import UsageError
from touchstone.robots.base import Arm
from touchstone.spec import Placement

STEP_NS = round(1e9 / SIM_FREQUENCY)


@dataclass(frozen=True)
class Plant:
    """What a world's name means. word: `twin` or `shadow`; sealed: what nobody is told, or None."""

    name: str
    word: str
    shifts: Shifts
    sealed: dict[str, Any] | None

    @staticmethod
    def named(world: str) -> Plant:
        """Of `twin` or `shadow:...`. Raises UsageError."""
        word, _, variant = world.partition(":")
        if word == "twin" and not variant:
            return Plant(world, "twin", Shifts(), None)
        if word != "shadow" or not variant:
            raise UsageError(f"No plant is called '{world}'; use twin, or shadow:... as in docs/shadows.md.")
        recipe = parse(variant)
        shifts = recipe.draw()
        sealed = {"strengths": recipe.strengths, "seed": recipe.seed, "shifts": asdict(shifts)}
        return Plant(world, "shadow", shifts, sealed)


class Bench:
    """One arm and what lies on its table. camera: None for a bench that nobody looks at."""

    def __init__(self, arm: Arm, shifts: Shifts, camera: CameraModel | None = None) -> None:
        require_vulkan()
        torch.set_num_threads(1)
        self._arm, self._shifts = arm, shifts
        self._looked_at = camera is not None
        self._env = gymnasium.make(
            "TouchstoneBench-v1",
            arm=arm,
            camera=bend_camera(camera, shifts) if camera else None,
            shader=DEFAULT_SHADER,
            looks=shifts.looks,
            obs_mode="none",
            sim_backend="physx_cpu",
            render_backend=render_backend(),
        ).unwrapped
        self.layout: tuple[Placement, ...] = ()
        self.build((), np.array(arm.ready), 1.0)

    def build(self, layout: Sequence[Placement], joints: np.ndarray, opening: float) -> None:
        """A new scene with the arm at `joints` float64[n] [rad] and `opening` 0..1. Raises UsageError for objects that
        are not known here, and then changes nothing."""
        strange = [placement.name for placement in layout if placement.name not in self._env.props]
        if strange:
            raise UsageError(f"The episode asks for {', '.join(strange)}, which this plant has not.")
        self._env.reset(seed=0, options={"reconfigure": True, "layout": tuple(layout)})
        self.drives = Drives(
            self._env.agent.robot, self._arm, round(self._shifts.latency_s * SIM_FREQUENCY), self._shifts.backlash
        )
        bend_scene(self._env, self.drives, self._arm.gripper.friction, self._shifts)
        self._camera = SceneCamera(self._env, self._shifts.tint) if self._looked_at else None
        self._env.scene.step()
        self.drives.place(joints, opening)
        for placement in layout:
            self.props[placement.name].place(placement)
        self.layout = tuple(layout)

    @property
    def props(self) -> dict:
        """What can lie on the table, by name."""
        return self._env.props

    @property
    def scene(self):
        """ManiSkill's."""
        return self._env.scene

    def step(self) -> None:
        self._env.scene.step()

    def posture(self) -> dict[str, list[float]]:
        """All joint positions, as PhysX orders them, and the pose of each body that lies here, 7 numbers."""
        posture = {"": self._robot.get_qpos().tolist()}
        for placement in self.layout:
            pose = self.props[placement.name].body.entity.pose
            posture[placement.name] = [*pose.p.tolist(), *pose.q.tolist()]
        return posture

    def pose_like(self, posture: dict[str, list[float]]) -> None:
        """Takes another bench's posture; the layout must be the same."""
        self._robot.set_qpos(np.array(posture[""], dtype=np.float32))
        for placement in self.layout:
            values = posture[placement.name]
            self.props[placement.name].body.entity.pose = sapien.Pose(values[:3], values[3:])

    def picture(self) -> np.ndarray:
        """uint8[H,W,3] RGB of the present state."""
        return self._camera.picture()

    def close(self) -> None:
        self._env.close()

    @property
    def _robot(self):
        return self._env.agent.robot._objs[0]
