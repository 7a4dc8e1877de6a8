"""The motors of all arms of a fleet at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from sim_twin.fleet_env import FleetEnv
from touchstone.control.embodiment import Setpoint
from touchstone.robots.base import Arm


class FleetMotors:
    """The joint targets of all arms at once, as `Drives` has them for one, without delay and play."""

    def __init__(self, env: FleetEnv, arm: Arm) -> None:
        self._scene, self._robot, self._arm = env.scene, env.agent.robot, arm
        by_name = self._robot.active_joints_map
        self._joints = [by_name[name] for name in (*arm.joint_names, *arm.gripper.joints)]
        self._columns = [list(by_name).index(joint.name) for joint in self._joints]
        #: the links of the fingers, left first
        self.pads = [by_name[name].child_link for name in arm.gripper.joints]

    def place(self, setpoints: Sequence[Setpoint]) -> None:
        """Puts every arm at its set-point, at rest, and holds it there."""
        targets = self._targets(setpoints)
        positions = np.zeros(self._robot.get_qpos().shape, dtype=np.float32)
        positions[:, self._columns] = targets
        self._robot.set_qpos(self._tensor(positions))
        self._robot.set_qvel(self._tensor(np.zeros_like(positions)))
        self._robot.set_qf(self._tensor(np.zeros_like(positions)))
        self._apply(targets)
        if self._scene.gpu_sim_enabled:
            self._scene._gpu_apply_all()
            self._scene.px.gpu_update_articulation_kinematics()

    def go(self, before: Sequence[Setpoint], now: Sequence[Setpoint], substeps: int) -> None:
        """Moves all arms from one set-point to the next in a straight line in joint space; fingers go at once."""
        start, end = self._targets(before), self._targets(now)
        start[:, len(self._arm.joint_names) :] = end[:, len(self._arm.joint_names) :]
        for k in range(1, substeps + 1):
            self._apply(start + (end - start) * (k / substeps))
            if self._scene.gpu_sim_enabled:
                self._scene.px.gpu_apply_articulation_target_position()
            self._scene.step()

    def _targets(self, setpoints: Sequence[Setpoint]) -> np.ndarray:
        """float64[member, joint] in the order of `_joints`."""
        finger = self._arm.gripper.finger_position
        return np.array([[*one.joints, *[finger(one.opening)] * len(self.pads)] for one in setpoints])

    def _apply(self, targets: np.ndarray) -> None:
        self._robot.set_joint_drive_targets(self._tensor(targets), self._joints)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self._scene.device)
