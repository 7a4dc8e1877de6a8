"""What a server's keys and numbers mean: one record, read from YAML, for all dialects.

A record is found by name (`mappings/DIALECT/NAME.yaml`, the built-ins) or by path (`my.yaml`).
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from policy_server.dialects.parts import known_part
from policy_server.wire import first_complaint
from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.policy import ActionKind, CameraNeed, PolicyContract

DEFAULT = "touchstone"
RotationFormat = Literal["rotation_vector", "euler_xyz", "quaternion_wxyz", "quaternion_xyzw"]
ROTATION_WIDTH: dict[str, int] = {"rotation_vector": 3, "euler_xyz": 3, "quaternion_wxyz": 4, "quaternion_xyzw": 4}


class ImageSlot(Record):
    """One picture: uint8[height,width,3] RGB under `key`. camera: ours; None sends a black one, for a camera that the
    server insists on and the world does not have. resize: as in `CameraNeed`."""

    key: str
    camera: str | None = "scene"
    width: int = Field(gt=0, le=4096)
    height: int = Field(gt=0, le=4096)
    resize: Literal["none", "stretch", "pad", "crop"] = "pad"


class StateSlot(Record):
    """One vector: the `parts` (see `dialects/parts.py`), one after the other, under `key`."""

    key: str
    parts: tuple[str, ...] = Field(min_length=1)
    dtype: Literal["float32", "float64"] = "float32"

    @model_validator(mode="after")
    def _parts_exist(self) -> StateSlot:
        for part in self.parts:
            known_part(part)
        return self


class Rotation(Record):
    """Columns of a rotation. euler_xyz: roll, pitch, yaw [rad] about the fixed axes x, then y, then z.
    scale: radians for one unit; quaternions are taken as they are."""

    columns: tuple[int, ...]
    format: RotationFormat = "rotation_vector"
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _enough_columns(self) -> Rotation:
        if len(self.columns) != ROTATION_WIDTH[self.format]:
            raise ValueError(f"a {self.format} has {ROTATION_WIDTH[self.format]} columns, not {len(self.columns)}")
        return self


class Gripper(Record):
    """The gripper's column: what a server puts there when it is `closed` and when it is `open`.

    A number between becomes an opening 0..1. decide: `exact` leaves it (and the arm refuses what is not 0..1), `clip`
    cuts it to 0..1, `threshold` makes it open over 0.5 and closed otherwise.
    """

    column: int
    closed: float = Field(allow_inf_nan=False)
    open: float = Field(allow_inf_nan=False)
    decide: Literal["exact", "clip", "threshold"] = "exact"


class ActionColumns(Record):
    """How one row of a server's answer is read. keys: the arrays, whose columns are put side by side; width: of all.

    position: columns [position_scale metres a unit]. joints: columns [joint_scale radians a unit]. rotation: None = the
    server turns nothing (delta kinds).
    """

    keys: tuple[str, ...] = ("actions",)
    width: int = Field(gt=0, le=64)
    kind: ActionKind
    position: tuple[int, int, int] | None = None
    position_scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    rotation: Rotation | None = None
    joints: tuple[int, ...] = ()
    joint_scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    gripper: Gripper

    @model_validator(mode="after")
    def _columns_fit_the_kind(self) -> ActionColumns:
        by_joint = self.kind in ("joint_abs", "joint_delta")
        if by_joint != bool(self.joints) or by_joint != (self.position is None) or (by_joint and self.rotation):
            wanted = "joints, and neither position nor rotation" if by_joint else "position, and no joints"
            raise ValueError(f"'{self.kind}' actions need columns for {wanted}")
        if self.kind == "ee_abs" and self.rotation is None:
            raise ValueError("'ee_abs' actions need columns for a rotation")
        used = [*(self.position or ()), *(self.rotation.columns if self.rotation else ()), *self.joints]
        used.append(self.gripper.column)
        if len(set(used)) != len(used) or min(used) < 0 or max(used) >= self.width:
            raise ValueError(f"columns {sorted(used)} must differ and lie in 0..{self.width - 1}")
        if self.gripper.closed == self.gripper.open:
            raise ValueError("the gripper's closed and open must differ")
        return self


class Mapping(Record):
    """One server's contract, in its own keys.

    source: where the facts come from. prompt_key, prompt_template: the instruction. chunk_length: most rows of an
    answer; execute: how many of them are carried out. rate_hz: what the model was made for, None = any; embodiments: as
    in `PolicyContract`. budget_s: longest wait for an answer; first_budget_s: for the first one, which may compile.
    nested (GR00T): N1.6's observation by modality; false = N1.5's flat one.
    task, camera_preset (serving only): what the policy is told of its task, and whose calibration its camera has.
    """

    source: str = ""
    images: tuple[ImageSlot, ...] = ()
    state: tuple[StateSlot, ...] = ()
    prompt_key: str = "prompt"
    prompt_template: str = "{instruction}"
    actions: ActionColumns
    chunk_length: int = Field(ge=1, le=1000)
    execute: int = Field(ge=1)
    rate_hz: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    embodiments: tuple[str, ...] = ()
    budget_s: float = Field(default=10.0, gt=0, le=3600)
    first_budget_s: float = Field(default=120.0, gt=0, le=3600)
    nested: bool = True
    task: str = "openpi"
    camera_preset: str | None = None

    @model_validator(mode="after")
    def _is_coherent(self) -> Mapping:
        if self.execute > self.chunk_length:
            raise ValueError(f"execute is {self.execute} of a chunk_length of {self.chunk_length}")
        if self.prompt_template.count("{instruction}") != 1:
            raise ValueError("prompt_template must hold {instruction} once")
        keys = [slot.key for slot in (*self.images, *self.state)] + [self.prompt_key]
        if len(set(keys)) != len(keys):
            raise ValueError("two entries have the same key")
        return self

    def contract(self, dialect: str, name: str, chunk_length: int | None = None) -> PolicyContract:
        """What the policy behind this mapping declares. The version is a digest of the mapping."""
        rotation = self.actions.rotation
        quaternion = rotation is not None and rotation.format.startswith("quaternion")
        return PolicyContract(
            name=f"{dialect}:{name}",
            version=hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12],
            cameras=tuple(
                CameraNeed(name=slot.camera, width=slot.width, height=slot.height, resize=slot.resize)
                for slot in self.images
                if slot.camera is not None
            ),
            state=tuple(dict.fromkeys(part for slot in self.state for part in slot.parts)),
            action_kind=self.actions.kind,
            rotation_format="none" if rotation is None else "quaternion_wxyz" if quaternion else "rotation_vector",
            gripper_polarity=(
                "open_is_one" if self.actions.gripper.open > self.actions.gripper.closed else "close_is_one"
            ),
            prompt_template=self.prompt_template,
            rate_hz=self.rate_hz,
            chunk_length=self.chunk_length if chunk_length is None else chunk_length,
            execute=self.execute,
            embodiments=self.embodiments,
        )


def names(dialect: str) -> list[str]:
    """The built-in mappings of a dialect, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _home(dialect).iterdir())


def load_mapping(dialect: str, name: str, changes: dict | None = None) -> Mapping:
    """The mapping called `name`, or in the file `name` if it ends in .yaml or .yml.

    changes: fields to set otherwise. Raises UsageError, in one sentence, for what is not there or wrong.
    """
    if name.endswith((".yaml", ".yml")):
        try:
            text = Path(name).read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"Cannot read mapping {name}: {why}; docs/dialects.md says how to write one.") from error
    elif name in names(dialect):
        text = (_home(dialect) / f"{name}.yaml").read_text()
    else:
        raise UsageError(
            f"Unknown {dialect} mapping '{name}'; choose one of: {', '.join(names(dialect))}, or name a YAML file of "
            "your own."
        )
    try:
        fields = yaml.safe_load(text)
        if not isinstance(fields, dict):
            raise UsageError(f"Mapping {name} is no YAML map; docs/dialects.md says how to write one.")
        return Mapping.model_validate(fields | (changes or {}))
    except yaml.YAMLError as error:
        raise UsageError(f"Mapping {name} is not YAML: {str(error).splitlines()[0]}.") from error
    except (ValidationError, RecursionError) as error:
        raise UsageError(f"Mapping {name} is wrong: {first_complaint(error)}; see docs/dialects.md.") from error


def _home(dialect: str):
    return files("policy_server.dialects") / "mappings" / dialect
