"""Between our observations and chunks and a server's keys and numbers, as its mapping says; both ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from policy_server.dialects import parts
from policy_server.dialects.mapping import ActionColumns, Gripper, Mapping
from policy_server.dialects.mapping import Rotation as RotationColumns
from policy_server.dialects.pictures import fit
from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.geometry import quaternion_from_rotation
from touchstone.policy import Chunk
from touchstone.world import Observation


@dataclass(frozen=True)
class Question:
    """What a server is asked, by its own keys: pictures uint8[H,W,3], state vectors, and the prompt."""

    images: dict[str, np.ndarray]
    state: dict[str, np.ndarray]
    prompt: str


def question(mapping: Mapping, observation: Observation) -> Question:
    """The observation in the server's keys. Raises ContractMismatch where it lacks something."""
    images = {}
    for slot in mapping.images:
        if slot.camera is None:
            images[slot.key] = np.zeros((slot.height, slot.width, 3), dtype=np.uint8)
            continue
        frame = observation.cameras.get(slot.camera)
        if frame is None:
            raise ContractMismatch(
                f"The mapping's '{slot.key}' wants camera '{slot.camera}' and the observation has "
                f"{', '.join(observation.cameras) or 'no camera'}; name one that exists."
            )
        images[slot.key] = fit(frame.image, slot.width, slot.height, slot.resize)
    try:
        state = {slot.key: parts.vector(slot.parts, observation).astype(slot.dtype) for slot in mapping.state}
    except ValueError as error:
        raise ContractMismatch(f"The mapping does not fit this arm: {error}.") from error
    return Question(images, state, mapping.prompt_template.replace("{instruction}", observation.instruction))


def chunk_from(mapping: Mapping, rows: np.ndarray, observation: Observation, rate_hz: float) -> Chunk:
    """The chunk that a server's answer means. rows: numbers[N,width]. Raises PolicyFailure for another shape."""
    columns = mapping.actions
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != columns.width or rows.dtype.kind not in "fiu":
        raise PolicyFailure(
            f"The server answered {rows.dtype} of shape {rows.shape} where its mapping says numbers of shape "
            f"(n, {columns.width})."
        )
    rows = rows.astype(np.float64)
    # a NaN is not an error here: the arm refuses it, holds, and says why
    with np.errstate(invalid="ignore"):
        return Chunk(
            answers=observation.id,
            t0_ns=observation.stamp_ns,
            dt=1.0 / rate_hz,
            kind=columns.kind,
            actions=_actions(columns, rows),
            gripper=_opening(columns.gripper, rows[:, columns.gripper.column]),
        )


def rows_from(mapping: Mapping, chunk: Chunk) -> np.ndarray:
    """float64[N,width]: what a server with this mapping would have answered; columns without a meaning are 0."""
    columns = mapping.actions
    actions = np.asarray(chunk.actions, dtype=np.float64)
    rows = np.zeros((len(actions), columns.width))
    gripper = columns.gripper
    rows[:, gripper.column] = gripper.closed + np.asarray(chunk.gripper) * (gripper.open - gripper.closed)
    if columns.joints:
        rows[:, list(columns.joints)] = actions / columns.joint_scale
        return rows
    rows[:, list(columns.position)] = actions[:, :3] / columns.position_scale
    if columns.rotation is not None:
        absolute = columns.kind == "ee_abs"
        rows[:, list(columns.rotation.columns)] = _turns_written(columns.rotation, actions[:, 3:], absolute)
    return rows


def _actions(columns: ActionColumns, rows: np.ndarray) -> np.ndarray:
    if columns.joints:
        return rows[:, list(columns.joints)] * columns.joint_scale
    position = rows[:, list(columns.position)] * columns.position_scale
    if columns.rotation is None:
        return np.hstack([position, np.zeros((len(rows), 3))])
    numbers = rows[:, list(columns.rotation.columns)]
    if columns.kind == "ee_abs" and columns.rotation.format == "quaternion_wxyz":
        return np.hstack([position, numbers])
    if columns.kind != "ee_abs" and columns.rotation.format == "rotation_vector":
        return np.hstack([position, numbers * columns.rotation.scale])
    turns = _turns_read(columns.rotation, numbers)
    if columns.kind != "ee_abs":
        return np.hstack([position, [np.full(3, np.nan) if turn is None else turn.as_rotvec() for turn in turns]])
    return np.hstack([position, [np.full(4, np.nan) if t is None else quaternion_from_rotation(t) for t in turns]])


def _turns_read(columns: RotationColumns, numbers: np.ndarray) -> list[Rotation | None]:
    """One rotation for each row; None where the numbers are none."""
    if columns.format == "rotation_vector":
        return [Rotation.from_rotvec(row) for row in numbers * columns.scale]
    if columns.format == "euler_xyz":
        return [Rotation.from_euler("xyz", row) for row in numbers * columns.scale]
    xyzw = np.roll(numbers, -1, axis=1) if columns.format == "quaternion_wxyz" else numbers
    return [Rotation.from_quat(row) if np.linalg.norm(row) > 0 else None for row in xyzw]


def _turns_written(columns: RotationColumns, numbers: np.ndarray, absolute: bool) -> np.ndarray:
    if columns.format == ("quaternion_wxyz" if absolute else "rotation_vector"):
        return numbers if absolute else numbers / columns.scale
    with np.errstate(invalid="ignore"):
        turns = Rotation.from_quat(np.roll(numbers, -1, axis=1)) if absolute else Rotation.from_rotvec(numbers)
        if columns.format == "rotation_vector":
            return turns.as_rotvec() / columns.scale
        if columns.format == "euler_xyz":
            return parts.euler_xyz(turns) / columns.scale
    xyzw = turns.as_quat()
    return np.roll(xyzw, 1, axis=1) if columns.format == "quaternion_wxyz" else xyzw


def _opening(gripper: Gripper, numbers: np.ndarray) -> np.ndarray:
    opening = (numbers - gripper.closed) / (gripper.open - gripper.closed)
    if gripper.decide == "clip":
        return np.clip(opening, 0.0, 1.0)
    if gripper.decide == "threshold":
        return np.where(np.isnan(opening), np.nan, (opening > 0.5).astype(np.float64))
    return opening
