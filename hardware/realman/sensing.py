"""From what the controller pushes to the gate's reading and to the arm's state."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardware.realman.controller import GripperReading, error_codes
from hardware.realman.units import GRAM, gripper_opening, gripper_width
from touchstone.clock import Clock
from touchstone.robots.rm75 import ARM
from touchstone.safety.readings import MotorReading, Reading
from touchstone.world import GripperState, JointState

CONTROLLER, GRIPPER = "controller", "gripper"
#: speeds are positions over this many pushes: the controller's own are in deg/s or in rev/min, documentation differs
SPAN = 8
STALLED = 1  # error bit of a gripper that something holds, as a cube does
LEAST_SPAN_S = 0.010
UNKNOWN = np.full(7, np.nan)


@dataclass(frozen=True)
class Push:
    """One state as it came: stamp [ns], positions [rad], speeds [rad/s], drives that are on, error codes of joints and
    of the arm, temperatures [deg C], voltages [V]."""

    stamp_ns: int
    positions: np.ndarray
    speeds: np.ndarray
    enabled: tuple[bool, ...]
    joint_errors: tuple[int, ...]
    arm_errors: tuple[int, ...]
    temperatures: tuple[float, ...]
    voltages: tuple[float, ...]


class Senses:
    """The newest of everything. `take` is called in a thread of the SDK's; what it leaves is never changed again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._past: deque[tuple[int, np.ndarray]] = deque(maxlen=SPAN)
        self.newest: Push | None = None
        self.received = self.damaged = 0
        self.gripper_reading: GripperReading | None = None
        self.missing: tuple[str, ...] = ()

    def forget(self) -> None:
        """As before the first push."""
        self._past.clear()
        self.newest, self.gripper_reading, self.missing = None, None, ()

    def take(self, state: Any) -> None:
        """state: an `rm_realtime_arm_joint_state_t`."""
        if state.errCode:
            self.damaged += 1
            return
        now, joint = self._clock.now_ns(), state.joint_status
        positions = np.radians(joint.joint_position[:7])
        self._past.append((now, positions))
        self.newest = Push(
            stamp_ns=now,
            positions=positions,
            speeds=self._speeds(),
            enabled=tuple(map(bool, joint.joint_en_flag[:7])),
            joint_errors=tuple(joint.joint_err_code[:7]),
            arm_errors=error_codes(state.err.err[: state.err.err_len]),
            temperatures=tuple(joint.joint_temperature[:7]),
            voltages=tuple(joint.joint_voltage[:7]),
        )
        self.received += 1

    def age(self, now_ns: int) -> float:
        """Seconds since the newest push."""
        return np.inf if self.newest is None else (now_ns - self.newest.stamp_ns) / 1e9

    def reading(self) -> Reading | None:
        push = self.newest
        if push is None:
            return None
        # no torque is told: what a joint's current means in N m is not published
        return Reading(push.stamp_ns, push.positions, push.speeds, None, self.motors(push), self.missing)

    def motors(self, push: Push) -> tuple[MotorReading, ...]:
        gripper = self.gripper_reading
        joints = zip(ARM.joint_names, push.temperatures, push.joint_errors, strict=True)
        motors = [MotorReading(name, name, temperature, errors) for name, temperature, errors in joints]
        motors.append(MotorReading(CONTROLLER, None, None, next(iter(push.arm_errors), 0)))
        if gripper is not None:
            motors.append(MotorReading(GRIPPER, None, gripper.temperature, gripper.errors & ~STALLED))
        return tuple(motors)

    def joints(self, push: Push) -> JointState:
        """Efforts are not measured, and NaN."""
        return JointState(ARM.joint_names, push.positions.copy(), push.speeds.copy(), UNKNOWN.copy())

    def gripper(self) -> GripperState:
        reading = self.gripper_reading
        position = reading.position
        return GripperState(gripper_opening(position), gripper_width(position), reading.grams * GRAM)

    def _speeds(self) -> np.ndarray:
        (before, there), (now, here) = self._past[0], self._past[-1]
        seconds = (now - before) / 1e9
        if seconds < LEAST_SPAN_S:
            return np.zeros(7) if self.newest is None else self.newest.speeds
        return (here - there) / seconds
