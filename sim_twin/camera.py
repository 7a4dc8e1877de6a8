"""Taking the scene camera's picture with as little as possible between SAPIEN and a NumPy array."""

from __future__ import annotations

import numpy as np
from mani_skill.envs.sapien_env import BaseEnv


class SceneCamera:
    """The bench's camera `scene`."""

    def __init__(self, env: BaseEnv) -> None:
        self._env = env
        self._camera = env.scene.sensors["scene"].camera._render_cameras[0]

    def picture(self) -> np.ndarray:
        """uint8[H,W,3] RGB of the present state."""
        self._env.scene.update_render(update_sensors=True, update_human_render_cameras=False)
        self._camera.take_picture()
        colour = self._camera.get_picture("Color")[..., :3]
        if colour.dtype != np.uint8:
            colour = np.clip(colour * 255, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(colour)
