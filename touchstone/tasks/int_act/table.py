"""What a row of the suite's table may say: rules, layouts and tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from touchstone.facts import Record

XY = tuple[float, float]
Quaternion = tuple[float, float, float, float]


class Rule(Record):
    """When the source counts as placed; `rules.py` and `strict.py` apply it.

    name: of the rule in the table. xy, z: slack of the distances sideways and upwards [m]. only_target: the source may
    touch nothing but target and robot. inside: lying in the target counts too, without contact rule and at any depth.
    negated: it must *not* be on the target. beside: what it may also touch by the strict rule. marks: objects whose
    touch counts as the target's by the strict rule, because the target only marks a place on them.
    """

    name: str = ""
    xy: float = Field(ge=0)
    z: float = Field(ge=0)
    only_target: bool
    inside: bool = False
    negated: bool = False
    beside: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


class Square(Record):
    """Four places for objects: centre and half of the edge [m]."""

    centre: XY
    half: float = Field(gt=0)

    @property
    def corners(self) -> tuple[XY, ...]:
        """(- -), (- +), (+ -), (+ +)."""
        x, y = self.centre
        return tuple((x + a * self.half, y + b * self.half) for a in (-1, 1) for b in (-1, 1))


class Grid(Record):
    """Places in rows: every x with every y [m], x first."""

    x: tuple[float, ...] = Field(min_length=1)
    y: tuple[float, ...] = Field(min_length=1)


class Places(Record):
    """Every place of the source with the one of the target [m]."""

    source: Grid
    target: XY


class Fixture(Record):
    """An object that stands locked, unturned, at a position [m] of the suite's world frame."""

    object: str
    position: tuple[float, float, float]


class Layout(Record):
    """Where things may lie. scene: which one. steps: control steps of an episode. distractors: how many there are.

    squares: source and target take every ordered pair of corners, square after square; or places.
    """

    name: str = ""
    scene: Literal["table", "sink"]
    steps: int = Field(gt=0)
    distractors: int = Field(ge=0, le=2)
    squares: tuple[Square, ...] = ()
    places: Places | None = None
    fixture: Fixture | None = None

    @model_validator(mode="after")
    def _either_squares_or_places(self) -> Layout:
        if bool(self.squares) == (self.places is not None):
            raise ValueError("it needs either squares or places")
        if self.places is not None and self.distractors:
            raise ValueError("distractors need squares")
        return self


class Roles(Record):
    """Which objects take part."""

    source: str
    target: str
    distractors: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Source, target, distractors: the order of placements and turns."""
        return (self.source, self.target, *self.distractors)


class TaskRow(Record):
    """One task as the table has it; words stand for layouts, turns and rules."""

    id: str
    subcategory: str
    instruction: str = Field(min_length=1)
    objects: Roles
    layout: str
    turns: tuple[tuple[str, ...], ...] = Field(min_length=1)
    rule: str
    base: str
    counted: bool = True


class SuiteTable(Record):
    """The whole file. families: subcategories by family. turns: quaternions wxyz by name."""

    families: dict[str, tuple[str, ...]]
    turns: dict[str, Quaternion]
    layouts: dict[str, Layout]
    rules: dict[str, Rule]
    tasks: tuple[TaskRow, ...] = Field(min_length=1)

    @field_validator("turns")
    @classmethod
    def _of_unit_length(cls, turns: dict[str, Quaternion]) -> dict[str, Quaternion]:
        for name, turn in turns.items():
            if abs(sum(part * part for part in turn) - 1) > 1e-5:
                raise ValueError(f"'{name}' is no unit quaternion")
        return turns
