"""Raw facts and events: what happened, with where each value came from. Verdicts are computed from these alone."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Source = Literal["sim", "measured", "detected", "operator"]


class Record(BaseModel):
    """A versioned, immutable record that travels as JSON (journal, wire, ROS strings)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(Record):
    """One value. `value` is None when unknown; units and layout are those of the field that holds it."""

    value: Any = None
    source: Source
    frame: str | None = None
    sigma: float | None = None


class Facts(Record):
    """The facts of one tick.

    stamp_ns: time of the values on the world's clock.
    tcp, tcp_commanded: pose of the TCP, 7 numbers, x y z [m] w x y z, in the base frame.
    joints: arm joint positions [rad], in the arm's joint order.
    opening, opening_commanded: gripper, 0 closed .. 1 open.
    objects: pose of each named object, 7 numbers as above; a card's (`card_0`, ...) is that of its top face's centre,
    x towards the glyph's top; a cube's is that of its middle.
    joint_velocities: of the arm's joints [rad/s], in the arm's order.
    finger_forces: of the objects that can be grasped, the contact force [N] of the left and of the right finger on
    the object, 6 numbers, frame `tcp` (y: the axis along which the fingers open, left finger on its positive side).
    centres: of the objects whose rule asks for it, the centre of mass, x y z [m], base frame.
    contacts: of the same objects, the magnitude [N] of the summed force of every other body that touches it, by name
    (`table`, other objects; never the arm), in the last physics step.
    """

    step: int
    stamp_ns: int
    tcp: Fact
    tcp_commanded: Fact
    joints: Fact
    opening: Fact
    opening_commanded: Fact
    objects: dict[str, Fact] = Field(default_factory=dict)
    joint_velocities: Fact | None = None
    finger_forces: dict[str, Fact] = Field(default_factory=dict)
    centres: dict[str, Fact] = Field(default_factory=dict)
    contacts: dict[str, Fact] = Field(default_factory=dict)


class Event(Record):
    """Something that happened at one moment.

    kind: `close_commanded`, `ik_failure`, `action_rejected`, `action_expired`, `hold`, `intervention`, ...
    detail: one sentence for people.
    """

    stamp_ns: int
    step: int
    kind: str
    detail: str = ""
