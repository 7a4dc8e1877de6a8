"""`calibration.yaml`: what was measured on one bench. Drivers, tasks and twin read the same file.

Frames as in REP-103; poses are 7 numbers, x y z [m] w x y z. The nominal calibration describes the ideal bench.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from touchstone.bench import TABLE_Z
from touchstone.cameras import DEFAULT_PRESET, CameraModel, is_preset, preset
from touchstone.errors import UsageError
from touchstone.facts import Record


class Measured(Record):
    """Where a calibrated part came from: ISO date, method, RMS residual (pixels for cameras, metres for poses), and
    the sha256 of the data it was computed from. All None for the nominal bench."""

    date: str | None = None
    method: str = "nominal"
    residual: float | None = None
    data_sha256: str | None = None


class CameraCalibration(Record):
    """One camera. K: 9 numbers, row by row [px]. distortion: OpenCV k1 k2 p1 p2 k3. base_from_camera: the OpenCV
    optical frame in the arm's base frame. latency_s: from exposure to arrival."""

    width: int
    height: int
    K: tuple[float, ...] = Field(min_length=9, max_length=9)
    distortion: tuple[float, ...] = Field(min_length=5, max_length=5)
    base_from_camera: tuple[float, ...] = Field(min_length=7, max_length=7)
    latency_s: float = 0.0
    measured: Measured = Measured()

    def model(self) -> CameraModel:
        return CameraModel.from_json(self.model_dump(include=set(CameraModel.__dataclass_fields__)))


class Calibration(Record):
    """One bench.

    base_from_table: pose of the table top's frame (z up) in the base frame. tcp_offset: correction of the
    TCP to the arm's nominal one, in the TCP frame. joint_offsets [rad]: added to what the encoders say.
    command_latency_s: from set-point to motion. gains: stiffness and damping by joint, empty = the arm's nominal ones.
    """

    schema_version: int = 1
    robot: str
    cameras: dict[str, CameraCalibration]
    base_from_table: tuple[float, ...] = (0.0, 0.0, TABLE_Z, 1.0, 0.0, 0.0, 0.0)
    tcp_offset: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    joint_offsets: tuple[float, ...] = ()
    command_latency_s: float = 0.0
    gains: dict[str, tuple[float, float]] = Field(default_factory=dict)
    measured: Measured = Measured()


def nominal(robot: str, camera: str = DEFAULT_PRESET) -> Calibration:
    """The ideal bench, seen by a camera preset. Raises UsageError for an unknown preset."""
    model = preset(camera)
    return Calibration(robot=robot, cameras={"scene": CameraCalibration(**model.to_json())})


def load(path: Path) -> Calibration:
    """Reads a `calibration.yaml`. Raises UsageError, naming the first thing that is wrong."""
    try:
        return Calibration.model_validate(yaml.safe_load(path.read_text()))
    except OSError as error:
        raise UsageError(
            f"Cannot read calibration {path}: {error.strerror}; give the path of a calibration.yaml."
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {str(error).splitlines()[0]}; give a calibration.yaml.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(f"{path} is not a calibration: {where}: {first['msg']}; correct it.") from error


def save(calibration: Calibration, path: Path) -> None:
    """Writes a `calibration.yaml` that `load` reads back equal."""
    path.write_text(yaml.safe_dump(calibration.model_dump(mode="json"), sort_keys=False))


def digest(calibration: Calibration) -> str:
    """First 12 hex digits of the sha256 of its content; journalled with every session."""
    return hashlib.sha256(calibration.model_dump_json().encode()).hexdigest()[:12]


def for_camera(camera: str, robot: str) -> Calibration:
    """The calibration that a spec's `camera` names: a preset, or the path of a `calibration.yaml` of this robot."""
    if is_preset(camera):
        return nominal(robot, camera)
    if not camera.endswith((".yaml", ".yml")):
        preset(camera)
    calibration = load(Path(camera))
    if calibration.robot != robot:
        raise UsageError(
            f"{camera} is the calibration of a {calibration.robot}, not of a {robot}; choose another file."
        )
    if "scene" not in calibration.cameras:
        raise UsageError(f"{camera} has no camera called 'scene'; calibrate it or rename one.")
    return calibration
