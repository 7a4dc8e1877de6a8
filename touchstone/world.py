"""The contract of a world: a twin, a bench behind ROS, an arm on a wire. Nothing here knows which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from pydantic import Field

from touchstone.cameras import CameraModel
from touchstone.facts import Event, Facts, Record
from touchstone.geometry import Pose
from touchstone.spec import Spec

if TYPE_CHECKING:
    from touchstone.policy import Chunk


@dataclass(frozen=True)
class CameraFrame:
    """One picture: `image` uint8[H,W,3] RGB, `stamp_ns` when it was captured on `clock`, `stale` if it is a repeat.

    depth: uint16[H,W] aligned to the picture, times `depth_scale` gives metres; None when there is none.
    """

    image: np.ndarray
    stamp_ns: int
    clock: str
    model: CameraModel
    stale: bool = False
    depth: np.ndarray | None = None
    depth_scale: float | None = None


@dataclass(frozen=True)
class JointState:
    """Arm joints in the arm's order: position [rad], velocity [rad/s], effort [N m]; float64[n] each."""

    names: tuple[str, ...]
    position: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray


@dataclass(frozen=True)
class GripperState:
    """opening: 0 closed .. 1 open. width: gap between the pads [m]. force: [N] or None when not measured."""

    opening: float
    width: float
    force: float | None = None


@dataclass(frozen=True)
class Privileged:
    """What only a simulator knows; a policy that asks for it is journalled as privileged."""

    spec: Spec
    facts: Facts


@dataclass(frozen=True)
class Observation:
    """What a policy sees at one tick.

    id: counts up in a session; a chunk names the id it answers. clock: name of the clock of `stamp_ns` and of every
    camera stamp (`sim` or `monotonic`). ee, ee_commanded: the TCP in the base frame. step: tick in the episode.
    temperatures: motors [deg C], empty when unknown. history: earlier observations, oldest first.
    """

    id: int
    episode: str
    step: int
    stamp_ns: int
    clock: str
    cameras: dict[str, CameraFrame]
    joints: JointState
    ee: Pose
    ee_commanded: Pose
    gripper: GripperState
    instruction: str
    temperatures: tuple[float, ...] = ()
    history: tuple[Observation, ...] = field(default=(), repr=False)
    privileged: Privileged | None = None


class WorldOffer(Record):
    """What a world can give a policy; checked against the policy's contract at connect.

    cameras: name -> (width, height). plant and path: DESIGN's two words. shader: how a twin renders, or None.
    time_scale: seconds of its clock in a real second, None for a world that computes instead of waiting.
    """

    robot: str
    plant: str
    path: str
    cameras: dict[str, tuple[int, int]]
    joint_names: tuple[str, ...]
    action_kinds: tuple[str, ...]
    privileged: bool
    shader: str | None = None
    time_scale: float | None = None
    versions: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class WorldRequest:
    """What a registered world factory is given. camera: preset name or path of a `calibration.yaml`.

    shader: how a twin renders, None for its default. privileged: put simulator facts into observations.
    pictures: render the cameras; without, observations have none and a twin is some ten times as fast.
    meshes: `own` or `official`: whose shapes a twin shows on the arm.
    scene: what a twin builds around the arm, as a task's `scene`.
    gate: the drivers' safety gate in a twin: not there, watching, or between set-points and motors.
    variant: what follows the colon in a world's name (`shadow:light@0.5`), or None.
    overlay: a photograph's path, which a twin shows behind the arm and the episode's things; None for its own scene.
    """

    robot: str
    camera: str
    shader: str | None = None
    privileged: bool = False
    pictures: bool = True
    meshes: Literal["own", "official"] = "own"
    variant: str | None = None
    scene: str = "cards"
    gate: Literal["off", "observe", "enforce"] = "off"
    overlay: str | None = None


class World(Protocol):
    """Observe, command and advance are apart: lockstep, charged latency and a real arm are compositions of them."""

    def describe(self) -> WorldOffer:
        """What this world offers. Valid before the first reset."""

    def reset(self, spec: Spec) -> None:
        """Brings the scene and the arm to the spec's start. Raises WorldFailure or UsageError."""

    def observe(self) -> Observation:
        """The present observation. Calling it twice without `advance` gives the same stamp and content."""

    def command(self, chunk: Chunk | None) -> None:
        """Gives the embodiment a chunk to execute from now on; None means hold."""

    def advance(self, until_ns: int) -> None:
        """Lets the world's clock run to `until_ns`. A real world waits; a twin computes."""

    def facts(self) -> Facts:
        """The raw facts of the present tick."""

    def events(self) -> list[Event]:
        """The events since the last call; each is given once."""

    def close(self) -> None:
        """Lets go of everything; may be called twice."""
