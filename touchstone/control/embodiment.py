"""Turns chunks into joint set-points for one arm, holds when nothing valid is due, and says why.

Repeating a delta keeps an arm moving, so holding belongs here and not to the policy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from touchstone.control.executor import ChunkExecutor
from touchstone.facts import Event
from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.policy import Chunk
from touchstone.robots.base import Arm
from touchstone.safety.actions import chunk_problem

ACTION_KINDS = ("target_delta", "align2", "ee_abs", "joint_abs", "joint_delta")


@dataclass(frozen=True)
class Setpoint:
    """What is commanded now: arm `joints` float64[n] [rad], gripper `opening` 0..1, and the TCP pose they mean."""

    joints: np.ndarray
    opening: float
    tcp: Pose


class Embodiment:
    """The commanded state of one arm and the rules by which a chunk may change it."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
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

    def step(self, now_ns: int, step: int, measured_tcp: Pose) -> Setpoint:
        """The set-point from `now_ns` on. `measured_tcp` (base frame) is the pivot of `align2` rotations."""
        due = self._executor.next(now_ns)
        if due.expired:
            self._note(now_ns, step, "action_expired", f"{due.expired} actions came too late and were dropped.")
        if due.element is None:
            self._note(now_ns, step, "hold", f"The arm holds: {due.why}.")
            return self.setpoint
        joints, problem = self._joints(self._executor.chunk, due.element, measured_tcp)
        opening = float(self._executor.chunk.gripper[due.element])
        if opening < 0.5 <= self.setpoint.opening:
            self._note(now_ns, step, "close_commanded", "")
        if problem is None:
            problem = self._limit_problem(joints, self._executor.chunk.dt)
            kind = "action_rejected"
        else:
            kind = "ik_failure"
        if problem is None:
            self.setpoint = self._at(joints, opening)
        else:
            # the target does not wind up: the next delta starts from what is really commanded
            self._note(now_ns, step, kind, f"The arm holds: {problem}.")
            self.setpoint = Setpoint(self.setpoint.joints, opening, self.setpoint.tcp)
        return self.setpoint

    def drain_events(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def _joints(self, chunk: Chunk, k: int, measured: Pose) -> tuple[np.ndarray, str | None]:
        # a copy, because scipy refuses the read-only arrays that come off a wire
        action = np.array(chunk.actions[k], dtype=np.float64)
        if chunk.kind == "joint_abs":
            return action, None
        if chunk.kind == "joint_delta":
            return self.setpoint.joints + action, None
        result = self._arm.kinematics.inverse(self._target(chunk.kind, action, measured), self.setpoint.joints)
        return result.joints, None if result.ok else result.problem

    def _target(self, kind: str, action: np.ndarray, measured: Pose) -> Pose:
        if kind == "ee_abs":
            return Pose.from_list(action)
        before, turn = self.setpoint.tcp, Rotation.from_rotvec(action[3:])
        pivot = measured.position if kind == "align2" else before.position
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
            if speed[i] > limits.velocity[i]:
                return f"{name} would turn at {speed[i]:.2f} rad/s, over {limits.velocity[i]:.2f}"
        return None

    def _at(self, joints: np.ndarray, opening: float) -> Setpoint:
        return Setpoint(joints.copy(), opening, self._arm.kinematics.forward(joints))

    def _note(self, now_ns: int, step: int, kind: str, detail: str) -> None:
        self._events.append(Event(stamp_ns=now_ns, step=step, kind=kind, detail=detail))
