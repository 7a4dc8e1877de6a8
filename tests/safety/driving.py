"""An arm that goes where it is told, and a clock, for tests of the gate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from touchstone.safety.gate import Gate
from touchstone.safety.readings import MotorReading, Reading, Target
from touchstone.safety.states import Decision

TICK = 10_000_000  # [ns]


class Driven:
    """A gate with a perfect arm behind it; `decisions` and `stamps` are what came out, tick by tick."""

    def __init__(self, arm, settings=None, joints=None) -> None:
        self.arm, self.gate, self.now = arm, Gate(arm, settings), 1_000_000_000
        start = np.array(arm.ready if joints is None else joints, dtype=np.float64)
        motors = tuple(MotorReading(name, name, 30.0) for name in arm.joint_names)
        self.reading = Reading(self.now, start, np.zeros(len(start)), None, motors)
        self.decisions: list[Decision] = []
        self.stamps: list[int] = []

    def armed(self) -> Driven:
        self.gate.rearm(self.now, self.reading, "test")
        self.tick()
        return self

    def target(self, joints, **changes) -> Target:
        return replace(Target(np.array(joints), self.now + 1, self.now + 500_000_000), **changes)

    def ask(self, joints, **changes):
        return self.gate.command(self.target(joints, **changes), self.now)

    def tick(self, ns: int = TICK, **reading) -> Decision:
        self.now += ns
        self.reading = replace(self.reading, stamp_ns=self.now, **reading)
        decision = self.gate.step(self.now, self.reading)
        if decision.joints is not None:
            if "joints" not in reading:
                self.reading = replace(self.reading, joints=decision.joints)
            self.decisions.append(decision)
            self.stamps.append(self.now)
        return decision

    def run(self, seconds: float, joints=None, **changes) -> Decision:
        """Ticks for a while; given joints are asked for at every tick."""
        for _ in range(round(seconds * 1e9 / TICK)):
            if joints is not None:
                self.ask(joints, **changes)
            decision = self.tick()
        return decision

    def codes(self) -> set[str]:
        return {code.value for code in self.gate.counts}
