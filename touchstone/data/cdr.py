"""ROS 2 messages as CDR without ROS: definitions and serialisation by `rosbags`."""

from __future__ import annotations

from functools import cache

import numpy as np
from rosbags.typesys import Stores, get_typestore

from touchstone.cameras import CameraModel
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.world import GripperState, JointState


@cache
def typestore():
    """The message definitions of ROS 2 Jazzy."""
    return get_typestore(Stores.ROS2_JAZZY)


def definition(type_name: str) -> str:
    """The `ros2msg` text of a type such as `sensor_msgs/msg/JointState`, with what it depends on."""
    return typestore().generate_msgdef(type_name, ros_version=2)[0]


def serialise(message) -> bytes:
    """CDR of a message built by this module."""
    return bytes(typestore().serialize_cdr(message, message.__msgtype__))


def deserialise(data: bytes, type_name: str):
    """The message of type `type_name` in CDR `data`."""
    return typestore().deserialize_cdr(data, type_name)


def _make(type_name: str, **fields):
    return typestore().types[type_name](**fields)


def header(stamp_ns: int, frame: str):
    """std_msgs/Header."""
    stamp = _make("builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return _make("std_msgs/msg/Header", stamp=stamp, frame_id=frame)


def string(text: str):
    """std_msgs/String."""
    return _make("std_msgs/msg/String", data=text)


def compressed_image(jpeg: bytes, stamp_ns: int, frame: str):
    """sensor_msgs/CompressedImage holding a JPEG."""
    data = np.frombuffer(jpeg, dtype=np.uint8)
    return _make("sensor_msgs/msg/CompressedImage", header=header(stamp_ns, frame), format="jpeg", data=data)


def camera_info(model: CameraModel, stamp_ns: int, frame: str):
    """sensor_msgs/CameraInfo, `plumb_bob`, unrectified."""
    whole = _make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return _make(
        "sensor_msgs/msg/CameraInfo",
        header=header(stamp_ns, frame),
        height=model.height,
        width=model.width,
        distortion_model="plumb_bob",
        d=np.asarray(model.distortion, dtype=np.float64),
        k=np.asarray(model.K, dtype=np.float64).ravel(),
        r=np.eye(3).ravel(),
        p=np.hstack([model.K, np.zeros((3, 1))]).ravel(),
        binning_x=0,
        binning_y=0,
        roi=whole,
    )


def joint_states(joints: JointState, gripper: GripperState, arm: Arm, stamp_ns: int):
    """sensor_msgs/JointState: the arm's joints and its fingers, whose speed and effort are not measured (NaN)."""
    fingers = arm.gripper.joints
    unknown = np.full(len(fingers), np.nan)
    where = np.full(len(fingers), arm.gripper.finger_position(gripper.opening))
    return _make(
        "sensor_msgs/msg/JointState",
        header=header(stamp_ns, arm.base_link),
        name=[*joints.names, *fingers],
        position=np.concatenate([joints.position, where]).astype(np.float64),
        velocity=np.concatenate([joints.velocity, unknown]).astype(np.float64),
        effort=np.concatenate([joints.effort, unknown]).astype(np.float64),
    )


def gripper_state(gripper: GripperState, frame: str, stamp_ns: int):
    """sensor_msgs/JointState: `opening` 0..1 and `width` [m]."""
    nothing = np.zeros(0)
    return _make(
        "sensor_msgs/msg/JointState",
        header=header(stamp_ns, frame),
        name=["opening", "width"],
        position=np.array([gripper.opening, gripper.width], dtype=np.float64),
        velocity=nothing,
        effort=nothing,
    )


def pose_stamped(pose: Pose, stamp_ns: int, frame: str):
    """geometry_msgs/PoseStamped."""
    x, y, z = (float(v) for v in pose.position)
    inner = _make(
        "geometry_msgs/msg/Pose",
        position=_make("geometry_msgs/msg/Point", x=x, y=y, z=z),
        orientation=_quaternion(pose),
    )
    return _make("geometry_msgs/msg/PoseStamped", header=header(stamp_ns, frame), pose=inner)


def static_transform(pose: Pose, stamp_ns: int, frame: str, child: str):
    """tf2_msgs/TFMessage with the pose of `child` in `frame`."""
    x, y, z = (float(v) for v in pose.position)
    transform = _make(
        "geometry_msgs/msg/Transform",
        translation=_make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
        rotation=_quaternion(pose),
    )
    stamped = _make(
        "geometry_msgs/msg/TransformStamped",
        header=header(stamp_ns, frame),
        child_frame_id=child,
        transform=transform,
    )
    return _make("tf2_msgs/msg/TFMessage", transforms=[stamped])


def _quaternion(pose: Pose):
    w, x, y, z = (float(v) for v in pose.quaternion)
    return _make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)
