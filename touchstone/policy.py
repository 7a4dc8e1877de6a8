"""The contract of a policy: what it needs, what it answers, and the check that a world fits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from touchstone.errors import ContractMismatch
from touchstone.facts import Record
from touchstone.spec import Brief
from touchstone.world import Observation, WorldOffer

ActionKind = Literal["target_delta", "align2", "ee_abs", "joint_abs", "joint_delta"]

#: numbers in one action besides the gripper; None = as many as the arm has joints
ACTION_WIDTH: dict[str, int | None] = {
    "target_delta": 6,  # dx dy dz [m], rotation vector [rad]; T_k = d(T_{k-1} commanded), base axes
    "align2": 6,  # the same numbers; T_k = Tr(c) D Tr(-c) T_{k-1}, c = the measured EE point
    "ee_abs": 7,  # x y z [m] w x y z: the TCP in the base frame
    "joint_abs": None,  # [rad]
    "joint_delta": None,  # [rad], on the previous commanded joints
}


@dataclass(frozen=True)
class Timing:
    """Milliseconds on the side that measured them: waiting in the queue, inferring, and the whole round trip."""

    queue_ms: float = 0.0
    infer_ms: float = 0.0
    total_ms: float = 0.0


@dataclass(frozen=True)
class Chunk:
    """Actions due at `t0_ns + k * dt`.

    answers: id of the observation. t0_ns: capture stamp of that observation, on its clock. dt: seconds.
    actions: float64[N,D], D by ACTION_WIDTH. gripper: float64[N], 0 closed .. 1 open.
    gripper_force: [N] or None. terminate: the policy says that the task is done after this chunk.
    """

    answers: int
    t0_ns: int
    dt: float
    kind: ActionKind
    actions: np.ndarray
    gripper: np.ndarray
    frame: str = "base"
    gripper_force: float | None = None
    terminate: bool = False
    timing: Timing = field(default_factory=Timing)

    @property
    def length(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class Prior:
    """What is being carried out while a policy thinks, for policies that fill in the rest (real-time chunking).

    actions: float64[M,D], gripper: float64[M]: the earlier chunk's elements from the asked observation's stamp on, in
    the policy's own action kind. frozen: how many of them will have been carried out before the answer can come.
    """

    actions: np.ndarray
    gripper: np.ndarray
    frozen: int


class CameraNeed(Record):
    """One picture that a policy wants. `resize` says what is done to fit: `none` refuses another size."""

    name: str
    width: int
    height: int
    resize: Literal["none", "stretch", "pad", "crop"] = "none"
    calibrated: bool = False


class PolicyContract(Record):
    """What a policy declares, once, before it sees anything.

    execute: how many actions of a chunk are carried out before the next inference.
    batch: the most observations that `infer_batch` takes at once; 1 = the policy has no such method.
    inpaints: `infer` takes a `prior`.
    rate_hz: the control rate it was made for; None = any. embodiments: arms it can drive; empty = any.
    needs_privileged: it looks at what only a simulator knows. gripper: always 0 closed .. 1 open on the wire;
    `gripper_polarity` says what the model itself uses, for the record.
    """

    name: str
    version: str
    cameras: tuple[CameraNeed, ...] = ()
    state: tuple[str, ...] = ("ee", "ee_commanded", "gripper")
    history: int = 1
    action_kind: ActionKind = "target_delta"
    rotation_format: Literal["rotation_vector", "quaternion_wxyz", "none"] = "rotation_vector"
    gripper_polarity: Literal["open_is_one", "close_is_one"] = "open_is_one"
    normalisation_key: str | None = None
    prompt_template: str = "{instruction}"
    rate_hz: float | None = None
    chunk_length: int = 1
    execute: int = 1
    batch: int = 1
    inpaints: bool = False
    noise_seed: int | None = None
    embodiments: tuple[str, ...] = ()
    needs_privileged: bool = False


class Policy(Protocol):
    """Two methods and a declaration. Implementations keep per-episode state between `reset` and the next `reset`."""

    contract: PolicyContract

    def infer(self, observation: Observation) -> Chunk:
        """The chunk that answers this observation."""

    def reset(self, brief: Brief) -> None:
        """A new episode begins."""


@runtime_checkable
class SharedPolicy(Policy, Protocol):
    """Serves several clients at once from the same weights."""

    def session(self) -> Policy:
        """A policy of its own for one more client: the same weights, a per-episode state of its own."""


class BatchPolicy(SharedPolicy, Protocol):
    """Answers several clients in one go; its contract's `batch` is over 1."""

    def infer_batch(self, sessions: Sequence[Policy], observations: Sequence[Observation]) -> Sequence[Chunk]:
        """One chunk for each observation. sessions: what `session` gave, one for each observation, no two equal."""


class InpaintingPolicy(Policy, Protocol):
    """Joins its chunk to the one that is being carried out; its contract says `inpaints`."""

    def infer(self, observation: Observation, prior: Prior | None = None) -> Chunk:
        """The chunk that answers this observation and continues `prior`, if there is one."""


def check_fit(contract: PolicyContract, offer: WorldOffer, rate_hz: float) -> None:
    """Raises ContractMismatch, in one sentence, if the policy cannot run in a world that offers `offer`."""

    def refuse(what: str, do: str) -> None:
        raise ContractMismatch(f"Policy '{contract.name}' does not fit this world: {what}; {do}.")

    if contract.embodiments and offer.robot not in contract.embodiments:
        refuse(f"it drives {', '.join(contract.embodiments)}, not {offer.robot}", "choose another robot or policy")
    if contract.action_kind not in offer.action_kinds:
        refuse(
            f"the {offer.robot} world takes no '{contract.action_kind}' actions", f"use {', '.join(offer.action_kinds)}"
        )
    if contract.needs_privileged and not offer.privileged:
        refuse(
            "it needs privileged simulator facts that this world does not have", "use a policy that works from pixels"
        )
    if contract.rate_hz is not None and abs(contract.rate_hz - rate_hz) > 1e-6:
        refuse(f"it was made for {contract.rate_hz:g} Hz and the task runs at {rate_hz:g} Hz", "match the two")
    if not 1 <= contract.execute <= contract.chunk_length:
        refuse(
            f"it executes {contract.execute} of a chunk of {contract.chunk_length}",
            "declare 1 <= execute <= chunk_length",
        )
    for need in contract.cameras:
        size = offer.cameras.get(need.name)
        if size is None:
            refuse(
                f"it needs camera '{need.name}' and there is {', '.join(offer.cameras) or 'none'}",
                "name a camera that exists",
            )
        elif need.resize == "none" and tuple(size) != (need.width, need.height):
            refuse(
                f"camera '{need.name}' gives {size[0]}x{size[1]} and it needs {need.width}x{need.height} unresized",
                "change the camera size or declare how to resize",
            )
