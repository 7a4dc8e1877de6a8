"""A Chunk as a trajectory message and its JSON companion, and back, bit by bit."""

from __future__ import annotations

from typing import Union

import numpy as np
from geometry_msgs.msg import Quaternion, Transform, Vector3
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header
from trajectory_msgs.msg import (
    JointTrajectory,
    JointTrajectoryPoint,
    MultiDOFJointTrajectory,
    MultiDOFJointTrajectoryPoint,
)

from robot_bridge import topics
from robot_bridge.records import ChunkInfo
from robot_bridge.stamps import to_duration, to_time
from touchstone.errors import PolicyFailure, TouchstoneError
from touchstone.geometry import quaternion_from_rotation
from touchstone.policy import ACTION_WIDTH, Chunk, Timing
from touchstone.robots.base import Arm

Trajectory = Union[MultiDOFJointTrajectory, JointTrajectory]  # noqa: UP007 - evaluated on Python 3.10 too

TRAJECTORY_TYPES: dict[str, type] = {topics.CHUNK: MultiDOFJointTrajectory, topics.JOINT_CHUNK: JointTrajectory}

#: kinds whose six numbers are a displacement and a rotation vector
_DELTA_KINDS = ("target_delta", "align2")
#: how far the quaternion of a point may be from its rotation vector; far over rounding, far under any motion
_AGREEMENT = 1e-9


def to_messages(chunk: Chunk, arm: Arm, request: str, header_stamp_ns: int) -> tuple[Trajectory, ChunkInfo]:
    """The trajectory for `info.topic`, and its companion. header_stamp_ns: of the observation that it answers.

    A delta kind's points are the displacements themselves. Raises PolicyFailure for a chunk whose shape no
    trajectory can carry.
    """
    _check_shape(chunk, arm)
    header = Header(stamp=to_time(header_stamp_ns), frame_id=arm.base_link if chunk.frame == "base" else chunk.frame)
    cartesian = ACTION_WIDTH[chunk.kind] is not None
    trajectory = _cartesian(chunk, arm, header) if cartesian else _joints(chunk, arm, header)
    rotations = chunk.actions[:, 3:].tolist() if chunk.kind in _DELTA_KINDS else None
    return trajectory, ChunkInfo(
        request=request,
        header_stamp_ns=header_stamp_ns,
        topic=topics.CHUNK if cartesian else topics.JOINT_CHUNK,
        answers=chunk.answers,
        t0_ns=chunk.t0_ns,
        dt=chunk.dt,
        kind=chunk.kind,
        gripper=chunk.gripper.tolist(),
        rotation_vectors=rotations,
        gripper_force=chunk.gripper_force,
        terminate=chunk.terminate,
        queue_ms=chunk.timing.queue_ms,
        infer_ms=chunk.timing.infer_ms,
        total_ms=chunk.timing.total_ms,
    )


def to_chunk(trajectory: Trajectory, info: ChunkInfo, arm: Arm) -> Chunk:
    """The chunk that the two describe. Raises TouchstoneError if they contradict each other."""
    if len(trajectory.points) != len(info.gripper):
        raise TouchstoneError(
            f"{info.topic} has {len(trajectory.points)} points and {topics.CHUNK_INFO} {len(info.gripper)} gripper "
            "values for the same stamp."
        )
    frame = trajectory.header.frame_id
    return Chunk(
        answers=info.answers,
        t0_ns=info.t0_ns,
        dt=info.dt,
        kind=info.kind,
        actions=np.array(_actions(trajectory, info, arm), dtype=np.float64),
        gripper=np.array(info.gripper, dtype=np.float64),
        frame="base" if frame == arm.base_link else frame,
        gripper_force=info.gripper_force,
        terminate=info.terminate,
        timing=Timing(info.queue_ms, info.infer_ms, info.total_ms),
    )


def _check_shape(chunk: Chunk, arm: Arm) -> None:
    width = ACTION_WIDTH.get(chunk.kind, 0) or len(arm.joint_names)
    expected = (len(chunk.gripper), width) if np.ndim(chunk.gripper) == 1 else None
    if chunk.kind not in ACTION_WIDTH or chunk.actions.shape != expected or expected[0] == 0 or not chunk.dt >= 0:
        raise PolicyFailure(
            f"The policy answered '{chunk.kind}' actions of shape {chunk.actions.shape} with gripper "
            f"{np.shape(chunk.gripper)} and dt {chunk.dt}; (n, {width}), (n,) and a positive dt are expected."
        )


def _cartesian(chunk: Chunk, arm: Arm, header: Header) -> MultiDOFJointTrajectory:
    points = []
    for index, action in enumerate(chunk.actions):
        x, y, z = action[:3].tolist()
        w, i, j, k = _quaternion(chunk.kind, action).tolist()
        transform = Transform(translation=Vector3(x=x, y=y, z=z), rotation=Quaternion(x=i, y=j, z=k, w=w))
        points.append(MultiDOFJointTrajectoryPoint(transforms=[transform], time_from_start=_due(chunk, index)))
    return MultiDOFJointTrajectory(header=header, joint_names=[arm.tcp_link], points=points)


def _joints(chunk: Chunk, arm: Arm, header: Header) -> JointTrajectory:
    points = [
        JointTrajectoryPoint(positions=action.tolist(), time_from_start=_due(chunk, k))
        for k, action in enumerate(chunk.actions)
    ]
    return JointTrajectory(header=header, joint_names=list(arm.joint_names), points=points)


def _due(chunk: Chunk, k: int):
    return to_duration(k * round(chunk.dt * 1e9))


def _quaternion(kind: str, action: np.ndarray) -> np.ndarray:
    if kind not in _DELTA_KINDS:
        return action[3:]
    if not np.isfinite(action[3:]).all():
        return np.full(4, np.nan)
    # scipy does not take the read-only arrays that come off the wire
    return quaternion_from_rotation(Rotation.from_rotvec(np.array(action[3:])))


def _actions(trajectory: Trajectory, info: ChunkInfo, arm: Arm) -> list[list[float]]:
    if info.topic == topics.JOINT_CHUNK:
        if tuple(trajectory.joint_names) != arm.joint_names:
            raise TouchstoneError(
                f"{info.topic} moves {', '.join(trajectory.joint_names)}; {arm.name} has {', '.join(arm.joint_names)}."
            )
        return [list(point.positions) for point in trajectory.points]
    actions = []
    for k, point in enumerate(trajectory.points):
        t, q = point.transforms[0].translation, point.transforms[0].rotation
        turn = [q.w, q.x, q.y, q.z]
        if info.rotation_vectors is not None:
            turn = _agreed(info, k, turn)
        actions.append([t.x, t.y, t.z, *turn])
    return actions


def _agreed(info: ChunkInfo, k: int, quaternion: list[float]) -> tuple[float, ...]:
    vector = info.rotation_vectors[k]
    expected = _quaternion(info.kind, np.array([0.0, 0.0, 0.0, *vector]))
    if np.isfinite(expected).all() and not abs(abs(expected @ quaternion) - 1) < _AGREEMENT:
        raise TouchstoneError(f"Point {k} on {info.topic} turns otherwise than its rotation vector in the companion.")
    return vector
