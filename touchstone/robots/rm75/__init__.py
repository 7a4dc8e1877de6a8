"""RealMan RM75-B (7 DoF) with an Inspire EG2-4C2 two-finger gripper. Nothing here was seen on a physical arm.

Arm: joint origins, limits, masses and outer sizes of the maker's published models (rm_models, RM75-B); every limit is
the intersection of that URDF and of what the controller allows. Gripper straight down and TCP 15 mm over the table, it
reaches the ring of radii 0.18..0.46 m about its base axis (joint 4 bent fully; arm stretched).

Gripper, published: grip force up to 1.5 kg = 15 N (RealMan's driver documentation); stroke 0..70 mm and mass 0.227 kg
(Inspire's product data, at second hand: 77 mm and 0.231 kg are told, too); and in RealMan's model of its linkage a body
of 97 mm, tips 143 mm (closed) to 150 mm from the mounting face, pads 18 mm wide and 20 mm long. Our approximations: the
pads move straight, although a linkage carries them, so that the tips stay at 148 mm; the adapter plate on the flange is
6 mm thick and weighs nothing; a finger weighs 15 g and moves at up to 0.1 m/s.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from touchstone.robots.base import Arm, DriveGains, Gripper, JointLimits

JOINTS = tuple(f"joint_{i}" for i in range(1, 8))

# URDF of rm_models: position [rad], symmetric; velocity [rad/s], effort [N m]
_URDF_POSITION = (3.106, 2.2689, 3.106, 2.356, 3.106, 2.234, 6.28)
_URDF_VELOCITY = 3.14
_URDF_EFFORT = (60.0, 60.0, 30.0, 30.0, 10.0, 10.0, 10.0)

# RealMan's limit table: position [deg], symmetric; velocity [deg/s]
_TABLE_POSITION = (178, 130, 178, 135, 178, 128, 360)
_TABLE_VELOCITY = (180, 180, 225, 225, 225, 225, 225)

# Joint acceleration [deg/s^2]: RealMan's interface examples set it, and its six-jointed RM65 reports it, as
# 100 rev/min/s; no value is published for the RM75
_CONTROLLER_ACCELERATION = 600


def _limits() -> JointLimits:
    position = np.minimum(_URDF_POSITION, np.radians(_TABLE_POSITION))
    return JointLimits(
        lower=-position,
        upper=position,
        velocity=np.minimum(_URDF_VELOCITY, np.radians(_TABLE_VELOCITY)),
        acceleration=np.full(7, np.radians(_CONTROLLER_ACCELERATION)),
        effort=np.array(_URDF_EFFORT),
    )


ARM = Arm(
    name="rm75",
    title="RealMan RM75-B",
    urdf=Path(__file__).parent / "rm75.urdf",
    base_link="base_link",
    tcp_link="tcp",
    joint_names=JOINTS,
    limits=_limits(),
    # the finger frames lie in the pads' faces, so the width is the true gap, 0..70 mm
    gripper=Gripper(joints=("left_finger", "right_finger"), closed=0.0, open=0.035, force=15.0),
    # our choice, not identified: joints follow a ramp 50 ms late and push no harder than the arm may; a finger pushes a
    # 30 mm cube with 12 N, under its limit, so that the two fingers centre it
    drives=DriveGains(
        stiffness=np.array([6000.0, 6000.0, 3000.0, 3000.0, 1000.0, 1000.0, 1000.0]),
        damping=np.array([300.0, 300.0, 150.0, 150.0, 50.0, 50.0, 50.0]),
        force=np.array(_URDF_EFFORT),
        finger=(800.0, 160.0, 15.0),
    ),
    # the maker's zero: straight up
    home=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    # elbow up, gripper straight down (joints 2, 4 and 6 add up to pi), TCP at (0.301, 0, 0.151) m
    ready=(0.0, 0.38, 0.0, 1.38, 0.0, np.pi - 0.38 - 1.38, 0.0),
)
