"""The JSON records of the lockstep handshake (docs/ros-graph.md), and how failures travel through topics.

Every request carries an id that its asker made up and every answer repeats it, so that nothing said in an earlier
run, or to somebody else, is ever taken for an answer.
"""

from __future__ import annotations

from typing import Literal, TypeVar

from std_msgs.msg import String

from touchstone import errors
from touchstone.data import json_messages
from touchstone.errors import TouchstoneError
from touchstone.facts import Event, Facts, Record
from touchstone.policy import PolicyContract
from touchstone.spec import Brief, Spec
from touchstone.world import WorldOffer

RecordType = TypeVar("RecordType", bound=Record)


class Failure(Record):
    """An error on its way to the process that must raise it. kind: a class of `touchstone.errors`."""

    kind: str
    sentence: str
    exit_code: int


class WorldReset(Record):
    """/episode/spec: bring the scene and the arm to the spec's start."""

    request: str
    spec: Spec


class Advance(Record):
    """/episode/advance: let the clock of `episode` run to `until_ns`.

    command: `chunk` = execute the chunk that answers observation `answers`; `hold` = drop the chunk and hold;
    `keep` = go on with what is being executed.
    """

    request: str
    episode: str
    until_ns: int
    command: Literal["chunk", "hold", "keep"]
    answers: int | None = None


class CameraEntry(Record):
    """One picture of an observation: its topics, and what no stock message carries. base_from_camera: 7 numbers.

    header_stamp_ns: of the picture's messages; None when it is the observation's own.
    """

    image: str
    camera_info: str
    base_from_camera: tuple[float, ...]
    stamp_ns: int
    clock: str
    stale: bool
    header_stamp_ns: int | None = None


class FrameNote(Record):
    """/camera/NAME/frame: that a picture came, for who only needs to know that.

    number: counts up. header_stamp_ns: of the picture's messages; stamp_ns: when it was captured, on `clock`.
    stale: it repeats an earlier one. image, camera_info: its topics.
    """

    number: int
    header_stamp_ns: int
    stamp_ns: int
    clock: str
    stale: bool
    image: str
    camera_info: str


class ObservationIndex(Record):
    """/world/observation: ties the messages of one observation together.

    request: the reset or advance that led to it. header_stamp_ns: header.stamp of all its messages but of pictures that
    have a stamp of their own; it never goes back, `stamp_ns` may start anew with each episode. joints: the names in
    /joint_states that are the arm's, in order.
    """

    request: str
    header_stamp_ns: int
    observation: int
    episode: str
    step: int
    stamp_ns: int
    clock: str
    instruction: str
    temperatures: tuple[float, ...]
    joints: tuple[str, ...]
    gripper_force: float | None
    cameras: dict[str, CameraEntry]


class TickFacts(Record):
    """/world/facts: the raw facts of a tick; the answer to a reset or an advance."""

    request: str
    header_stamp_ns: int
    facts: Facts


class TickEvents(Record):
    """/world/events: what happened since the tick before."""

    request: str
    header_stamp_ns: int
    events: tuple[Event, ...]


class PolicyReset(Record):
    """/episode/reset: a new episode begins for the policy."""

    request: str
    brief: Brief


class PolicyRequest(Record):
    """/policy/request: answer this observation within the budget."""

    request: str
    observation: int
    budget_ms: float


class Status(Record):
    """/world/status and /policy/status: `request` was carried out, or `failure` says why not."""

    request: str
    failure: Failure | None = None


class ChunkInfo(Record):
    """/policy/chunk_info: what a trajectory message does not carry of a chunk.

    header_stamp_ns: header.stamp of the trajectory it belongs to, which is on `topic`. gripper: 0..1, one a point.
    rotation_vectors: [rad], three a point, for delta kinds alone: a quaternion does not give them back bit by bit.
    """

    request: str
    header_stamp_ns: int
    topic: str
    answers: int
    t0_ns: int
    dt: float
    kind: str
    gripper: tuple[float, ...]
    rotation_vectors: tuple[tuple[float, float, float], ...] | None = None
    gripper_force: float | None = None
    terminate: bool = False
    queue_ms: float = 0.0
    infer_ms: float = 0.0
    total_ms: float = 0.0


_KINDS: dict[type[Record], str] = {
    WorldReset: "reset",
    Advance: "advance",
    ObservationIndex: "observation",
    FrameNote: "frame",
    TickFacts: "facts",
    TickEvents: "events",
    PolicyReset: "policy_reset",
    PolicyRequest: "policy_request",
    Status: "status",
    ChunkInfo: "chunk_info",
    WorldOffer: "offer",
    PolicyContract: "contract",
}


def to_string(record: Record) -> String:
    """The versioned JSON message of a record."""
    return String(data=json_messages.encode(_KINDS[type(record)], record))


def from_string(message: String, record: type[RecordType]) -> RecordType:
    """The record in a message. Raises TouchstoneError if it holds another kind, another schema, or a wrong field."""
    return json_messages.decode_record(_KINDS[record], message.data, record)


def failure_of(error: TouchstoneError) -> Failure:
    return Failure(kind=type(error).__name__, sentence=str(error), exit_code=error.exit_code)


def error_of(failure: Failure) -> TouchstoneError:
    """The error to raise where the answer is awaited; of the same class if Touchstone has it."""
    kind = getattr(errors, failure.kind, None)
    if not (isinstance(kind, type) and issubclass(kind, TouchstoneError)):
        kind = TouchstoneError
    error = kind(failure.sentence)
    error.exit_code = failure.exit_code
    return error
