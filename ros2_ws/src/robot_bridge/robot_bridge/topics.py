"""The names of the graph's topics and the quality of service that the lockstep handshake needs."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from touchstone.topics import (
    EE_POSE,
    EE_POSE_COMMANDED,
    GRIPPER_STATE,
    JOINT_STATES,
    camera_info,
    image,
    optical_frame,
)

__all__ = [
    "ADVANCE",
    "CHUNK",
    "CHUNK_INFO",
    "CLOCK",
    "CONTRACT",
    "DIAGNOSTICS",
    "EE_POSE",
    "EE_POSE_COMMANDED",
    "EVENTS",
    "FACTS",
    "GRIPPER_STATE",
    "JOINT_CHUNK",
    "JOINT_STATES",
    "LATCHED",
    "LOCKSTEP",
    "OBSERVATION",
    "OFFER",
    "POLICY_STATUS",
    "REQUEST",
    "RESET",
    "SPEC",
    "WORLD_STATUS",
    "camera_info",
    "image",
    "optical_frame",
]

OFFER = "/world/offer"
WORLD_STATUS = "/world/status"
OBSERVATION = "/world/observation"
FACTS = "/world/facts"
EVENTS = "/world/events"
CLOCK = "/clock"

SPEC = "/episode/spec"
ADVANCE = "/episode/advance"
RESET = "/episode/reset"

CONTRACT = "/policy/contract"
POLICY_STATUS = "/policy/status"
REQUEST = "/policy/request"
CHUNK = "/policy/chunk"
JOINT_CHUNK = "/policy/joint_chunk"
CHUNK_INFO = "/policy/chunk_info"

DIAGNOSTICS = "/diagnostics"

#: nothing is lost, and a subscriber that is discovered late still gets what was said before it came
LOCKSTEP = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=10,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
#: the newest alone is true
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
