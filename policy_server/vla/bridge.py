"""What surrounds a model trained on Bridge V2: its numbers into metres, radians and openings, our state into its own.

As INT-ACT's evaluator does it (github.com/ai4ce/INT-ACT, src/experiments/env_adapters), in functions of arrays.
docs/models.md writes it out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from touchstone.world import Observation

#: keeps a dimension without spread from dividing by zero; INT-ACT's value
EPSILON = 1e-8

#: orientation of the gripper that Bridge calls zero: pointing down (bridge_data_robot, widowx_controller.py)
TOP_DOWN = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])

#: Bridge counts the arm's position at `ee_gripper_link`; our TCP lies this far beyond it along its x [m], wx250s.urdf
TCP_BEYOND_GRIPPER_LINK = 0.033 - 0.027575

#: over this a model's gripper output means open
OPEN_OVER = 0.5

Polarity = Literal["open_is_one", "close_is_one"]


@dataclass(frozen=True)
class Statistics:
    """Of one vector over the dataset: percentiles, mean and standard deviation; float64[7] each.

    Action: dx dy dz [m], roll pitch yaw [rad], gripper 0..1. Proprio: x y z [m], roll pitch yaw [rad], gripper 0..1.
    """

    p01: np.ndarray
    p99: np.ndarray
    mean: np.ndarray
    std: np.ndarray


def _read(name: str) -> Statistics:
    text = Path(__file__).with_name("bridge_statistics.json").read_text()
    return Statistics(**{key: np.array(values) for key, values in json.loads(text)[name].items()})


ACTION, PROPRIO = _read("action"), _read("proprio")


@dataclass(frozen=True)
class Actions:
    """What a model wants: `actions` float64[N,6], translation [m] and rotation vector [rad] in base axes (or what the
    contract's kind says), and `gripper` float64[N], 0 closed .. 1 open."""

    actions: np.ndarray
    gripper: np.ndarray


def from_bounds(values: np.ndarray, statistics: Statistics) -> np.ndarray:
    """[-1, 1] to p01..p99, [..., D] with D <= 7; what lies outside stays outside, nothing is clipped."""
    low, high = statistics.p01[: values.shape[-1]], statistics.p99[: values.shape[-1]]
    return (values + 1.0) / 2.0 * (high - low) + low


def to_bounds(values: np.ndarray, statistics: Statistics) -> np.ndarray:
    """p01..p99 to [-1, 1], [..., D] with D <= 7, clipped to it: models never saw anything else."""
    low, high = statistics.p01[: values.shape[-1]], statistics.p99[: values.shape[-1]]
    return np.clip(2.0 * (values - low) / (high - low + EPSILON) - 1.0, -1.0, 1.0)


def from_gaussian(values: np.ndarray, statistics: Statistics) -> np.ndarray:
    """Zero mean and unit spread to the dataset's (Octo), [..., D] with D <= 7."""
    width = values.shape[-1]
    return values * (statistics.std[:width] + EPSILON) + statistics.mean[:width]


def opening(gripper: np.ndarray, polarity: Polarity = "open_is_one") -> np.ndarray:
    """A model's gripper outputs, any shape, as 0 closed or 1 open. A NaN stays one, so that the gate refuses it."""
    gripper = np.asarray(gripper, dtype=np.float64)
    is_open = (gripper > OPEN_OVER) if polarity == "open_is_one" else (gripper <= OPEN_OVER)
    return np.where(np.isnan(gripper), np.nan, is_open.astype(np.float64))


def rotation_vectors(euler: np.ndarray) -> np.ndarray:
    """Roll, pitch, yaw [rad] about the fixed x, y, z in this order, [N,3], as rotation vectors [rad], [N,3]."""
    euler = np.asarray(euler, dtype=np.float64)
    finite = np.isfinite(euler).all(axis=1)
    vectors = np.full(euler.shape, np.nan)
    if finite.any():  # scipy before 1.13 takes no empty list of angles
        vectors[finite] = Rotation.from_euler("xyz", euler[finite]).as_rotvec()
    return vectors


def to_actions(raw: np.ndarray) -> Actions:
    """Physical Bridge actions, [N,7]: dx dy dz [m], roll pitch yaw [rad], gripper. The gripper becomes 0 or 1."""
    raw = np.asarray(raw, dtype=np.float64)
    return Actions(np.concatenate([raw[:, :3], rotation_vectors(raw[:, 3:6])], axis=1), opening(raw[:, 6]))


def state(observation: Observation) -> np.ndarray:
    """Bridge's proprio, float64[7]: x y z [m] of the gripper link in the base frame, roll pitch yaw [rad] away from
    pointing down, gripper opening 0 closed .. 1 open."""
    rotation = observation.ee.rotation()
    position = observation.ee.position - rotation.apply([TCP_BEYOND_GRIPPER_LINK, 0.0, 0.0])
    euler = (rotation * Rotation.from_matrix(TOP_DOWN).inv()).as_euler("xyz")
    return np.concatenate([position, euler, [observation.gripper.opening]])


def scaled_state(observation: Observation) -> np.ndarray:
    """`state` scaled to [-1, 1] by the dataset's percentiles and clipped, float64[7]: what a pi0 is given."""
    return to_bounds(state(observation), PROPRIO)
