"""Forward and inverse kinematics of an arm's TCP, on pinocchio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pinocchio as pin

from touchstone.geometry import Pose

if TYPE_CHECKING:
    from touchstone.robots.base import Arm

POSITION_TOLERANCE = 1e-4  # [m], far under a card's 70 mm half side
ROTATION_TOLERANCE = 1e-3  # [rad]
MAX_ITERATIONS = 200
MAX_JOINT_STEP = 0.2  # [rad] an iteration, so that the linearisation holds
FARTHEST = 10.0  # [m]; beyond any arm's reach, and beyond it the solver's numbers overflow
DAMPING_FAR = 1e-1  # of the damped least squares, times the error's norm
DAMPING_NEAR = 1e-6


@dataclass(frozen=True)
class IkResult:
    """`joints` float64[n] [rad] is the best found, inside the limits; use it only if `ok`.

    position_error [m] and rotation_error [rad] are what is left. problem: one sentence when not ok.
    """

    joints: np.ndarray
    ok: bool
    position_error: float
    rotation_error: float
    problem: str = ""


class Kinematics:
    """Kinematics of one arm with its fingers locked. Not thread-safe: pinocchio's Data is a scratch pad."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        full = pin.buildModelFromUrdf(str(arm.urdf))
        locked = [full.getJointId(name) for name in arm.gripper.joints]
        self._model = pin.buildReducedModel(full, locked, pin.neutral(full))
        self._data = self._model.createData()
        self._tcp = self._model.getFrameId(arm.tcp_link, pin.FrameType.BODY)
        in_model = [str(name) for name in self._model.names[1:]]
        if in_model != list(arm.joint_names):
            raise ValueError(f"{arm.urdf.name} has joints {in_model}, the arm declares {list(arm.joint_names)}")

    def forward(self, joints) -> Pose:
        """TCP pose in the base frame of arm joints float64[n] [rad]."""
        pin.framesForwardKinematics(self._model, self._data, np.asarray(joints, dtype=np.float64))
        return Pose.from_matrix(self._data.oMf[self._tcp].homogeneous)

    def link_pose(self, joints, link: str) -> Pose:
        """Pose of any link of the URDF in the base frame. Raises KeyError for an unknown link."""
        if not self._model.existFrame(link, pin.FrameType.BODY):
            raise KeyError(link)
        pin.framesForwardKinematics(self._model, self._data, np.asarray(joints, dtype=np.float64))
        return Pose.from_matrix(self._data.oMf[self._model.getFrameId(link, pin.FrameType.BODY)].homogeneous)

    def inverse(self, target: Pose, seed, iterations: int = MAX_ITERATIONS) -> IkResult:
        """Arm joints that bring the TCP to `target` (base frame), by damped least squares from `seed` float64[n].

        Every iterate stays inside the position limits. A target out of reach comes back with ok False, the residual
        and a sentence; it never raises and never pretends.
        """
        limits = self._arm.limits
        if not np.linalg.norm(target.position) < FARTHEST:
            return IkResult(
                np.array(seed, dtype=np.float64), False, np.inf, np.inf, f"the TCP target is over {FARTHEST:g} m away"
            )
        goal = pin.SE3(target.matrix())
        joints = np.clip(np.asarray(seed, dtype=np.float64), limits.lower, limits.upper)
        for _ in range(iterations):
            error, position_error, rotation_error = self._error(joints, goal)
            if position_error < POSITION_TOLERANCE and rotation_error < ROTATION_TOLERANCE:
                return IkResult(joints, True, position_error, rotation_error)
            jacobian = pin.computeFrameJacobian(self._model, self._data, joints, self._tcp)
            damping = DAMPING_NEAR + DAMPING_FAR * float(error @ error)
            step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + damping * np.eye(6), error)
            step *= min(1.0, MAX_JOINT_STEP / max(float(np.max(np.abs(step))), 1e-12))
            joints = np.clip(joints + step, limits.lower, limits.upper)
        _, position_error, rotation_error = self._error(joints, goal)
        x, y, z = target.position
        return IkResult(
            joints,
            False,
            position_error,
            rotation_error,
            f"no joint solution for the TCP at ({x:.3f}, {y:.3f}, {z:.3f}) m: "
            f"{position_error * 1e3:.1f} mm and {np.degrees(rotation_error):.1f} deg are left",
        )

    def _error(self, joints: np.ndarray, goal: pin.SE3) -> tuple[np.ndarray, float, float]:
        pin.framesForwardKinematics(self._model, self._data, joints)
        error = pin.log6(self._data.oMf[self._tcp].actInv(goal)).vector
        position_error = float(np.linalg.norm(goal.translation - self._data.oMf[self._tcp].translation))
        return error, position_error, float(np.linalg.norm(error[3:]))
