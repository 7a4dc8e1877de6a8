"""The things that INT-ACT puts on the table: sizes and densities, by our names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from pydantic import Field, model_validator

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.tasks.int_act.reading import malformed, read_table

OBJECTS_FILE = Path(__file__).with_name("objects.yaml")
#: of every object: static and dynamic friction, restitution, linear and angular damping [1/s]
FRICTION = 0.5
RESTITUTION = 0.0
DAMPING = 0.1
#: names that facts use for what is no object: the table top, and all links of the arm
TABLE = "table"
ROBOT = "robot"

Triple = tuple[float, float, float]


class ObjectKind(Record):
    """One object.

    low, high: corners of its bounding box [m] in its own frame, before `scale`. density: [kg/m^3]. round: seen from
    above it is a disc. official: its name in the authors' assets.
    """

    name: str
    label: str
    official: str
    low: Triple
    high: Triple
    scale: float = Field(gt=0)
    density: float = Field(gt=0)
    round: bool = False

    @model_validator(mode="after")
    def _has_a_size(self) -> ObjectKind:
        if not np.all(np.array(self.low) < self.high):
            raise ValueError("low must lie below high on every axis")
        return self

    @property
    def bounds(self) -> np.ndarray:
        """float64[2,3]: low and high corner [m], scaled."""
        return np.array([self.low, self.high]) * self.scale

    @property
    def size(self) -> np.ndarray:
        """float64[3]: edges of the bounding box [m], scaled, along the object's own axes."""
        return self.bounds[1] - self.bounds[0]


class _ObjectTable(Record):
    objects: tuple[ObjectKind, ...]


@lru_cache(maxsize=1)
def objects() -> dict[str, ObjectKind]:
    """Every object by name."""
    return load_objects(OBJECTS_FILE)


def load_objects(path: Path) -> dict[str, ObjectKind]:
    """The objects of a table. Raises UsageError for a malformed one."""
    found: dict[str, ObjectKind] = {}
    for kind in read_table(path, _ObjectTable).objects:
        if kind.name in (*found, TABLE, ROBOT):
            raise malformed(path, f"objects.{kind.name}", "the name is taken")
        found[kind.name] = kind
    return found


def object_kind(name: str) -> ObjectKind:
    """One object. Raises UsageError for an unknown name."""
    if name not in objects():
        raise UsageError(f"INT-ACT has no object '{name}'; it has: {', '.join(objects())}.")
    return objects()[name]
