"""An arm's kinematics as a calibration corrects it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from touchstone.calibration import Calibration
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.robots.kinematics import IkResult, Kinematics


class CalibratedKinematics:
    """Kinematics of one arm whose TCP lies `tcp_offset` from the nominal one, in the nominal TCP's frame."""

    def __init__(self, arm: Arm, tcp_offset: Pose) -> None:
        self._nominal = Kinematics(arm)
        self._offset, self._back = tcp_offset, tcp_offset.inverse()

    def forward(self, joints) -> Pose:
        """TCP pose in the base frame of arm joints float64[n] [rad]."""
        return self._nominal.forward(joints) @ self._offset

    def link_pose(self, joints, link: str) -> Pose:
        """Pose of any link of the URDF in the base frame. Raises KeyError for an unknown link."""
        return self._nominal.link_pose(joints, link)

    def inverse(self, target: Pose, seed) -> IkResult:
        """As `Kinematics.inverse`, for the corrected TCP."""
        return self._nominal.inverse(target @ self._back, seed)


def calibrated(arm: Arm, calibration: Calibration) -> Arm:
    """The same arm with corrected kinematics of its own, so that one thread may use it beside others."""
    offset = Pose.from_list(calibration.tcp_offset)
    own = replace(arm)
    identity = np.allclose(offset.to_list(), Pose.identity().to_list())
    # where `Arm.kinematics` keeps what it has built once
    own.__dict__["kinematics"] = Kinematics(arm) if identity else CalibratedKinematics(arm, offset)
    return own


def joint_offsets(arm: Arm, calibration: Calibration) -> np.ndarray:
    """What is added to the encoders' angles, float64[n] [rad]."""
    return np.array(calibration.joint_offsets or np.zeros(len(arm.joint_names)), dtype=np.float64)
