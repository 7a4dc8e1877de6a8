"""What the emulated controller moves: an RM75, its gripper as the position [m] of a finger."""

from __future__ import annotations

from pathlib import Path

from hardware.emulators import kinematic
from hardware.emulators.kinematic import GRIPPER
from hardware.emulators.remote_plant import RemotePlant
from touchstone.clock import Clock
from touchstone.robots.rm75 import ARM

POSES = {"home": ARM.home, "ready": ARM.ready}
LAG = 0.015  # [s] from a reference to its joint; our choice
FASTEST_FINGER = 0.1  # [m/s], as in the arm's URDF
GRIP_EFFORT = 15.0  # [N], the gripper's largest force


class KinematicPlant(kinematic.KinematicPlant):
    """The arm at `joints` float64[7] [rad], its gripper half open."""

    def __init__(self, joints=ARM.ready) -> None:
        fastest = dict(zip(ARM.joint_names, ARM.limits.velocity, strict=True)) | {GRIPPER: FASTEST_FINGER}
        super().__init__(ARM, joints, ARM.gripper.finger_position(0.5), fastest, LAG, GRIP_EFFORT)


def simulated(link: Path, clock: Clock) -> RemotePlant:
    """The arm as the simulator behind `link` moves it. Raises UsageError or WorldFailure."""
    return RemotePlant(ARM, link, clock, to_opening=ARM.gripper.opening, from_opening=ARM.gripper.finger_position)
