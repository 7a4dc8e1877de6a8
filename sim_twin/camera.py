"""The scene camera: which one a twin renders, and its picture with as little as possible between SAPIEN and NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from mani_skill.envs.sapien_env import BaseEnv

from sim_twin.overlay import Overlay
from touchstone.calibration import Calibration
from touchstone.cameras import CameraModel
from touchstone.errors import UsageError


class SceneCamera:
    """The scene's camera `scene`. tint: factors of red, green and blue, float[3]. overlay: what is behind the scene."""

    def __init__(self, env: BaseEnv, tint: np.ndarray | None = None, overlay: Overlay | None = None) -> None:
        self._env = env
        self._camera = env.scene.sensors["scene"].camera._render_cameras[0]
        self._tint, self._overlay = tint, overlay

    def picture(self) -> np.ndarray:
        """uint8[H,W,3] RGB of the present state."""
        self._env.scene.update_render(update_sensors=True, update_human_render_cameras=False)
        self._camera.take_picture()
        colour = bytes_of(self._camera.get_picture("Color"))
        if self._overlay is not None:
            colour = self._overlay.over(colour, self._camera)
        if self._tint is not None:
            colour = np.clip(colour * self._tint, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(colour)


def bytes_of(colour: np.ndarray) -> np.ndarray:
    """uint8[...,3] of what a shader calls `Color`: RGBA, bytes or 0..1."""
    rgb = colour[..., :3]
    return rgb if rgb.dtype == np.uint8 else np.clip(rgb * 255, 0, 255).astype(np.uint8)


def camera_of(calibration: Calibration, name: str) -> CameraModel:
    """The scene camera as the twin renders it. Raises UsageError for what a calibration asks and the twin cannot do."""
    reproduced = {"robot", "cameras", "measured", "schema_version"}
    nominal = Calibration(robot=calibration.robot, cameras=calibration.cameras)
    beyond = [
        field
        for field in Calibration.model_fields
        if field not in reproduced and getattr(calibration, field) != getattr(nominal, field)
    ]
    if calibration.cameras["scene"].latency_s:
        beyond.append("cameras.scene.latency_s")
    if beyond:
        raise UsageError(
            f"The twin cannot reproduce {', '.join(beyond)} of {name} yet; leave them out to use its camera alone."
        )
    # SAPIEN renders without lens distortion, and a policy must be told what it sees
    return replace(calibration.cameras["scene"].model(), distortion=np.zeros(5))
