"""A ManiSkill 3 environment of one arm, its base at the origin, and one fixed camera; scenes build on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sapien
import torch
from mani_skill.envs.sapien_env import BaseEnv
from mani_skill.sensors.camera import CameraConfig

from sim_twin.agent import agent_class
from sim_twin.looks import DEFAULT_LOOKS, Looks
from sim_twin.rendering import shader_config
from touchstone.cameras import CameraModel
from touchstone.robots.base import Arm


class ArmEnv(BaseEnv):
    """One arm and one fixed camera called `scene`. Driven by `TwinWorld`, not by `step`.

    camera: None for no pictures. looks: `default_looks` unless given. urdf: the arm's description, if not its own.
    props: by name, what can be put on the table.
    """

    SUPPORTED_ROBOTS = None
    default_looks: Looks = DEFAULT_LOOKS

    def __init__(
        self,
        *args,
        arm: Arm,
        camera: CameraModel | None,
        shader: str,
        looks: Looks | None = None,
        urdf: Path | None = None,
        **kwargs,
    ) -> None:
        self.arm = arm
        self.camera_model = camera
        self._shader = shader
        self._looks = looks or self.default_looks
        self.props: dict = {}
        super().__init__(*args, robot_uids=agent_class(arm, urdf or arm.urdf), **kwargs)

    @property
    def _default_sensor_configs(self) -> list[CameraConfig]:
        model = self.camera_model
        if model is None:
            return []
        # SAPIEN's camera looks along +x with y left and z up; OpenCV's along +z with x right and y down
        optical_from_sapien = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
        # SAPIEN counts pixels from their corners, OpenCV from their centres
        intrinsic = model.K + [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]]
        pose = sapien.Pose(model.base_from_camera.matrix() @ optical_from_sapien)
        return [
            CameraConfig(
                "scene",
                pose=pose,
                width=model.width,
                height=model.height,
                intrinsic=intrinsic,
                near=0.01,
                far=100,
                shader_config=shader_config(self._shader),
            )
        ]

    def _load_agent(self, options: dict) -> None:
        super()._load_agent(options, sapien.Pose())

    def _initialize_episode(self, env_idx: torch.Tensor, options: dict) -> None:
        """TwinWorld sets the arm and what an episode needs."""
