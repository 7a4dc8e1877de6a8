"""Heights over the table: of every moving link and of the fingers, from the collision shapes of the arm's URDF."""

from __future__ import annotations

from dataclasses import dataclass

import coal
import numpy as np
import pinocchio as pin

from touchstone.bench import TABLE_Z
from touchstone.geometry import Pose
from touchstone.robots.base import Arm

GRAVITY = np.array([0.0, 0.0, -9.81])  # [m/s^2]
NOMINAL_TABLE = Pose(np.array([0.0, 0.0, TABLE_Z]), np.array([1.0, 0.0, 0.0, 0.0]))
_ROUND = 8  # corners that stand for a circle; they lie outside it
_SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)


@dataclass(frozen=True)
class Heights:
    """Lowest point over the table [m] of the links and of the fingers, the lowest link's name, and the TCP [m]."""

    links: float
    tips: float
    lowest_link: str
    tcp: np.ndarray


class LinkHeights:
    """Forward kinematics of the corners of one arm's links. Fingers count closed and open, whatever they do.

    table: pose of the table top's frame, z up, in the base frame. The base does not move and is left out.
    Not thread-safe: pinocchio's Data is a scratch pad.
    """

    def __init__(self, arm: Arm, table: Pose = NOMINAL_TABLE) -> None:
        self._normal = table.rotation().apply([0.0, 0.0, 1.0])
        self._offset = float(self._normal @ table.position)
        full = pin.buildModelFromUrdf(str(arm.urdf))
        shapes = pin.buildGeomFromUrdf(full, str(arm.urdf), pin.GeometryType.COLLISION)
        fingers = [full.getJointId(name) for name in arm.gripper.joints]
        finger_shapes = {shape.name for shape in shapes.geometryObjects if shape.parentJoint in fingers}
        links: dict[tuple[int, str], list[np.ndarray]] = {}
        tips: dict[int, list[np.ndarray]] = {}
        for position in (arm.gripper.closed, arm.gripper.open):
            at = pin.neutral(full)
            for joint in fingers:
                at[full.joints[joint].idx_q] = position
            self._model, placed = pin.buildReducedModel(full, shapes, fingers, at)
            for shape in placed.geometryObjects:
                if shape.parentJoint == 0:
                    continue
                corners = _corners(shape.geometry) @ shape.placement.rotation.T + shape.placement.translation
                if shape.name in finger_shapes:
                    tips.setdefault(shape.parentJoint, []).append(corners)
                else:
                    links.setdefault((shape.parentJoint, shape.name.rsplit("_", 1)[0]), []).append(corners)
        self._links = [(joint, name, np.vstack(parts)) for (joint, name), parts in links.items()]
        self._tips = [(joint, np.vstack(parts)) for joint, parts in tips.items()]
        self._data = self._model.createData()
        self._model.gravity.linear = GRAVITY
        tcp = self._model.frames[self._model.getFrameId(arm.tcp_link, pin.FrameType.BODY)]
        self._tcp_joint, self._tcp_local = tcp.parentJoint, tcp.placement.translation.copy()
        #: no point is farther than this from any joint's axis [m], so that d radians move none by more than reach * d
        self.reach = sum(float(np.linalg.norm(p.translation)) for p in self._model.jointPlacements[2:]) + max(
            float(np.linalg.norm(points, axis=1).max())
            for _, points in [(j, p) for j, _, p in self._links] + self._tips
        )

    def at(self, joints: np.ndarray) -> Heights:
        """The heights at arm joints float64[n] [rad]."""
        pin.forwardKinematics(self._model, self._data, joints)
        links, lowest = np.inf, ""
        for joint, name, points in self._links:
            height = self._height(joint, points)
            if height < links:
                links, lowest = height, name
        tips = min((self._height(joint, points) for joint, points in self._tips), default=np.inf)
        return Heights(links, tips, lowest, self._data.oMi[self._tcp_joint].act(self._tcp_local))

    def tip_force(self, joints: np.ndarray, effort: np.ndarray) -> float:
        """Force [N] at the TCP that explains effort float64[n] [N m] beyond gravity; friction counts as force, too."""
        outside = effort - self.gravity(joints)
        jacobian = pin.computeJointJacobian(self._model, self._data, joints, self._tcp_joint)
        placement = self._data.oMi[self._tcp_joint]
        at_tcp = placement.rotation @ (jacobian[:3] + np.cross(jacobian[3:].T, self._tcp_local).T)
        force, *_ = np.linalg.lstsq(at_tcp.T, outside, rcond=1e-2)
        return float(np.linalg.norm(force))

    def gravity(self, joints: np.ndarray) -> np.ndarray:
        """Effort [N m] that holds the arm still at `joints`, float64[n] each."""
        return pin.computeGeneralizedGravity(self._model, self._data, joints).copy()

    def _height(self, joint: int, points: np.ndarray) -> float:
        placement = self._data.oMi[joint]
        heights = points @ (placement.rotation.T @ self._normal)
        return float(heights.min() + self._normal @ placement.translation) - self._offset


def _corners(shape) -> np.ndarray:
    """Points float64[k,3] whose hull holds the shape, in its own frame [m]."""
    if isinstance(shape, coal.Box):
        return _SIGNS * shape.halfSide
    if isinstance(shape, coal.Cylinder):
        angles = np.arange(_ROUND) * 2 * np.pi / _ROUND
        radius = shape.radius / np.cos(np.pi / _ROUND)
        ring = np.column_stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros(_ROUND)])
        return np.vstack([ring + [0, 0, z] for z in (-shape.halfLength, shape.halfLength)])
    shape.computeLocalAABB()
    box = shape.aabb_local
    return np.asarray(box.center()) + _SIGNS * (np.asarray(box.max_) - np.asarray(box.min_)) / 2
