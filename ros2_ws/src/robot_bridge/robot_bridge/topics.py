"""The names of the graph's topics and the quality of service that the lockstep handshake needs."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from touchstone.topics import (
    EE_POSE,
    EE_POSE_COMMANDED,
    GRIPPER_STATE,
    JOINT_STATES,
    camera_info,
    compressed_image,
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
    "PICTURES",
    "POLICY_STATUS",
    "REQUEST",
    "RESET",
    "SPEC",
    "STREAM",
    "WORLD_STATUS",
    "camera_info",
    "compressed_image",
    "frame",
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


def frame(camera: str) -> str:
    """Where a camera's node says that a picture came."""
    return f"/camera/{camera}/frame"


#: nothing is lost, and a subscriber that is discovered late still gets what was said before it came
LOCKSTEP = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=10,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
#: the same for what also streams between the ticks: a reader that a busy machine holds up for seconds still finds the
#: message of its tick among those that came since
STREAM = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=400,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
#: and for pictures, of which nobody keeps hundreds
PICTURES = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=20,
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
