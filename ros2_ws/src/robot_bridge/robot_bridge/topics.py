"""The names of the graph's topics and the quality of service that the lockstep handshake needs."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

OFFER = "/world/offer"
WORLD_STATUS = "/world/status"
OBSERVATION = "/world/observation"
FACTS = "/world/facts"
EVENTS = "/world/events"
JOINT_STATES = "/joint_states"
EE_POSE = "/ee_pose"
EE_POSE_COMMANDED = "/ee_pose_commanded"
GRIPPER_STATE = "/gripper/state"
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


def image(camera: str) -> str:
    return f"/camera/{camera}/image_raw"


def camera_info(camera: str) -> str:
    return f"/camera/{camera}/camera_info"


def optical_frame(camera: str) -> str:
    return f"camera_{camera}_optical_frame"
