"""The contract of a task: it plans episodes, says when one is over, and judges it from raw facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from touchstone.cameras import DEFAULT_PRESET
from touchstone.facts import Event, Facts, Record
from touchstone.registry import TASKS, load
from touchstone.robots.base import Arm
from touchstone.spec import Spec


class Verdict(Record):
    """How an episode ended; always recomputable from the journal.

    execution: the motion was done. recognition: on the right object; None when there was no execution to judge.
    chosen: placement that was acted on. step: tick of the decisive moment, None if it never came.
    reason: one sentence for people. beside: the same facts judged by the task's other rules, by the rule's name.
    values: what the task measures beside success, by name (INT-ACT's intention, grasp, ...).
    """

    execution: bool
    recognition: bool | None
    chosen: str | None
    step: int | None
    reason: str
    beside: dict[str, Verdict] = Field(default_factory=dict)
    values: dict[str, bool] = Field(default_factory=dict)

    @property
    def success(self) -> bool:
        return self.execution and bool(self.recognition)


class PlanOptions(Record):
    """What a user may choose about every episode of a session.

    arm_start: `random` varies the arm's pose at the start, `fixed` starts every episode at the arm's ready pose.
    wording: whose sentence the instruction is, a name of the task's `wordings`; None for the first of them.
    record: file or folder of recorded episodes, for protocols that replay their combinations.
    instruction: one's own sentence instead of the task's, in every episode.
    """

    arm_start: Literal["random", "fixed"] = "random"
    wording: str | None = None
    record: str | None = None
    instruction: str | None = None


DEFAULT_OPTIONS = PlanOptions()


def task(name: str) -> Task:
    """The registered task called `name`, or `FAMILY:MEMBER` for one of a family (`int-act:widowx_stack_cube`).

    Raises UsageError for an unknown one.
    """
    family, colon, member = name.partition(":")
    factory = load(TASKS, family)
    return factory(member) if colon else factory()


class Monitor(Protocol):
    """Watches an episode tick by tick; shares its rule with `Task.judge`, so that live and recomputed agree."""

    def update(self, facts: Facts) -> bool:
        """True when the episode is over."""


class Task(Protocol):
    """One registered task. Stateless; `plan` and `judge` are pure.

    rules: names of the success rules, the one that decides first; the others are in `Verdict.beside`.
    wordings: names of the ways in which the instruction can be put.
    scene: what a twin builds around the arm. camera: preset that sees it, unless the user names another.
    """

    name: str
    protocols: tuple[str, ...]
    wordings: tuple[str, ...]
    rules: tuple[str, ...]
    rate_hz: float
    step_limit: int
    scene: str
    camera: str

    def material(self, protocol: str, options: PlanOptions) -> dict[str, str]:
        """Digests of what lies outside the code and decides the episodes of a protocol; empty where nothing does.

        Raises UsageError for an unknown protocol or wording, and for material that is missing or malformed.
        """

    def plan(
        self,
        protocol: str,
        seed: int,
        index: int,
        arm: Arm,
        camera: str = DEFAULT_PRESET,
        options: PlanOptions = DEFAULT_OPTIONS,
    ) -> Spec:
        """Episode `index` of a protocol. Same arguments, same spec. Raises UsageError as `material` does, and for a
        layout that the arm cannot reach."""

    def monitor(self, spec: Spec) -> Monitor:
        """A fresh end-of-episode watcher."""

    def judge(self, spec: Spec, facts: Sequence[Facts], events: Sequence[Event]) -> Verdict:
        """The verdict, from raw facts alone."""
