"""What the controller says about itself when a client connects."""

from __future__ import annotations

from typing import Any

import numpy as np

from touchstone.robots.rm75 import ARM

PRODUCT = "RM75-BI"
#: standard DH of the RM75-B: alpha [deg], d [m]
ALPHA = (-90, 90, -90, 90, -90, 90, 0)
D = (0.2405, 0.0, 0.256, 0.0, 0.21, 0.0, 0.144)
#: what RealMan's limit table gives [deg], symmetric, and [deg/s]
POSITION = (178, 130, 178, 135, 178, 128, 360)
SPEED = (180, 180, 225, 225, 225, 225, 225)
ACCELERATION = 600


def software_info(product: str, generation: int) -> dict[str, Any]:
    """Generation 4 names itself; what it does not name is generation 3."""
    build = {"build_time": "2025/01/01 00:00:00", "version": "V1.7.0"}
    info: dict[str, Any] = {"command": "arm_software_info", "Product_version": product}
    info |= {"algorithm_info": {"version": "1.4.0"}, "ctrl_info": build}
    if generation == 4:
        return info | {"robot_controller_version": "4.0", "communication_info": build, "program_info": build}
    return info | {"plan_info": build, "dynamic_info": {"model_version": "2"}}


def constants(command: str) -> dict[str, Any] | None:
    """The answer to a question whose answer never changes; None for any other."""
    milli = {"min_pos": [-1000 * p for p in POSITION], "max_pos": [1000 * p for p in POSITION]}
    return {
        "get_arm_current_trajectory": {"state": "arm_current_trajectory", "type": "none", "data": [0] * 7},
        "get_current_work_frame": {"state": "current_work_frame", "frame_name": "Base", "pose": [0] * 6},
        "get_current_tool_frame": {
            "state": "current_tool_frame",
            "tool_name": "Arm_Tip",
            "pose": [0] * 6,
            "payload": 0,
            "position": [0] * 3,
        },
        "get_install_pose": {"state": "install_pose", "pose": [0] * 3},
        "get_joint_min_pos": {"state": "joint_min_pos", "min_pos": milli["min_pos"]},
        "get_joint_max_pos": {"state": "joint_max_pos", "max_pos": milli["max_pos"]},
        "get_joint_max_acc": {"state": "joint_max_acc", "joint_acc": [1000 * ACCELERATION] * 7},
        "get_joint_max_speed": {"state": "joint_max_speed", "joint_speed": [1000 * s for s in SPEED]},
        "get_DH_data": {
            "command": "get_DH_data",
            **{
                f"joint_{i + 1}": [1000 * a, 0, round(1e6 * d), 0]
                for i, (a, d) in enumerate(zip(ALPHA, D, strict=True))
            },
        },
    }.get(command)


def waypoint(joints: np.ndarray) -> dict[str, list[int]]:
    """The flange's pose as the controller tells it: 1e-6 m, 0.001 rad, 1e-6."""
    pose = ARM.kinematics.link_pose(joints, "link_7")
    euler = pose.rotation().as_euler("xyz")
    return {
        "position": [round(1e6 * p) for p in pose.position],
        "euler": [round(1e3 * e) for e in euler],
        "quat": [round(1e6 * q) for q in pose.quaternion],
    }
