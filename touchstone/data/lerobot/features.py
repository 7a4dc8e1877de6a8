"""What a frame of a dataset holds, and how `info.json` and the parquet files say it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from touchstone.data.lerobot import film
from touchstone.errors import UsageError

#: columns that every v3 dataset has after its own features: name -> dtype
INDEX_COLUMNS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
_KEY = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")


@dataclass(frozen=True)
class Vector:
    """A float32 vector with one name for each element."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if not self.names:
            raise UsageError("A vector feature needs at least one named element; name what it holds.")


@dataclass(frozen=True)
class Picture:
    """An RGB film, uint8[height, width, 3] a frame; both sides even, since colour is stored at half resolution."""

    height: int
    width: int

    def __post_init__(self) -> None:
        for side in (self.height, self.width):
            if side < 2 or side % 2:
                raise UsageError(
                    f"A picture of {self.width}x{self.height} cannot be filmed; give it even sides of 2 or more."
                )


Features = dict[str, Vector | Picture]


def vectors(features: Features) -> dict[str, Vector]:
    return {key: kind for key, kind in features.items() if isinstance(kind, Vector)}


def pictures(features: Features) -> dict[str, Picture]:
    return {key: kind for key, kind in features.items() if isinstance(kind, Picture)}


def check_names(features: Features) -> None:
    """Raises UsageError for a name that cannot be a column, a folder and a dotted key at once, or that is taken."""
    if not vectors(features):
        raise UsageError("A dataset needs at least one vector feature, such as action; declare one.")
    for key in features:
        if not _KEY.fullmatch(key) or key in INDEX_COLUMNS or key == "task":
            raise UsageError(
                f"{key!r} cannot be the name of a feature; use words of letters, digits and _ joined by dots."
            )


def to_info(features: Features, fps: int) -> dict[str, Any]:
    """The `features` of info.json."""
    out = {key: _describe(kind, fps) for key, kind in features.items()}
    for key, dtype in INDEX_COLUMNS.items():
        out[key] = {"dtype": dtype, "shape": [1], "names": None}
    return out


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two `features` of info.json hold the same things in the same order; how a film is coded is let be."""

    def core(described):
        return [(key, *(value.get(part) for part in ("dtype", "shape", "names"))) for key, value in described.items()]

    return core(one) == core(other)


def data_schema(features: Features) -> pa.Schema:
    """The columns of a data file, with the description that Hugging Face `datasets` reads."""
    fields, described = [], {}
    for key, vector in vectors(features).items():
        size, value = len(vector.names), {"dtype": "float32", "_type": "Value"}
        if size == 1:
            # a feature of shape (1,) is a plain column in LeRobot
            fields.append(pa.field(key, pa.float32()))
            described[key] = value
        else:
            fields.append(pa.field(key, pa.list_(pa.float32(), size)))
            described[key] = {"feature": value, "length": size, "_type": "List"}
    for key, dtype in INDEX_COLUMNS.items():
        fields.append(pa.field(key, pa.type_for_alias(dtype)))
        described[key] = {"dtype": dtype, "_type": "Value"}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": described}})})


def _describe(kind: Vector | Picture, fps: int) -> dict[str, Any]:
    if isinstance(kind, Vector):
        return {"dtype": "float32", "shape": [len(kind.names)], "names": list(kind.names)}
    return {
        "dtype": "video",
        "shape": [kind.height, kind.width, 3],
        "names": ["height", "width", "channels"],
        "info": film.describe(kind.height, kind.width, fps),
    }
