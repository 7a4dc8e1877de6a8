"""What a header's body holds, field by field; pictures travel as array frames and are named here.

These records mirror `touchstone.world` and `touchstone.policy`; `policy_server.codec` converts.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from touchstone.facts import Facts, Record
from touchstone.policy import ActionKind
from touchstone.spec import Brief, Spec

Floats = list[float]
Pose7 = Annotated[list[float], Meta(min_length=7, max_length=7)]
Stamp = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Types must be exact; nothing is coerced."""


class CameraBody(Body):
    """image, depth: names of arrays. K: nine numbers by rows. The rest: `CameraFrame` and `CameraModel`."""

    image: str
    stamp_ns: Stamp
    clock: str
    stale: bool
    depth: str | None
    depth_scale: float | None
    width: int
    height: int
    K: Annotated[list[float], Meta(min_length=9, max_length=9)]
    distortion: Annotated[list[float], Meta(max_length=14)]
    base_from_camera: Pose7


class PrivilegedBody(Record):
    """Not a Body: these records are pydantic's, and hold tuples, which msgpack gives back as lists."""

    spec: Spec
    facts: Facts


class ObservationBody(Body):
    """As `Observation`; history holds the same, oldest first."""

    id: Stamp
    episode: str
    step: int
    stamp_ns: Stamp
    clock: str
    cameras: dict[str, CameraBody]
    joint_names: list[str]
    joint_position: Floats
    joint_velocity: Floats
    joint_effort: Floats
    ee: Pose7
    ee_commanded: Pose7
    opening: float
    width: float
    force: float | None
    instruction: str
    temperatures: Floats
    history: list[ObservationBody]
    privileged: dict | None


class ChunkBody(Body):
    """As `Chunk`, whose actions and gripper are the arrays `actions` and `gripper`."""

    answers: Stamp
    t0_ns: Stamp
    dt: float
    kind: ActionKind
    frame: str
    gripper_force: float | None
    terminate: bool


class TimingBody(Body):
    """Milliseconds on the server: waiting in its queue, in the policy, and from arrival to answer."""

    queue_ms: float
    infer_ms: float
    total_ms: float


class PriorBody(Body):
    """As `Prior`, whose actions and gripper are the arrays `prior/actions` and `prior/gripper`."""

    frozen: Annotated[int, Meta(ge=0)]


class InferRequest(Body):
    observation: ObservationBody
    prior: PriorBody | None = None


class CancelRequest(Body):
    """request: the id of the inference that nobody waits for any more."""

    request: int


class NameRequest(Body):
    """name: of a policy that the server was started with."""

    name: str


class InferReply(Body):
    chunk: ChunkBody
    timing: TimingBody


class ResetRequest(Record):
    brief: Brief


class HelloReply(Body):
    """contract: a `PolicyContract` as JSON, `digest` equal for equal ones. server: its Touchstone version."""

    contract: dict[str, Any]
    digest: str
    server: str


class ResetReply(Body):
    digest: str


class MemoryRequest(Body):
    """slot_bytes: what each slot must hold."""

    slot_bytes: Annotated[int, Meta(gt=0)]


class HealthReply(Body):
    """state: `loading`, `ready`, `draining` or `failed`; sentence: why. busy: the policy works.

    queued: requests that wait. sessions: with a seat. answered, refused: since the server started.
    """

    policy: str
    state: str
    sentence: str
    busy: bool
    queued: int
    sessions: int
    answered: int
    refused: int
    uptime_s: float


class PolicyState(Body):
    """state: `absent`, `loading`, `ready` or `failed`; for how long. sentence: why it failed."""

    name: str
    state: str
    for_s: float
    current: bool
    sentence: str


class ListReply(Body):
    policies: list[PolicyState]


class MetricsReply(Body):
    """text: in Prometheus' format."""

    text: str


class ErrorReply(Body):
    """sentence: what went wrong, for people."""

    sentence: str
