"""What the gate let through, cycle by cycle, and whether that, and what reached the motors, is inside the limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.dynamixel.units import RADIANS
from touchstone.bench import TABLE_Z
from touchstone.robots.base import Arm
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.gate import Gate
from touchstone.safety.settings import GateSettings
from touchstone.safety.states import State

FOLLOWING = (State.TRACKING, State.RAMPING)
#: what a set-point loses on the wire [rad]: half an encoder tick, or a tick at a motor's limit; 0.001 deg and float32
LOST = {"wx250s": RADIANS, "rm75": np.radians(0.001) * 1.01}
#: by which that may lower a fingertip or a link [m]
LOWERED = {"wx250s": 0.001, "rm75": 0.0002}
HEIGHTS: dict[str, LinkHeights] = {}


@dataclass(frozen=True)
class Cycle:
    """A decision of the gate's: when [ns], its state, joints and velocity float64[n] [rad, rad/s]."""

    ns: int
    state: State
    joints: np.ndarray
    velocity: np.ndarray


class Watch:
    """Keeps every decision of `gate` from now on."""

    def __init__(self, gate: Gate) -> None:
        self.cycles: list[Cycle] = []
        self.settings = gate.settings
        self._step = gate.step
        gate.step = self._watched

    def _watched(self, now_ns, reading):
        decision = self._step(now_ns, reading)
        if decision.joints is not None:
            self.cycles.append(Cycle(now_ns, decision.state, decision.joints, decision.velocity))
        return decision

    def held_ns(self, after_ns: int) -> int | None:
        """When the gate first let the arm follow nothing any more, after `after_ns`. None: it follows."""
        return next((cycle.ns for cycle in self.cycles if cycle.ns > after_ns and cycle.state not in FOLLOWING), None)

    def moved_ns(self, after_ns: int, until_ns: int | None = None) -> int:
        """When a set-point last moved between the two, or `after_ns`."""
        moving = [cycle.ns for cycle in self.cycles if cycle.velocity.any() and cycle.ns > after_ns]
        return max((ns for ns in moving if until_ns is None or ns <= until_ns), default=after_ns)

    @property
    def last_ns(self) -> int:
        return self.cycles[-1].ns


def assert_decisions_inside(cycles: list[Cycle], arm: Arm, settings: GateSettings) -> None:
    """Position, speed, acceleration, box and clearances. A late cycle moves as far as the longest one may; a re-arming
    between two cycles starts from a standstill, wherever the arm is by then."""
    limits = arm.limits
    q, v = np.array([cycle.joints for cycle in cycles]), np.array([cycle.velocity for cycle in cycles])
    assert np.isfinite(q).all() and np.isfinite(v).all()
    assert (q >= limits.lower - 1e-9).all() and (q <= limits.upper + 1e-9).all(), "position"
    dt = np.minimum(np.diff([cycle.ns for cycle in cycles]), settings.longest_tick)[:, None] / 1e9
    assert (np.abs(v) <= limits.velocity + 1e-6).all(), "velocity"
    assert (np.abs(np.diff(q, axis=0)) <= limits.velocity * dt + 1e-6).all(), "velocity between two cycles"
    assert (np.abs(np.diff(v, axis=0)) <= limits.acceleration * dt + 1e-6).all(), "acceleration"
    assert_clear(q, arm, settings, 0.0)


def assert_clear(joints: np.ndarray, arm: Arm, settings: GateSettings, lowered: float) -> float:
    """joints float64[k,n] [rad]; lowered: [m], what rounding may cost. Gives the lowest fingertip [m]."""
    heights, lowest = HEIGHTS.setdefault(arm.name, LinkHeights(arm)), np.inf
    for each in np.unique(joints, axis=0):
        found = heights.at(each)
        assert found.links >= settings.link_clearance - lowered, f"{found.lowest_link} at {found.links:.4f} m"
        assert found.tips >= max(settings.tip_clearance - lowered, 0.001), f"a fingertip at {found.tips:.4f} m"
        box = settings.box
        assert (found.tcp >= np.subtract(box.lower, lowered)).all() and found.tcp[2] >= TABLE_Z - lowered, "box"
        assert (found.tcp <= np.add(box.upper, lowered)).all(), "box"
        lowest = min(lowest, found.tips)
    return lowest


def assert_goals_are_decisions(goals: np.ndarray, cycles: list[Cycle], arm: Arm) -> None:
    """Every goal float64[k,n] [rad] that reached the motors is a decision, rounded, in the order of the decisions."""
    limits, lost = arm.limits, LOST[arm.name]
    assert (goals >= limits.lower - lost).all() and (goals <= limits.upper + lost).all(), "position of a motor's goal"
    decided, at = np.array([cycle.joints for cycle in cycles]), 0
    for goal in goals:
        near = np.flatnonzero((np.abs(decided[at:] - goal) <= lost).all(axis=1))
        best = np.abs(decided[at:] - goal).max(axis=1)
        assert len(near), f"nobody decided {goal} after cycle {at} of {len(cycles)}; {best.min():.4f} rad off at best"
        at += int(near[0])
