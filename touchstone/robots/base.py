"""What an arm is to the rest of Touchstone: names, limits, gripper, TCP and poses, all from one place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from touchstone.geometry import Pose
from touchstone.registry import ROBOTS, load


@dataclass(frozen=True)
class JointLimits:
    """Per arm joint: position [rad], velocity [rad/s], acceleration [rad/s^2], effort [N m]; float64[n] each."""

    lower: np.ndarray
    upper: np.ndarray
    velocity: np.ndarray
    acceleration: np.ndarray
    effort: np.ndarray


@dataclass(frozen=True)
class Gripper:
    """A parallel gripper of two mirrored fingers.

    joints: the finger joints in the URDF, each moving `closed`..`open` [m]; opening 0..1 maps onto that range.
    force: largest grip force [N]. friction: of the pads (SIMPLER's tuned value for the WidowX).
    """

    joints: tuple[str, str]
    closed: float
    open: float
    force: float
    friction: float = 2.0

    def finger_position(self, opening: float) -> float:
        """Finger joint [m] of an opening 0..1."""
        return self.closed + opening * (self.open - self.closed)

    def opening(self, finger_position: float) -> float:
        """Opening of a finger joint [m]; measured values may lie slightly outside 0..1 and are not cut off."""
        return (finger_position - self.closed) / (self.open - self.closed)

    def width(self, finger_position: float) -> float:
        """Distance between the finger frames [m] (Interbotix's gripper distance; the pads stand a little inside)."""
        return 2 * finger_position


@dataclass(frozen=True)
class DriveGains:
    """PD position drives of a twin: stiffness K, damping D and force limit for the arm joints (float64[n]) and for a
    finger."""

    stiffness: np.ndarray
    damping: np.ndarray
    force: np.ndarray
    finger: tuple[float, float, float]

    def effort(self, targets: np.ndarray, joints: np.ndarray, velocity: np.ndarray) -> np.ndarray:
        """What the arm's drives spend, float64[n] [N m]; targets, joints [rad], velocity [rad/s]: float64[n]."""
        return np.clip(self.stiffness * (targets - joints) - self.damping * velocity, -self.force, self.force)


@dataclass(frozen=True)
class Arm:
    """One arm.

    urdf: file with visuals, collision shapes and inertias. base_link: root. tcp_link: the point between the fingertip
    pads, x forward out of the gripper. home, ready: arm joints [rad]; ready = gripper down, where tasks start.
    """

    name: str
    title: str
    urdf: Path
    base_link: str
    tcp_link: str
    joint_names: tuple[str, ...]
    limits: JointLimits
    gripper: Gripper
    drives: DriveGains
    home: tuple[float, ...]
    ready: tuple[float, ...]

    @cached_property
    def kinematics(self):
        """Forward and inverse kinematics of the TCP (built once)."""
        # imported here, because who only reads limits and names needs no pinocchio
        from touchstone.robots.kinematics import Kinematics

        return Kinematics(self)

    @cached_property
    def ready_tcp(self) -> Pose:
        """TCP at the ready pose, base frame."""
        return self.kinematics.forward(self.ready)


def arm(name: str) -> Arm:
    """The arm called `name`. Raises UsageError for an unknown one."""
    return load(ROBOTS, name)
