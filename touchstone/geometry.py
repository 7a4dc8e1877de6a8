"""Rigid poses. Quaternions are wxyz everywhere in Touchstone; scipy's and ROS's xyzw stays behind this module."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Pose:
    """A rigid transform: `position` float64[3] in metres, `quaternion` float64[4] wxyz, unit norm."""

    position: np.ndarray
    quaternion: np.ndarray

    @staticmethod
    def identity() -> Pose:
        return Pose(np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))

    @staticmethod
    def from_matrix(matrix: np.ndarray) -> Pose:
        """From a 4x4 homogeneous matrix."""
        matrix = np.asarray(matrix, dtype=np.float64)
        return Pose(matrix[:3, 3].copy(), quaternion_from_rotation(Rotation.from_matrix(matrix[:3, :3])))

    @staticmethod
    def from_list(values) -> Pose:
        """From seven numbers: x y z [m], then w x y z."""
        values = np.array(values, dtype=np.float64)
        return Pose(values[:3], values[3:7])

    def to_list(self) -> list[float]:
        """Seven numbers: x y z [m], then w x y z."""
        return [*map(float, self.position.tolist()), *map(float, self.quaternion.tolist())]

    def matrix(self) -> np.ndarray:
        """The 4x4 homogeneous matrix."""
        out = np.eye(4)
        out[:3, :3] = self.rotation().as_matrix()
        out[:3, 3] = self.position
        return out

    def rotation(self) -> Rotation:
        return rotation_from_quaternion(self.quaternion)

    def inverse(self) -> Pose:
        inverse = self.rotation().inv()
        return Pose(-inverse.apply(self.position), quaternion_from_rotation(inverse))

    def __matmul__(self, other: Pose) -> Pose:
        rotation = self.rotation()
        return Pose(
            self.position + rotation.apply(other.position),
            quaternion_from_rotation(rotation * other.rotation()),
        )


def rotation_from_quaternion(wxyz) -> Rotation:
    """scipy Rotation from a wxyz quaternion."""
    w, x, y, z = np.asarray(wxyz, dtype=np.float64)
    return Rotation.from_quat([x, y, z, w])


def quaternion_from_rotation(rotation: Rotation) -> np.ndarray:
    """wxyz, with w >= 0 so that equal rotations print alike."""
    x, y, z, w = rotation.as_quat()
    quaternion = np.array([w, x, y, z])
    return -quaternion if w < 0 else quaternion


def look_at(eye, target, up=(0.0, 0.0, 1.0)) -> Pose:
    """Pose of a camera's OpenCV optical frame (x right, y down, z forward) at `eye` [m] looking at `target` [m]."""
    eye, target, up = (np.asarray(v, dtype=np.float64) for v in (eye, target, up))
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2], matrix[:3, 3] = right, np.cross(forward, right), forward, eye
    return Pose.from_matrix(matrix)
