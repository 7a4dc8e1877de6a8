"""Observations and chunks as a header body plus arrays, and back. Pictures bitwise, floats exact."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TypeVar

import msgspec
import numpy as np
from msgspec import Raw
from pydantic import BaseModel, ValidationError

from policy_server.bodies import Body, CameraBody, ChunkBody, ObservationBody, PriorBody, PrivilegedBody
from policy_server.wire import WireError, first_complaint
from touchstone.cameras import CameraModel
from touchstone.geometry import Pose
from touchstone.policy import Chunk, Prior, Timing
from touchstone.world import CameraFrame, GripperState, JointState, Observation, Privileged

NO_TIMING = Timing()
Arrays = dict[str, np.ndarray]
AnyBody = TypeVar("AnyBody", bound="Body | BaseModel")


def encode_observation(observation: Observation) -> tuple[ObservationBody, Arrays]:
    """Body of plain values, and the pictures by the names it uses. Nothing is copied."""
    arrays: Arrays = {}
    return _observation_to_body(observation, "", arrays), arrays


def decode_observation(body: ObservationBody, arrays: Arrays) -> Observation:
    """The observation, its pictures read-only views of `arrays`. Raises WireError where they do not fit."""
    return Observation(
        id=body.id,
        episode=body.episode,
        step=body.step,
        stamp_ns=body.stamp_ns,
        clock=body.clock,
        cameras={name: _camera_from_body(camera, arrays) for name, camera in body.cameras.items()},
        joints=_joints_from_body(body),
        ee=Pose.from_list(body.ee),
        ee_commanded=Pose.from_list(body.ee_commanded),
        gripper=GripperState(body.opening, body.width, body.force),
        instruction=body.instruction,
        temperatures=tuple(body.temperatures),
        history=tuple(decode_observation(earlier, arrays) for earlier in body.history),
        privileged=None if body.privileged is None else _privileged_from_body(body.privileged),
    )


def encode_chunk(chunk: Chunk) -> tuple[ChunkBody, Arrays]:
    """Body and the arrays `actions` float64[N,D] and `gripper` float64[N]. The timing travels apart."""
    body = ChunkBody(
        answers=int(chunk.answers),
        t0_ns=int(chunk.t0_ns),
        dt=float(chunk.dt),
        kind=chunk.kind,
        frame=chunk.frame,
        gripper_force=None if chunk.gripper_force is None else float(chunk.gripper_force),
        terminate=bool(chunk.terminate),
    )
    return body, {
        "actions": np.asarray(chunk.actions, dtype=np.float64),
        "gripper": np.asarray(chunk.gripper, dtype=np.float64),
    }


def decode_chunk(body: ChunkBody, arrays: Arrays, timing: Timing = NO_TIMING) -> Chunk:
    """The chunk. Raises WireError where body and arrays do not fit."""
    return Chunk(
        answers=body.answers,
        t0_ns=body.t0_ns,
        dt=body.dt,
        kind=body.kind,
        actions=_array(arrays, "actions", "float64", 2),
        gripper=_array(arrays, "gripper", "float64", 1),
        frame=body.frame,
        gripper_force=body.gripper_force,
        terminate=body.terminate,
        timing=timing,
    )


def encode_prior(prior: Prior) -> tuple[PriorBody, Arrays]:
    """Body and the arrays `prior/actions` float64[M,D] and `prior/gripper` float64[M]."""
    return PriorBody(int(prior.frozen)), {
        "prior/actions": np.asarray(prior.actions, dtype=np.float64),
        "prior/gripper": np.asarray(prior.gripper, dtype=np.float64),
    }


def decode_prior(body: PriorBody, arrays: Arrays) -> Prior:
    """Raises WireError where body and arrays do not fit."""
    actions, gripper = _array(arrays, "prior/actions", "float64", 2), _array(arrays, "prior/gripper", "float64", 1)
    if not len(actions) == len(gripper) >= body.frozen:
        raise WireError(f"A prior of {len(actions)} actions and {len(gripper)} openings freezes {body.frozen}.")
    return Prior(actions, gripper, body.frozen)


def parse(model: type[AnyBody], body: Raw) -> AnyBody:
    """The body as a record. Raises WireError, in one sentence, where it is not one."""
    try:
        if issubclass(model, Body):
            return _decoder(model).decode(body)
        return model.model_validate(msgspec.msgpack.decode(body))
    except (msgspec.MsgspecError, ValidationError, RecursionError, UnicodeDecodeError) as error:
        raise WireError(f"The message's body is wrong: {first_complaint(error)}.") from error


@cache
def _decoder(model: type) -> msgspec.msgpack.Decoder:
    return msgspec.msgpack.Decoder(model)


def _observation_to_body(observation: Observation, prefix: str, arrays: Arrays) -> ObservationBody:
    joints, gripper, privileged = observation.joints, observation.gripper, observation.privileged
    return ObservationBody(
        id=int(observation.id),
        episode=observation.episode,
        step=int(observation.step),
        stamp_ns=int(observation.stamp_ns),
        clock=observation.clock,
        cameras={name: _camera_to_body(frame, prefix + name, arrays) for name, frame in observation.cameras.items()},
        joint_names=list(joints.names),
        joint_position=_floats(joints.position),
        joint_velocity=_floats(joints.velocity),
        joint_effort=_floats(joints.effort),
        ee=observation.ee.to_list(),
        ee_commanded=observation.ee_commanded.to_list(),
        opening=float(gripper.opening),
        width=float(gripper.width),
        force=None if gripper.force is None else float(gripper.force),
        instruction=observation.instruction,
        temperatures=_floats(observation.temperatures),
        history=[
            _observation_to_body(earlier, f"{prefix}{k}/", arrays) for k, earlier in enumerate(observation.history)
        ],
        privileged=None
        if privileged is None
        else {"spec": privileged.spec.model_dump(), "facts": privileged.facts.model_dump()},
    )


def _camera_to_body(frame: CameraFrame, name: str, arrays: Arrays) -> CameraBody:
    arrays[f"{name}/image"] = frame.image
    if frame.depth is not None:
        arrays[f"{name}/depth"] = frame.depth
    return CameraBody(
        image=f"{name}/image",
        stamp_ns=int(frame.stamp_ns),
        clock=frame.clock,
        stale=bool(frame.stale),
        depth=None if frame.depth is None else f"{name}/depth",
        depth_scale=None if frame.depth_scale is None else float(frame.depth_scale),
        **frame.model.to_json(),
    )


def _camera_from_body(body: CameraBody, arrays: Arrays) -> CameraFrame:
    image = _array(arrays, body.image, "uint8", 3)
    depth = None if body.depth is None else _array(arrays, body.depth, "uint16", 2)
    if image.shape != (body.height, body.width, 3) or (depth is not None and depth.shape != image.shape[:2]):
        raise WireError(f"The picture '{body.image}' has shape {image.shape}, not its camera's size.")
    return CameraFrame(
        image=image,
        stamp_ns=body.stamp_ns,
        clock=body.clock,
        model=_camera_model(
            body.width, body.height, tuple(body.K), tuple(body.distortion), tuple(body.base_from_camera)
        ),
        stale=body.stale,
        depth=depth,
        depth_scale=body.depth_scale,
    )


@lru_cache(maxsize=64)
def _camera_model(width: int, height: int, K: tuple, distortion: tuple, base_from_camera: tuple) -> CameraModel:
    """Cached, because a camera stands still from one observation to the next."""
    return CameraModel(width, height, np.array(K).reshape(3, 3), np.array(distortion), Pose.from_list(base_from_camera))


def _joints_from_body(body: ObservationBody) -> JointState:
    values = (body.joint_position, body.joint_velocity, body.joint_effort)
    if any(len(v) != len(body.joint_names) for v in values):
        raise WireError(f"There are {len(body.joint_names)} joints and another number of their values.")
    return JointState(tuple(body.joint_names), *(np.array(v, dtype=np.float64) for v in values))


def _privileged_from_body(body: dict) -> Privileged:
    try:
        parsed = PrivilegedBody.model_validate(body)
    except (ValidationError, RecursionError) as error:
        raise WireError(f"The message's body is wrong: {first_complaint(error)}.") from error
    return Privileged(parsed.spec, parsed.facts)


def _array(arrays: Arrays, name: str, dtype: str, dimensions: int) -> np.ndarray:
    array = arrays.get(name)
    if array is None or array.dtype != dtype or array.ndim != dimensions:
        raise WireError(f"There is no {dtype} array '{name}' of {dimensions} dimensions in the message.")
    return array


def _floats(values) -> list[float]:
    return np.asarray(values, dtype=np.float64).tolist()
