"""The names under which an observation travels, on the ROS graph and in the journal's MCAP files alike."""

from __future__ import annotations

JOINT_STATES = "/joint_states"
EE_POSE = "/ee_pose"
EE_POSE_COMMANDED = "/ee_pose_commanded"
GRIPPER_STATE = "/gripper/state"


def image(camera: str) -> str:
    return f"/camera/{camera}/image_raw"


def compressed_image(camera: str) -> str:
    """As image_transport names it."""
    return f"{image(camera)}/compressed"


def camera_info(camera: str) -> str:
    return f"/camera/{camera}/camera_info"


def optical_frame(camera: str) -> str:
    return f"camera_{camera}_optical_frame"
