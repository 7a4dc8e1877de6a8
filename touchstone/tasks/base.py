"""The contract of a task: it plans episodes, says when one is over, and judges it from raw facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from touchstone.cameras import DEFAULT_PRESET
from touchstone.facts import Event, Facts, Record
from touchstone.robots.base import Arm
from touchstone.spec import Spec


class Verdict(Record):
    """How an episode ended; always recomputable from the journal.

    execution: the motion was done. recognition: on the right object; None when there was no execution to judge.
    chosen: placement that was acted on. step: tick of the decisive moment, None if it never came.
    reason: one sentence for people. commanded: the same judgement by commanded instead of measured time, or None.
    """

    execution: bool
    recognition: bool | None
    chosen: str | None
    step: int | None
    reason: str
    commanded: Verdict | None = None

    @property
    def success(self) -> bool:
        return self.execution and bool(self.recognition)


class Monitor(Protocol):
    """Watches an episode tick by tick; shares its rule with `Task.judge`, so that live and recomputed agree."""

    def update(self, facts: Facts) -> bool:
        """True when the episode is over."""


class Task(Protocol):
    """One registered task. Stateless; `plan` and `judge` are pure."""

    name: str
    protocols: tuple[str, ...]
    rate_hz: float
    step_limit: int

    def plan(self, protocol: str, seed: int, index: int, arm: Arm, camera: str = DEFAULT_PRESET) -> Spec:
        """Episode `index` of a protocol. Same arguments, same spec. Raises UsageError for an unknown protocol."""

    def monitor(self, spec: Spec) -> Monitor:
        """A fresh end-of-episode watcher."""

    def judge(self, spec: Spec, facts: Sequence[Facts], events: Sequence[Event]) -> Verdict:
        """The verdict, from raw facts alone."""
