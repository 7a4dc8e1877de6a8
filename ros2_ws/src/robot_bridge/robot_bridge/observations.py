"""An Observation as the stock messages a ROS user expects, and back, bit by bit."""

from __future__ import annotations

import array
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import Point, PoseStamped, Quaternion
from geometry_msgs.msg import Pose as PoseMessage
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from sensor_msgs.msg import JointState as JointStateMessage
from std_msgs.msg import Header

from robot_bridge import topics
from robot_bridge.records import CameraEntry, ObservationIndex
from robot_bridge.stamps import to_time
from touchstone.cameras import CameraModel
from touchstone.errors import TouchstoneError
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.world import CameraFrame, GripperState, JointState, Observation

#: message type of every topic of an observation that is not a camera's
STATE_TOPICS = {
    topics.JOINT_STATES: JointStateMessage,
    topics.EE_POSE: PoseStamped,
    topics.EE_POSE_COMMANDED: PoseStamped,
    topics.GRIPPER_STATE: JointStateMessage,
}


def message_types(cameras: Mapping[str, Any] | tuple[str, ...]) -> dict[str, type]:
    """Topic -> message type of everything that makes up an observation with these cameras."""
    pictures = {topics.image(name): Image for name in cameras}
    infos = {topics.camera_info(name): CameraInfo for name in cameras}
    return {**STATE_TOPICS, **pictures, **infos}


def picture_topics(cameras: tuple[str, ...]) -> dict[str, type]:
    """Topic -> message type of every topic on which these cameras' pictures may come, raw or compressed."""
    return {
        **{topics.image(name): Image for name in cameras},
        **{topics.compressed_image(name): CompressedImage for name in cameras},
        **{topics.camera_info(name): CameraInfo for name in cameras},
    }


def stamps_of(index: ObservationIndex) -> dict[str, int]:
    """Topic -> header stamp [ns] of every message that `index` ties together."""
    stamps = dict.fromkeys(STATE_TOPICS, index.header_stamp_ns)
    for entry in index.cameras.values():
        stamp = index.header_stamp_ns if entry.header_stamp_ns is None else entry.header_stamp_ns
        stamps |= {entry.image: stamp, entry.camera_info: stamp}
    return stamps


def index_of(
    observation: Observation,
    request: str,
    header_stamp_ns: int,
    pictures: Mapping[str, CameraEntry] | None = None,
) -> ObservationIndex:
    """What ties the messages of `observation` together. Raises TouchstoneError for depth, which has no topic yet.

    pictures: those that another node published.
    """
    cameras = dict(pictures or {})
    for name, frame in observation.cameras.items():
        if frame.depth is not None:
            raise TouchstoneError(f"Camera '{name}' gives depth, which the ROS graph does not carry; turn it off.")
        cameras[name] = CameraEntry(
            image=topics.image(name),
            camera_info=topics.camera_info(name),
            base_from_camera=tuple(frame.model.base_from_camera.to_list()),
            stamp_ns=frame.stamp_ns,
            clock=frame.clock,
            stale=frame.stale,
        )
    return ObservationIndex(
        request=request,
        header_stamp_ns=header_stamp_ns,
        observation=observation.id,
        episode=observation.episode,
        step=observation.step,
        stamp_ns=observation.stamp_ns,
        clock=observation.clock,
        instruction=observation.instruction,
        temperatures=observation.temperatures,
        joints=observation.joints.names,
        gripper_force=observation.gripper.force,
        cameras=cameras,
    )


def to_messages(observation: Observation, arm: Arm, header_stamp_ns: int) -> dict[str, Any]:
    """Topic -> message, all with the same header.stamp. The index is apart."""
    base = header_at(header_stamp_ns, arm.base_link)
    messages: dict[str, Any] = {
        **arm_messages(observation.joints, observation.gripper, observation.ee, arm, base),
        topics.EE_POSE_COMMANDED: pose_message(observation.ee_commanded, base),
    }
    for name, frame in observation.cameras.items():
        optical = header_at(header_stamp_ns, topics.optical_frame(name))
        messages[topics.image(name)] = image_message(frame.image, optical)
        messages[topics.camera_info(name)] = camera_info_message(frame.model, optical)
    return messages


def arm_messages(joints: JointState, gripper: GripperState, ee: Pose, arm: Arm, base: Header) -> dict[str, Any]:
    """Topic -> message of what an arm measures. base: a header in the frame of the arm's base."""
    return {
        topics.JOINT_STATES: _joint_states(joints, gripper, arm, base),
        topics.EE_POSE: pose_message(ee, base),
        topics.GRIPPER_STATE: JointStateMessage(
            header=base,
            name=["opening", "width"],
            position=[gripper.opening, gripper.width],
        ),
    }


def to_observation(index: ObservationIndex, messages: Mapping[str, Any]) -> Observation:
    """The observation that `index` and the messages of its topics describe. The pictures are views of the messages.

    Raises TouchstoneError if a message does not fit.
    """
    joints, gripper = messages[topics.JOINT_STATES], messages[topics.GRIPPER_STATE]
    try:
        where = [list(joints.name).index(name) for name in index.joints]
        opening, width = (gripper.position[list(gripper.name).index(name)] for name in ("opening", "width"))
    except ValueError as error:
        raise TouchstoneError(f"{topics.JOINT_STATES} or {topics.GRIPPER_STATE} lacks a joint: {error}.") from None
    return Observation(
        id=index.observation,
        episode=index.episode,
        step=index.step,
        stamp_ns=index.stamp_ns,
        clock=index.clock,
        cameras={name: _frame(entry, messages) for name, entry in index.cameras.items()},
        joints=JointState(
            index.joints, *(np.array(values)[where] for values in (joints.position, joints.velocity, joints.effort))
        ),
        ee=_pose(messages[topics.EE_POSE]),
        ee_commanded=_pose(messages[topics.EE_POSE_COMMANDED]),
        gripper=GripperState(opening, width, index.gripper_force),
        instruction=index.instruction,
        temperatures=index.temperatures,
    )


def image_message(image: np.ndarray, header: Header) -> Image:
    """sensor_msgs/Image rgb8 of uint8[H,W,3]."""
    message = Image(header=header, encoding="rgb8", height=image.shape[0], width=image.shape[1])
    message.step = 3 * image.shape[1]
    # rclpy copies an array.array at once and anything else byte by byte
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(image).data.cast("B"))
    message.data = data
    return message


def jpeg_message(image: np.ndarray, quality: int, header: Header) -> CompressedImage:
    """sensor_msgs/CompressedImage of uint8[H,W,3] RGB, with the words that image_transport uses."""
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    message = CompressedImage(header=header, format="rgb8; jpeg compressed bgr8")
    data = array.array("B")
    data.frombytes(encoded.data.cast("B"))
    message.data = data
    return message


def image_array(message: Image | CompressedImage) -> np.ndarray:
    """uint8[H,W,3] RGB, read-only; of a raw picture a view of the message's bytes."""
    if isinstance(message, CompressedImage):
        picture = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise TouchstoneError(f"A picture of format '{message.format}' cannot be read; JPEG and PNG can.")
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        picture.flags.writeable = False
        return picture
    if message.encoding != "rgb8" or message.step != 3 * message.width:
        raise TouchstoneError(
            f"A picture came as {message.encoding} with step {message.step}; rgb8 without gaps is read."
        )
    picture = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
    picture.flags.writeable = False
    return picture


def header_at(stamp_ns: int, frame: str) -> Header:
    return Header(stamp=to_time(stamp_ns), frame_id=frame)


def _joint_states(joints: JointState, gripper: GripperState, arm: Arm, header: Header) -> JointStateMessage:
    fingers = arm.gripper.joints
    # the fingers' speed and effort are not measured
    unknown = [float("nan")] * len(fingers)
    return JointStateMessage(
        header=header,
        name=[*joints.names, *fingers],
        position=[
            *joints.position.tolist(),
            *[arm.gripper.finger_position(gripper.opening)] * len(fingers),
        ],
        velocity=[*joints.velocity.tolist(), *unknown],
        effort=[*joints.effort.tolist(), *unknown],
    )


def camera_info_message(model: CameraModel, header: Header) -> CameraInfo:
    K = model.K
    return CameraInfo(
        header=header,
        width=model.width,
        height=model.height,
        distortion_model="plumb_bob",
        d=model.distortion.tolist(),
        k=K.ravel().tolist(),
        r=np.eye(3).ravel().tolist(),
        p=np.column_stack([K, np.zeros(3)]).ravel().tolist(),
    )


def _frame(entry: CameraEntry, messages: Mapping[str, Any]) -> CameraFrame:
    info = messages[entry.camera_info]
    model = CameraModel(
        width=info.width,
        height=info.height,
        K=np.array(info.k, dtype=np.float64).reshape(3, 3),
        distortion=np.array(info.d, dtype=np.float64),
        base_from_camera=Pose.from_list(entry.base_from_camera),
    )
    return CameraFrame(image_array(messages[entry.image]), entry.stamp_ns, entry.clock, model, entry.stale)


def pose_message(pose: Pose, header: Header) -> PoseStamped:
    x, y, z = (float(v) for v in pose.position)
    w, i, j, k = (float(v) for v in pose.quaternion)
    pose = PoseMessage(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=i, y=j, z=k, w=w))
    return PoseStamped(header=header, pose=pose)


def _pose(message: PoseStamped) -> Pose:
    p, q = message.pose.position, message.pose.orientation
    return Pose(np.array([p.x, p.y, p.z]), np.array([q.w, q.x, q.y, q.z]))
