"""Turns chunks into joint set-points for one arm, holds when nothing valid is due, and says why.

Repeating a delta keeps an arm moving, so holding belongs here and not to the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from touchstone.control.executor import ChunkExecutor
from touchstone.facts import Event
from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.policy import Chunk
from touchstone.robots.base import Arm
from touchstone.robots.kinematics import MAX_ITERATIONS
from touchstone.safety.actions import chunk_problem

ACTION_KINDS = ("target_delta", "align2", "ee_abs", "joint_abs", "joint_delta")


@dataclass(frozen=True)
class ControlRules:
    """How chunks become set-points, and set-points motion; a scene chooses.

    pivot: the point that `align2` turns about, in the TCP's frame [m].
    solves_from: `commanded`: inverse kinematics starts at the commanded joints; a target without a solution is
    forgotten. `measured`: it starts at the measured joints; without a solution the arm holds where it is, and the
    target stays commanded, so that the next delta counts from it.
    iterations: of inverse kinematics, at most.
    limits_speed: a set-point that a joint could reach only above its speed limit is refused.
    straight: in a twin, set-points are reached in a straight line in joint space over the tick; else motors get them at
    once.
    fingers: in a twin, what a closed and an open gripper's fingers are sent to [m], which may lie beyond their stops;
    None: to the ends of the arm's own range.
    """

    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
    solves_from: Literal["commanded", "measured"] = "commanded"
    iterations: int = MAX_ITERATIONS
    limits_speed: bool = True
    straight: bool = True
    fingers: tuple[float, float] | None = None


DEFAULT_RULES = ControlRules()


@dataclass(frozen=True)
class Setpoint:
    """What is commanded now: arm `joints` float64[n] [rad], gripper `opening` 0..1, and the TCP pose they mean."""

    joints: np.ndarray
    opening: float
    tcp: Pose


class Embodiment:
    """The commanded state of one arm and the rules by which a chunk may change it."""

    def __init__(self, arm: Arm, rules: ControlRules = DEFAULT_RULES) -> None:
        self._arm, self._rules = arm, rules
        self._executor = ChunkExecutor()
        self._events: list[Event] = []
        self.setpoint = self._at(np.array(arm.ready), 1.0)

    def reset(self, joints: np.ndarray, opening: float) -> None:
        """Takes `joints` float64[n] [rad] and `opening` 0..1 as commanded; forgets chunk and events."""
        self._executor.load(None)
        self._events.clear()
        self.setpoint = self._at(np.asarray(joints, dtype=np.float64), opening)

    def command(self, chunk: Chunk | None, now_ns: int, step: int) -> None:
        """Accepts a chunk from now on. One that fails the check is refused whole, with an event; the arm then holds."""
        problem = None if chunk is None else chunk_problem(chunk, len(self._arm.joint_names))
        if problem:
            self._note(now_ns, step, "action_rejected", f"The chunk was refused: {problem}.")
        self._executor.load(None if problem else chunk)

    def step(self, now_ns: int, step: int, measured_tcp: Pose, measured_joints: np.ndarray | None = None) -> Setpoint:
        """The set-point from `now_ns` on.

        measured_tcp: in the base frame. measured_joints: float64[n] [rad]; rules that solve from them need them.
        """
        due = self._executor.next(now_ns)
        if due.expired:
            self._note(now_ns, step, "action_expired", f"{due.expired} actions came too late and were dropped.")
        if due.element is None:
            self._note(now_ns, step, "hold", f"The arm holds: {due.why}.")
            return self.setpoint
        opening = float(self._executor.chunk.gripper[due.element])
        if opening < 0.5 <= self.setpoint.opening:
            self._note(now_ns, step, "close_commanded", "")
        self.setpoint = self._next(now_ns, step, due.element, opening, measured_tcp, measured_joints)
        return self.setpoint

    def drain_events(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def _next(
        self, now_ns: int, step: int, k: int, opening: float, measured_tcp: Pose, measured_joints: np.ndarray | None
    ) -> Setpoint:
        chunk, before = self._executor.chunk, self.setpoint
        from_measured = self._rules.solves_from == "measured"
        # a copy, because scipy refuses the read-only arrays that come off a wire
        action = np.array(chunk.actions[k], dtype=np.float64)
        target = None
        if chunk.kind == "joint_abs":
            joints = action
        elif chunk.kind == "joint_delta":
            joints = before.joints + action
        else:
            target = self._target(chunk.kind, action, measured_tcp)
            seed = measured_joints if from_measured else before.joints
            result = self._arm.kinematics.inverse(target, seed, self._rules.iterations)
            if not result.ok:
                self._note(now_ns, step, "ik_failure", f"The arm holds: {result.problem}.")
                # else the target does not wind up: the next delta starts from what is really commanded
                return (
                    Setpoint(measured_joints.copy(), opening, target)
                    if from_measured
                    else Setpoint(before.joints, opening, before.tcp)
                )
            joints = result.joints
        problem = self._limit_problem(joints, chunk.dt)
        if problem is not None:
            self._note(now_ns, step, "action_rejected", f"The arm holds: {problem}.")
            return Setpoint(before.joints, opening, before.tcp)
        if from_measured and target is not None:
            return Setpoint(joints.copy(), opening, target)
        return self._at(joints, opening)

    def _target(self, kind: str, action: np.ndarray, measured: Pose) -> Pose:
        if kind == "ee_abs":
            return Pose.from_list(action)
        before, turn = self.setpoint.tcp, Rotation.from_rotvec(action[3:])
        pivot = before.position
        if kind == "align2":
            pivot = measured.position + measured.rotation().apply(self._rules.pivot)
        return Pose(
            pivot + turn.apply(before.position - pivot) + action[:3],
            quaternion_from_rotation(turn * before.rotation()),
        )

    def _limit_problem(self, joints: np.ndarray, dt: float) -> str | None:
        limits = self._arm.limits
        outside = (joints < limits.lower) | (joints > limits.upper)
        speed = np.abs(joints - self.setpoint.joints) / dt
        for i, name in enumerate(self._arm.joint_names):
            if outside[i]:
                return f"{name} would go to {joints[i]:.3f} rad, outside {limits.lower[i]:.3f}..{limits.upper[i]:.3f}"
            if self._rules.limits_speed and speed[i] > limits.velocity[i]:
                return f"{name} would turn at {speed[i]:.2f} rad/s, over {limits.velocity[i]:.2f}"
        return None

    def _at(self, joints: np.ndarray, opening: float) -> Setpoint:
        return Setpoint(joints.copy(), opening, self._arm.kinematics.forward(joints))

    def _note(self, now_ns: int, step: int, kind: str, detail: str) -> None:
        self._events.append(Event(stamp_ns=now_ns, step=step, kind=kind, detail=detail))
