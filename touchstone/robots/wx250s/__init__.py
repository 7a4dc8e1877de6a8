"""Trossen/Interbotix WidowX-250S (6 DoF), as published in the Interbotix X-Series description.

Every limit is the intersection of what the URDF, the motors' registers and SIMPLER's real-to-sim tuning allow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from touchstone.robots.base import Arm, DriveGains, Gripper, JointLimits

JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")

# URDF of the Interbotix X-Series description: position [rad], velocity [rad/s], effort [N m]
_URDF_LOWER = (-3.14158, -1.88496, -2.14675, -3.14158, -1.74533, -3.14158)
_URDF_UPPER = (3.14158, 1.98968, 1.60570, 3.14158, 2.14675, 3.14158)
_URDF_VELOCITY = np.pi
_URDF_EFFORT = (10.0, 20.0, 15.0, 2.0, 5.0, 1.0)

# Interbotix motor configuration of the wx250s: Min/Max_Position_Limit [ticks, 4096 a turn, 2048 = 0 rad],
# Velocity_Limit 131 [0.229 rev/min]
_MOTOR_TICKS = ((0, 4095), (819, 3345), (648, 3094), (0, 4095), (910, 3447), (0, 4095))
_MOTOR_VELOCITY = 131 * 0.229 * 2 * np.pi / 60

# SIMPLER (arXiv 2405.05941), WidowX real-to-sim tuning: arm velocity [rad/s] and acceleration [rad/s^2]
_SIMPLER_VELOCITY = 1.5
_SIMPLER_ACCELERATION = 2.0


def _limits() -> JointLimits:
    motor = (np.array(_MOTOR_TICKS, dtype=np.float64) - 2048) * 2 * np.pi / 4096
    return JointLimits(
        lower=np.maximum(_URDF_LOWER, motor[:, 0]),
        upper=np.minimum(_URDF_UPPER, motor[:, 1]),
        velocity=np.full(6, min(_URDF_VELOCITY, _MOTOR_VELOCITY, _SIMPLER_VELOCITY)),
        acceleration=np.full(6, _SIMPLER_ACCELERATION),
        effort=np.array(_URDF_EFFORT),
    )


ARM = Arm(
    name="wx250s",
    title="WidowX-250S",
    urdf=Path(__file__).parent / "wx250s.urdf",
    base_link="base_link",
    tcp_link="tcp",
    joint_names=JOINTS,
    limits=_limits(),
    # URDF: fingers 0.015..0.037 m, 5 N
    gripper=Gripper(joints=("left_finger", "right_finger"), closed=0.015, open=0.037, force=5.0),
    # SIMPLER's tuned gains; finger K, D, force
    drives=DriveGains(
        stiffness=np.array([1169.8, 730.0, 808.5, 1229.1, 1272.3, 1056.3]),
        damping=np.array([330.0, 180.0, 152.1, 309.6, 201.0, 269.5]),
        force=np.array([200.0, 200.0, 100.0, 100.0, 100.0, 100.0]),
        finger=(1000.0, 200.0, 60.0),
    ),
    home=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    # GrinningFace's reset: gripper straight down
    ready=(0.0, 0.0, 0.0, 0.0, np.pi / 2, 0.0),
)
