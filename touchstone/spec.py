"""What one episode asks. The same spec resets the twin and tells an operator where things go."""

from __future__ import annotations

from touchstone.facts import Record
from touchstone.schema import SCHEMA


class Placement(Record):
    """One object of the layout.

    name: how facts call it (`card_0`). kind: what it is (`card`, `cube`); a twin knows how to build each kind.
    emoji: the character printed on a card, or None. label: what the instruction would call it.
    xy: centre [m], base frame, on the table. yaw: [rad] about base z.
    turn: quaternion wxyz in the base frame, for what may also lie on its side; yaw then says nothing.
    """

    name: str
    kind: str = "card"
    emoji: str | None = None
    label: str
    xy: tuple[float, float]
    yaw: float = 0.0
    turn: tuple[float, float, float, float] | None = None


class Brief(Record):
    """The part of a spec that a policy may see: no layout, no target.

    seed: for the policy's own randomness; drawn apart from the layout's, so that nothing leaks.
    """

    episode: str
    task: str
    instruction: str
    rate_hz: float
    step_limit: int
    seed: int


class Spec(Record):
    """One episode, complete. All its randomness was drawn from (`seed`, `index`) when it was planned.

    episode: the name, unique in a session (`val-s0-0007`). target: the placement that the instruction names.
    rate_hz: control rate. step_limit: ticks. camera: preset name. start: arm joints at the start [rad].
    """

    schema_version: int = SCHEMA
    episode: str
    task: str
    protocol: str
    robot: str
    bench: str
    camera: str
    seed: int
    index: int
    instruction: str
    target: str
    layout: tuple[Placement, ...]
    rate_hz: float
    step_limit: int
    start: tuple[float, ...]
    policy_seed: int

    @property
    def dt_ns(self) -> int:
        return round(1e9 / self.rate_hz)

    def placement(self, name: str) -> Placement:
        return next(p for p in self.layout if p.name == name)

    @property
    def choices(self) -> tuple[Placement, ...]:
        """What could be chosen: the objects of the target's kind."""
        return tuple(p for p in self.layout if p.kind == self.placement(self.target).kind)

    def brief(self) -> Brief:
        return Brief(
            episode=self.episode,
            task=self.task,
            instruction=self.instruction,
            rate_hz=self.rate_hz,
            step_limit=self.step_limit,
            seed=self.policy_seed,
        )
