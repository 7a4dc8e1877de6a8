"""Camera models and the presets that both worlds read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from touchstone.errors import UsageError
from touchstone.geometry import Pose, look_at


@dataclass(frozen=True)
class CameraModel:
    """A pinhole camera.

    width, height: pixels. K: float64[3,3], pixels; as in OpenCV, (0, 0) is the centre of the top left pixel.
    distortion: float64[5], OpenCV order k1 k2 p1 p2 k3.
    base_from_camera: pose of the OpenCV optical frame (x right, y down, z forward) in the arm's base frame.
    """

    width: int
    height: int
    K: np.ndarray
    distortion: np.ndarray
    base_from_camera: Pose

    def project(self, points_base: np.ndarray) -> np.ndarray:
        """Pixels float64[N,2] (u right, v down, no distortion applied) of base-frame points float64[N,3] in metres."""
        camera_from_base = self.base_from_camera.inverse()
        in_camera = camera_from_base.rotation().apply(np.atleast_2d(points_base)) + camera_from_base.position
        pixels = in_camera @ self.K.T
        return pixels[:, :2] / pixels[:, 2:3]

    def to_json(self) -> dict:
        return self._json

    @cached_property
    def _json(self) -> dict:
        return {
            "width": self.width,
            "height": self.height,
            "K": self.K.ravel().tolist(),
            "distortion": self.distortion.tolist(),
            "base_from_camera": self.base_from_camera.to_list(),
        }

    @staticmethod
    def from_json(data: dict) -> CameraModel:
        return CameraModel(
            width=int(data["width"]),
            height=int(data["height"]),
            K=np.array(data["K"], dtype=np.float64).reshape(3, 3),
            distortion=np.array(data["distortion"], dtype=np.float64),
            base_from_camera=Pose.from_list(data["base_from_camera"]),
        )


def pinhole(width: int, height: int, vertical_fov: float) -> np.ndarray:
    """K of an ideal pinhole with square pixels; `vertical_fov` in radians."""
    focal = height / 2 / np.tan(vertical_fov / 2)
    return np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])


def _grinningface() -> CameraModel:
    # GrinningFace env PickCubeWidowX-v8: eye (-0.15, 0.49, 0.564), target (0.15, 0.65, 0.0), fov 1.2 rad,
    # with the arm's base at (-0.25, 0.70, 0.10); here in the base frame.
    base = np.array([-0.25, 0.70, 0.10])
    return CameraModel(
        width=640,
        height=480,
        K=pinhole(640, 480, 1.2),
        distortion=np.zeros(5),
        base_from_camera=look_at(np.array([-0.15, 0.49, 0.564]) - base, np.array([0.15, 0.65, 0.0]) - base),
    )


def _bridge(base_from_camera: Pose) -> CameraModel:
    # INT-ACT (from SIMPLER's WidowX scenes); it counts pixels from their corners
    K = np.array([[623.588, 0.0, 319.501 - 0.5], [0.0, 623.588, 239.545 - 0.5], [0.0, 0.0, 1.0]])
    return CameraModel(width=640, height=480, K=K, distortion=np.zeros(5), base_from_camera=base_from_camera)


def _bridge_table() -> CameraModel:
    eye = np.array([0.0, -0.16, 0.36])
    return _bridge(look_at(eye, eye + [1.0, 0.553, -1.085]))


def _bridge_sink() -> CameraModel:
    # given as SAPIEN's camera frame: x forward, y left, z up
    forward_left_up = Pose(np.array([-0.003, -0.21, 0.39]), np.array([-0.907313, 0.0782, -0.36434, -0.194741]))
    optical = np.array([[0, 0, 1.0, 0], [-1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1.0]])
    return _bridge(Pose.from_matrix(forward_left_up.matrix() @ optical))


DEFAULT_PRESET = "grinningface"
PRESETS = {DEFAULT_PRESET: _grinningface, "bridge-table": _bridge_table, "bridge-sink": _bridge_sink}


def preset(name: str) -> CameraModel:
    """The camera called `name`, or `name@WIDTHxHEIGHT` for the same view in another size (stretched where the shapes
    differ). Raises UsageError for a name that is not a preset."""
    base, _, size = name.partition("@")
    if base not in PRESETS:
        raise UsageError(f"Unknown camera preset '{base}'; choose one of: {', '.join(sorted(PRESETS))}.")
    return scaled(PRESETS[base](), *_size(size, name)) if size else PRESETS[base]()


def is_preset(name: str) -> bool:
    """Whether `name` means a preset in some size, and not a file."""
    return name.partition("@")[0] in PRESETS


def scaled(model: CameraModel, width: int, height: int) -> CameraModel:
    """The same view with other pixels."""
    across, down = width / model.width, height / model.height
    K = np.diag([across, down, 1.0]) @ (model.K + [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    return replace(model, width=width, height=height, K=K - [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])


def _size(text: str, name: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    # H.264 in yuv420p takes even sizes only
    if found is None or any(int(v) % 2 or not 32 <= int(v) <= 4096 for v in found.groups()):
        raise UsageError(f"'{name}' is no camera size; write it as NAME@320x240, even numbers from 32 to 4096.")
    return int(found[1]), int(found[2])
