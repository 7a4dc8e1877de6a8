"""An observation out of what an openpi client sends, as a mapping says; what the wire does not carry is NaN."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from policy_server.dialects import parts
from policy_server.dialects.mapping import Mapping
from policy_server.wire import WireError
from touchstone.cameras import CameraModel, is_preset, preset, scaled
from touchstone.errors import ContractMismatch, UsageError
from touchstone.geometry import Pose
from touchstone.policy import PolicyContract
from touchstone.world import CameraFrame, GripperState, JointState, Observation

_UNKNOWN_POSE = Pose(np.full(3, np.nan), np.full(4, np.nan))


@dataclass(frozen=True)
class Place:
    """Where in a session an observation stands. number: counts up in the session; step: in the episode."""

    number: int
    episode: str
    step: int


def check_servable(contract: PolicyContract, mapping: Mapping) -> None:
    """Raises ContractMismatch, in one sentence, for a policy that openpi clients with this mapping cannot feed."""

    def refuse(what: str) -> None:
        raise ContractMismatch(f"Policy '{contract.name}' cannot be served over openpi: {what}.")

    if contract.action_kind != mapping.actions.kind:
        refuse(f"it answers '{contract.action_kind}' actions and the mapping says '{mapping.actions.kind}'")
    if len(mapping.actions.keys) != 1:
        refuse("the mapping splits its actions, and openpi's answers are one array")
    if contract.needs_privileged:
        refuse("it needs simulator facts, which the protocol does not carry")
    if contract.history > 1:
        refuse(f"it needs {contract.history} observations at once, and the protocol carries one")
    slots = {slot.camera: slot for slot in mapping.images if slot.camera is not None}
    for need in contract.cameras:
        slot = slots.get(need.name)
        if slot is None:
            refuse(f"it needs camera '{need.name}' and the mapping has {', '.join(slots) or 'none'}")
        elif need.resize == "none" and (slot.width, slot.height) != (need.width, need.height):
            refuse(
                f"it needs camera '{need.name}' at {need.width}x{need.height} and the mapping says "
                f"{slot.width}x{slot.height}"
            )
        if need.calibrated and mapping.camera_preset is None:
            refuse(f"it needs the calibration of camera '{need.name}'; name a camera_preset in the mapping")
    if mapping.camera_preset is not None and not is_preset(mapping.camera_preset):
        raise UsageError(f"The mapping's camera_preset '{mapping.camera_preset}' is no preset.")
    if contract.chunk_length > mapping.chunk_length:
        refuse(f"it answers {contract.chunk_length} actions and the mapping says at most {mapping.chunk_length}")


def prompt_of(mapping: Mapping, fields: object) -> str:
    """The instruction in a client's message, out of the mapping's template. Raises WireError."""
    prompt = fields.get(mapping.prompt_key) if isinstance(fields, dict) else None
    if isinstance(prompt, np.ndarray):
        raise WireError(f"'{mapping.prompt_key}' is an array and no text.")
    if not isinstance(prompt, str) or len(prompt) > 10_000:
        raise WireError(f"The message has no text '{mapping.prompt_key}'.")
    before, after = mapping.prompt_template.split("{instruction}")
    if prompt.startswith(before) and prompt.endswith(after) and len(prompt) >= len(before) + len(after):
        return prompt[len(before) : len(prompt) - len(after)]
    return prompt


def observation_from(mapping: Mapping, fields: dict, instruction: str, place: Place) -> Observation:
    """The observation in a client's message. Raises WireError, in one sentence, where it lacks something.

    Known: pictures, instruction, and what the mapping's state parts say. The stamp is when it came, on this computer's
    clock; a commanded pose that is not sent is the measured one; the camera's model is the mapping's preset. Everything
    else is NaN: joint velocities and efforts always; poses, joints, opening and gap where no part names them; the
    camera's model without a preset.
    """
    now = time.monotonic_ns()
    cameras = {}
    for slot in mapping.images:
        if slot.camera is not None:
            image = _picture(fields, slot.key)
            model = _model(mapping.camera_preset, image.shape[1], image.shape[0])
            cameras[slot.camera] = CameraFrame(image=image, stamp_ns=now, clock="monotonic", model=model)
    known = _known(mapping, fields)
    joints = np.empty(0) if known.joints is None else known.joints
    unknown = np.full(len(joints), np.nan)
    return Observation(
        id=place.number,
        episode=place.episode,
        step=place.step,
        stamp_ns=now,
        clock="monotonic",
        cameras=cameras,
        joints=JointState(tuple(f"joint_{k}" for k in range(len(joints))), joints, unknown, unknown.copy()),
        ee=known.ee,
        ee_commanded=known.ee if known.commanded is None else known.commanded,
        gripper=GripperState(known.opening, known.width),
        instruction=instruction,
    )


def _known(mapping: Mapping, fields: dict) -> parts.Known:
    slots = []
    for slot in mapping.state:
        value = fields.get(slot.key)
        if isinstance(value, (int, float)):
            value = np.array([value])
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.ndim > 1:
            raise WireError(f"The message has no vector '{slot.key}'.")
        slots.append((slot, np.atleast_1d(value).astype(np.float64)))
    for slot, value in slots:
        try:
            parts.read_back([(slot.parts, value)])
        except ValueError as error:
            raise WireError(f"'{slot.key}' is not {', '.join(slot.parts)}: {error}.") from error
    return parts.read_back([(slot.parts, value) for slot, value in slots])


def _picture(fields: dict, key: str) -> np.ndarray:
    """uint8[H,W,3]; as openpi's policies do, a picture may come as [3,H,W] and as numbers 0..1."""
    value = fields.get(key)
    if not isinstance(value, np.ndarray) or value.ndim != 3:
        raise WireError(f"The message has no picture '{key}'.")
    if value.shape[0] == 3 and value.shape[2] != 3:
        value = value.transpose(1, 2, 0)
    if value.shape[2] != 3 or not value.size:
        raise WireError(f"Picture '{key}' has shape {value.shape}, not (height, width, 3).")
    if value.dtype.kind == "f":
        # written so that a NaN is refused too
        if not (value.min() >= 0.0 and value.max() <= 1.0):
            raise WireError(f"Picture '{key}' is {value.dtype} and not within 0..1.")
        value = (255 * value).astype(np.uint8)
    if value.dtype != np.uint8:
        raise WireError(f"Picture '{key}' is {value.dtype}, not uint8.")
    return np.ascontiguousarray(value)


def _model(name: str | None, width: int, height: int) -> CameraModel:
    if name is None:
        return CameraModel(width, height, np.full((3, 3), np.nan), np.full(5, np.nan), _UNKNOWN_POSE)
    model = preset(name)
    return model if (model.width, model.height) == (width, height) else scaled(model, width, height)
