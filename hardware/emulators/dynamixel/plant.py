"""What the motors move: the arm as a kinematic model with rate limits and a lag. A simulator may take its place."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import pinocchio as pin

from hardware.dynamixel.units import gripper_angle
from touchstone.robots.wx250s import ARM

GRIPPER = "gripper"
SLEEP = (0.0, -1.80, 1.55, 0.0, 0.8, 0.0)  # Interbotix's rest pose [rad]
POSES = {"sleep": SLEEP, "ready": ARM.ready, "home": ARM.home}
LAG = 0.015  # [s] from a motor's reference to the joint; our choice, near a position loop's at 12 V
FASTEST = math.pi  # [rad/s], the motors' velocity limit
FIRMEST_GRIP = 3.0  # [rad/s], the gripper's motor


class Plant(Protocol):
    """Positions [rad], velocities [rad/s] and efforts [N m] of the six joints and of the gripper's motor, by name."""

    positions: dict[str, float]
    velocities: dict[str, float]
    efforts: dict[str, float]

    def step(self, dt: float, references: dict[str, float | None]) -> None:
        """Moves on by `dt` seconds. references [rad]: where the motors want the joints; None = torque is off."""

    def update_efforts(self, references: dict[str, float | None]) -> None:
        """Brings `efforts` up to date; called once for each look at them."""


class KinematicPlant:
    """Joints follow their references late and no faster than they can; without torque they stay where they are.

    blocked: joints that something holds fast. push: force [N] straight down that the arm exerts with its TCP.
    """

    def __init__(self, joints=SLEEP) -> None:
        self.positions = dict(zip(ARM.joint_names, map(float, joints), strict=True))
        self.positions[GRIPPER] = gripper_angle(ARM.gripper.closed + 0.5 * (ARM.gripper.open - ARM.gripper.closed))
        self.velocities = dict.fromkeys(self.positions, 0.0)
        self.efforts = dict.fromkeys(self.positions, 0.0)
        self.blocked: set[str] = set()
        self.push = 0.0
        full = pin.buildModelFromUrdf(str(ARM.urdf))
        locked = [full.getJointId(name) for name in ARM.gripper.joints]
        self._model = pin.buildReducedModel(full, locked, pin.neutral(full))
        self._data = self._model.createData()
        self._tcp = self._model.getFrameId(ARM.tcp_link, pin.FrameType.BODY)

    def step(self, dt: float, references: dict[str, float | None]) -> None:
        follow = 1 - math.exp(-dt / LAG)
        for name, reference in references.items():
            fastest = (FIRMEST_GRIP if name == GRIPPER else FASTEST) * dt
            wanted = 0.0 if reference is None or name in self.blocked else (reference - self.positions[name]) * follow
            moved = max(-fastest, min(fastest, wanted))
            self.positions[name] += moved
            self.velocities[name] = moved / dt

    def update_efforts(self, references: dict[str, float | None]) -> None:
        """Gravity, push, and what a motor spends on a joint that does not follow."""
        joints = np.array([self.positions[name] for name in ARM.joint_names])
        effort = pin.computeGeneralizedGravity(self._model, self._data, joints)
        if self.push:
            frame = pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
            jacobian = pin.computeFrameJacobian(self._model, self._data, joints, self._tcp, frame)
            effort = effort - jacobian[2] * self.push
        for name, limit, value in zip(ARM.joint_names, ARM.limits.effort, effort, strict=True):
            reference = references.get(name)
            if reference is None:
                value = 0.0
            elif name in self.blocked:
                value = math.copysign(limit, reference - self.positions[name])
            self.efforts[name] = float(max(-limit, min(limit, value)))
        self.efforts[GRIPPER] = 0.5 if GRIPPER in self.blocked and references.get(GRIPPER) is not None else 0.0
