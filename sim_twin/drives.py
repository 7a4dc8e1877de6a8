"""The arm's motors in the twin: joint targets go in at every physics step, late and with play where a shift says so."""

from __future__ import annotations

from collections import deque

import numpy as np
import sapien.physx
from mani_skill.utils.structs import Articulation

from touchstone.robots.base import Arm

#: a finger pad grips over a patch of this radius [m], so that a held cube does not spin (ManiSkill's Panda)
PATCH_RADIUS = 0.1


class Drives:
    """Joints of one robot, in the arm's order.

    robot: ManiSkill's articulation, which knows the joints by their URDF names. delay: physics steps from command to
    motor. play: backlash of the joints [rad], total width of the dead band. finger_targets: of a closed and an open
    gripper [m], the arm's own range unless given. patch_radius: of the pads' grip [m].
    """

    def __init__(
        self,
        robot: Articulation,
        arm: Arm,
        delay: int = 0,
        play: float = 0.0,
        finger_targets: tuple[float, float] | None = None,
        patch_radius: float = PATCH_RADIUS,
    ) -> None:
        self._robot, self._arm, self._delay, self._play = robot._objs[0], arm, delay, play
        self._closed, self._open = finger_targets or (arm.gripper.closed, arm.gripper.open)
        self._patch_radius = patch_radius
        joints = robot.active_joints_map
        order = list(joints)
        self.joints = [joints[name]._objs[0] for name in arm.joint_names]
        self.fingers = [joints[name]._objs[0] for name in arm.gripper.joints]
        self._arm_index = [order.index(name) for name in arm.joint_names]
        self._finger_index = [order.index(name) for name in arm.gripper.joints]
        self._under_way: deque[tuple[np.ndarray, float]] = deque()
        self._targets = np.zeros(len(self.joints))

    def place(self, joints: np.ndarray, opening: float) -> None:
        """Puts the arm at `joints` [rad] and `opening` 0..1, at rest, and holds it there."""
        qpos = np.zeros(self._robot.dof, dtype=np.float32)
        qpos[self._arm_index] = joints
        qpos[self._finger_index] = self._arm.gripper.finger_position(opening)
        self._robot.set_qpos(qpos)
        self._robot.set_qvel(np.zeros_like(qpos))
        self._robot.set_qf(np.zeros_like(qpos))
        self._targets = np.array(joints, dtype=np.float64)
        self._under_way = deque([(self._targets.copy(), opening)] * self._delay)
        self._apply(self._targets, opening)

    def send(self, joints: np.ndarray, opening: float) -> None:
        """The command of one physics step: `joints` [rad], `opening` 0..1."""
        self._under_way.append((joints, opening))
        joints, opening = self._under_way.popleft()
        self._targets = np.clip(self._targets, joints - self._play / 2, joints + self._play / 2)
        self._apply(self._targets, opening)

    def go_on(self) -> None:
        """The last command once more, for one more physics step."""
        # what is neither late nor loose has arrived
        if self._under_way:
            self.send(*self._under_way[-1])

    def positions(self) -> np.ndarray:
        """Of the arm's joints, float64[n] [rad]."""
        return self._robot.get_qpos()[self._arm_index].astype(np.float64)

    def velocities(self) -> np.ndarray:
        """Of the arm's joints, float64[n] [rad/s]."""
        return self._robot.get_qvel()[self._arm_index].astype(np.float64)

    def effort(self, targets: np.ndarray) -> np.ndarray:
        """What the drives spend on `targets` [rad], float64[n] [N m]. The twin's arm weighs nothing."""
        return self._arm.drives.effort(targets, self.positions(), self.velocities())

    def opening(self) -> float:
        """Of the gripper: 0 closed .. 1 open."""
        fingers = self._robot.get_qpos()[self._finger_index].astype(np.float64)
        return self._arm.gripper.opening(float(fingers.mean()))

    def make_pads_grip(self, friction: float) -> None:
        """Gives the fingers pads with this coefficient of friction."""
        rubber = sapien.physx.PhysxMaterial(friction, friction, 0.0)
        for finger in self.fingers:
            for shape in finger.child_link.collision_shapes:
                shape.set_physical_material(rubber)
                shape.set_patch_radius(self._patch_radius)
                shape.set_min_patch_radius(self._patch_radius)

    def _apply(self, joints: np.ndarray, opening: float) -> None:
        for joint, target in zip(self.joints, joints, strict=True):
            joint.set_drive_target(target)
        for finger in self.fingers:
            finger.set_drive_target(self._closed + opening * (self._open - self._closed))
