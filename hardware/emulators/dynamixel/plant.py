"""What the nine motors move: a WidowX-250S, its gripper as the angle [rad] of its motor."""

from __future__ import annotations

import math
from pathlib import Path

from hardware.dynamixel.units import finger_distance, gripper_angle
from hardware.emulators import kinematic
from hardware.emulators.kinematic import GRIPPER
from hardware.emulators.remote_plant import RemotePlant
from touchstone.clock import Clock
from touchstone.robots.wx250s import ARM

SLEEP = (0.0, -1.80, 1.55, 0.0, 0.8, 0.0)  # Interbotix's rest pose [rad]
POSES = {"sleep": SLEEP, "ready": ARM.ready, "home": ARM.home}
LAG = 0.015  # [s] from a motor's reference to the joint; our choice, near a position loop's at 12 V
FASTEST = math.pi  # [rad/s], the motors' velocity limit
FIRMEST_GRIP = 3.0  # [rad/s], the gripper's motor
GRIP_EFFORT = 0.5  # [N m], what the gripper's motor shows when something holds it


class KinematicPlant(kinematic.KinematicPlant):
    """The arm at `joints` float64[6] [rad], its gripper half open."""

    def __init__(self, joints=SLEEP) -> None:
        half_open = gripper_angle(ARM.gripper.finger_position(0.5))
        fastest = dict.fromkeys(ARM.joint_names, FASTEST) | {GRIPPER: FIRMEST_GRIP}
        super().__init__(ARM, joints, half_open, fastest, LAG, GRIP_EFFORT)


def simulated(link: Path, clock: Clock) -> RemotePlant:
    """The arm as the simulator behind `link` moves it. Raises UsageError or WorldFailure."""
    gripper = ARM.gripper
    return RemotePlant(
        ARM,
        link,
        clock,
        to_opening=lambda angle: gripper.opening(finger_distance(angle)),
        from_opening=lambda opening: gripper_angle(gripper.finger_position(opening)),
    )
