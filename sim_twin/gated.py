"""The drivers' safety gate in the twin: off, watching what it would have said, or between embodiment and drives."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Event
from touchstone.robots.base import Arm
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.codes import Code, Intervention
from touchstone.safety.events import intervention_events
from touchstone.safety.gate import Gate, RearmRefused
from touchstone.safety.readings import Reading, Target
from touchstone.safety.settings import GateSettings
from touchstone.safety.states import Decision

GateMode = Literal["off", "observe", "enforce"]
MODES = ("off", "observe", "enforce")
#: sim time starts anew with every episode, the gate's never does [ns]
PAUSE_NS = 1_000_000_000


class Felt(Protocol):
    """What `sim_twin.drives.Drives` tells about the arm: float64[n] each, [rad], [rad/s], [N m]."""

    def positions(self) -> np.ndarray: ...
    def velocities(self) -> np.ndarray: ...
    def effort(self, targets: np.ndarray) -> np.ndarray: ...


class TwinGate:
    """Stands where a driver has its gate: between the set-point of one physics step and the motors.

    `observe` lets everything pass and notes what the gate would have done; its gate takes the arm to be where it would
    have sent it. `enforce` sends what the gate decides, and the gate sees the twin's joints and efforts.
    """

    def __init__(self, arm: Arm, mode: GateMode, settings: GateSettings | None = None) -> None:
        if mode not in MODES:
            raise UsageError(f"The gate's mode is '{mode}'; choose one of: {', '.join(MODES)}.")
        self._arm, self._mode = arm, mode
        self._gate = None if mode == "off" else Gate(arm, settings)
        self._weight = LinkHeights(arm) if mode == "enforce" else None
        self._origin_ns = self._now_ns = 0
        self._decision: Decision | None = None
        self._interventions: list[Intervention] = []

    def begin(self, joints: np.ndarray, opening: float) -> None:
        """An episode starts at 0 ns with the arm standing at `joints` float64[n] [rad].

        Raises UsageError where the gate would not be armed there.
        """
        if self._gate is None:
            return
        self._gate.stop(self._now_ns, "an episode ended")
        self._origin_ns = self._now_ns = self._now_ns + PAUSE_NS
        standing = Reading(self._now_ns, joints, np.zeros_like(joints))
        try:
            self._gate.rearm(self._now_ns, standing, "the twin", held=False)
        except RearmRefused as refused:
            raise UsageError(f"The gate cannot be armed where the episode starts: {refused}") from refused
        # what it is commanded already: the gate hands over at once, and nothing is slow later
        self._gate.command(self._target(joints, opening, self._now_ns + 1), self._now_ns + 1)
        self._decision = self._gate.step(self._now_ns + 1, standing)
        self._interventions.clear()

    def pass_on(self, joints: np.ndarray, opening: float, now_ns: int, drives: Felt) -> tuple[np.ndarray, float]:
        """What the drives are sent at `now_ns` of the episode for a set-point, float64[n] [rad] and 0..1.

        drives: where the arm is, and what it spends there; only `enforce` looks.
        """
        if self._gate is None:
            return joints, opening
        now = self._now_ns = self._origin_ns + now_ns + 1
        self._gate.command(self._target(joints, opening, now), now)
        before = self._decision
        reading = Reading(now, before.joints, before.velocity)
        if self._mode == "enforce":
            at = drives.positions()
            # a real arm's motors carry its weight too, and the gate knows it
            effort = drives.effort(before.joints) + self._weight.gravity(at)
            reading = Reading(now, at, drives.velocities(), effort)
        self._decision = decision = self._gate.step(now, reading)
        self._interventions += decision.interventions
        if self._mode == "observe":
            return joints, opening
        return decision.joints, opening if decision.opening is None else decision.opening

    def drain_events(self, step: int) -> list[Event]:
        """What the gate did since the last call, stamped in the episode's time."""
        told, self._interventions = self._interventions, []
        local = [Intervention(each.code, each.stamp_ns - self._origin_ns - 1, each.detail) for each in told]
        return intervention_events(local, step)

    @property
    def counts(self) -> dict[Code, int]:
        """How often each intervention happened, in all episodes."""
        return {} if self._gate is None else dict(self._gate.counts)

    def _target(self, joints: np.ndarray, opening: float, now: int) -> Target:
        return Target(np.asarray(joints, dtype=np.float64), now, now, opening=float(np.clip(opening, 0.0, 1.0)))
