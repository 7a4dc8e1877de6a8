"""The vocabulary of state vectors: named parts of an observation, and one number of a part as `NAME[INDEX]`.

Lengths in metres and angles in radians; poses are the TCP's in the arm's base frame, as in `Observation`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.world import Observation

#: Bridge's gripper points down where its Euler angles are zero (SimplerEnv: `ee rotation @ this.T`)
BRIDGE_ZERO = Rotation.from_matrix([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])


def euler_xyz(rotation: Rotation) -> np.ndarray:
    """Roll, pitch, yaw [rad] about the fixed axes x, then y, then z; float64[3], or [N,3] of many rotations.

    At a pitch of 90 degrees (for `ee_euler_xyz`, a gripper that points straight down) only yaw minus roll means
    anything, and yaw is 0.
    """
    with warnings.catch_warnings():
        # scipy says at every such pose what is said above
        warnings.filterwarnings("ignore", message="Gimbal lock")
        return rotation.as_euler("xyz")


def _rotation_parts(name: str, pose: Callable[[Observation], Pose]) -> dict[str, Callable[[Observation], np.ndarray]]:
    return {
        f"{name}_position": lambda o: pose(o).position,
        f"{name}_rotation_vector": lambda o: pose(o).rotation().as_rotvec(),
        f"{name}_euler_xyz": lambda o: euler_xyz(pose(o).rotation()),
        f"{name}_quaternion_wxyz": lambda o: pose(o).quaternion,
        f"{name}_quaternion_xyzw": lambda o: np.roll(pose(o).quaternion, -1),
    }


PARTS: dict[str, Callable[[Observation], np.ndarray]] = {
    **_rotation_parts("ee", lambda o: o.ee),
    **_rotation_parts("commanded", lambda o: o.ee_commanded),
    "ee_euler_xyz_bridge": lambda o: euler_xyz(o.ee.rotation() * BRIDGE_ZERO.inv()),
    "joint_position": lambda o: o.joints.position,
    "gripper_opening": lambda o: np.array([o.gripper.opening]),  # 0 closed .. 1 open
    "gripper_closing": lambda o: np.array([1.0 - o.gripper.opening]),  # 1 closed .. 0 open
    "gripper_fingers": lambda o: np.array([0.5, -0.5]) * o.gripper.width,  # Panda: both fingers' joints [m]
    "zero": lambda o: np.zeros(1),  # padding
}
#: parts of fixed length; `joint_position` has as many as the arm has joints
WIDTHS = {"position": 3, "rotation_vector": 3, "euler_xyz": 3, "bridge": 3, "wxyz": 4, "xyzw": 4}
WIDTHS |= {"opening": 1, "closing": 1, "fingers": 2, "zero": 1}


@dataclass
class Known:
    """What a state vector says; NaN where it says nothing. joints: None = nothing."""

    ee: Pose
    commanded: Pose | None
    joints: np.ndarray | None
    opening: float
    width: float


def known_part(text: str) -> tuple[str, int | None]:
    """Name and index of a part. Raises ValueError for one that does not exist."""
    match = re.fullmatch(r"([a-z_]+)(?:\[(\d+)\])?", text)
    if match is None or match[1] not in PARTS:
        raise ValueError(f"there is no state part '{text}'; the parts are {', '.join(PARTS)}")
    index = None if match[2] is None else int(match[2])
    length = width(match[1])
    if index is not None and length is not None and index >= length:
        raise ValueError(f"state part '{match[1]}' has {length} numbers and '{text}' asks for another")
    return match[1], index


def width(name: str) -> int | None:
    """How many numbers a part has; None = one for each joint."""
    if name == "joint_position":
        return None
    return next(count for ending, count in WIDTHS.items() if name.endswith(ending))


def vector(parts: tuple[str, ...], observation: Observation) -> np.ndarray:
    """float64[n]: the parts, one after the other. Raises ValueError for an index beyond the arm's joints."""
    values = []
    for text in parts:
        name, index = known_part(text)
        value = np.asarray(PARTS[name](observation), dtype=np.float64)
        if index is not None and index >= len(value):
            raise ValueError(f"'{text}' is asked for and the arm has {len(value)} joints")
        values.append(value if index is None else value[index : index + 1])
    return np.concatenate(values)


def read_back(slots: list[tuple[tuple[str, ...], np.ndarray]]) -> Known:
    """What state vectors say. slots: (parts, float64[n]). Raises ValueError where a length does not fit."""
    found: dict[str, np.ndarray] = {}
    for parts, values in slots:
        _split(parts, values, found)
    ee = Pose(found.get("ee_position", np.full(3, np.nan)), _quaternion("ee", found))
    commanded = None
    if "commanded_position" in found:
        commanded = Pose(found["commanded_position"], _quaternion("commanded", found))
    opening = float(found["gripper_opening"][0]) if "gripper_opening" in found else np.nan
    if np.isnan(opening) and "gripper_closing" in found:
        opening = 1.0 - float(found["gripper_closing"][0])
    gap = float(np.ptp(found["gripper_fingers"])) if "gripper_fingers" in found else np.nan
    return Known(ee, commanded, found.get("joint_position"), opening, gap)


def _split(parts: tuple[str, ...], values: np.ndarray, into: dict[str, np.ndarray]) -> None:
    parsed = [known_part(text) for text in parts]
    whole = [width(name) if index is None else 1 for name, index in parsed]
    if whole.count(None) > 1:
        raise ValueError("the joints are in it twice")
    rest = len(values) - sum(count for count in whole if count is not None)
    if rest < 0 or (None not in whole and rest != 0):
        raise ValueError(f"it has {len(values)} numbers")
    start = 0
    for (name, index), count in zip(parsed, whole, strict=True):
        length = rest if count is None else count
        value = values[start : start + length]
        start += length
        if index is None:
            into[name] = value
        elif width(name) is not None:
            into.setdefault(name, np.full(width(name), np.nan))[index] = value[0]


def _quaternion(pose: str, found: dict[str, np.ndarray]) -> np.ndarray:
    rotation: Rotation | None = None
    with np.errstate(invalid="ignore"):
        if f"{pose}_quaternion_wxyz" in found:
            return np.array(found[f"{pose}_quaternion_wxyz"])
        if f"{pose}_quaternion_xyzw" in found:
            return np.roll(found[f"{pose}_quaternion_xyzw"], 1)
        if f"{pose}_rotation_vector" in found:
            rotation = Rotation.from_rotvec(found[f"{pose}_rotation_vector"])
        elif f"{pose}_euler_xyz" in found:
            rotation = Rotation.from_euler("xyz", found[f"{pose}_euler_xyz"])
        elif f"{pose}_euler_xyz_bridge" in found:
            rotation = Rotation.from_euler("xyz", found[f"{pose}_euler_xyz_bridge"]) * BRIDGE_ZERO
    return np.full(4, np.nan) if rotation is None else quaternion_from_rotation(rotation)
