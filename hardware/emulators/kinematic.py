"""What motors move: any arm as a kinematic model with rate limits and a lag. A simulator may take its place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pinocchio as pin

from touchstone.robots.base import Arm

GRIPPER = "gripper"


class Plant(Protocol):
    """Positions, velocities and efforts of the arm's joints [rad, rad/s, N m] and of `gripper` in the unit of whoever
    drives it, by name."""

    positions: dict[str, float]
    velocities: dict[str, float]
    efforts: dict[str, float]

    def step(self, dt: float, references: dict[str, float | None]) -> None:
        """Moves on by `dt` seconds. references: where the motors want the joints; None = torque is off."""

    def update_efforts(self, references: dict[str, float | None]) -> None:
        """Brings `efforts` up to date; called once for each look at them."""


class KinematicPlant:
    """Joints follow their references late and no faster than they can; without torque they stay where they are.

    joints: float64[n] [rad] at the start. gripper: its start, and grip_effort what it shows when it is held, both in
    the unit of whoever drives it. fastest: [1/s] of those, by name. lag: [s] from a reference to its joint.
    blocked: joints that something holds fast. push: force [N] straight down that the arm exerts with its TCP.
    """

    def __init__(
        self, arm: Arm, joints, gripper: float, fastest: Mapping[str, float], lag: float, grip_effort: float
    ) -> None:
        self._arm, self._fastest, self._lag, self._grip_effort = arm, dict(fastest), lag, grip_effort
        self.positions = dict(zip(arm.joint_names, map(float, joints), strict=True)) | {GRIPPER: float(gripper)}
        self.velocities = dict.fromkeys(self.positions, 0.0)
        self.efforts = dict.fromkeys(self.positions, 0.0)
        self.blocked: set[str] = set()
        self.push = 0.0
        full = pin.buildModelFromUrdf(str(arm.urdf))
        locked = [full.getJointId(name) for name in arm.gripper.joints]
        self._model = pin.buildReducedModel(full, locked, pin.neutral(full))
        self._data = self._model.createData()
        self._tcp = self._model.getFrameId(arm.tcp_link, pin.FrameType.BODY)

    def step(self, dt: float, references: dict[str, float | None]) -> None:
        follow = 1 - math.exp(-dt / self._lag)
        for name, reference in references.items():
            fastest = self._fastest[name] * dt
            wanted = 0.0 if reference is None or name in self.blocked else (reference - self.positions[name]) * follow
            moved = max(-fastest, min(fastest, wanted))
            self.positions[name] += moved
            self.velocities[name] = moved / dt

    def update_efforts(self, references: dict[str, float | None]) -> None:
        """Gravity, push, and what a motor spends on a joint that does not follow."""
        joints = np.array([self.positions[name] for name in self._arm.joint_names])
        effort = pin.computeGeneralizedGravity(self._model, self._data, joints)
        if self.push:
            frame = pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
            jacobian = pin.computeFrameJacobian(self._model, self._data, joints, self._tcp, frame)
            effort = effort - jacobian[2] * self.push
        for name, limit, value in zip(self._arm.joint_names, self._arm.limits.effort, effort, strict=True):
            reference = references.get(name)
            if reference is None:
                value = 0.0
            elif name in self.blocked:
                value = math.copysign(limit, reference - self.positions[name])
            self.efforts[name] = float(max(-limit, min(limit, value)))
        held = GRIPPER in self.blocked and references.get(GRIPPER) is not None
        self.efforts[GRIPPER] = self._grip_effort if held else 0.0
