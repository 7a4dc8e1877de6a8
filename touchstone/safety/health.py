"""What a reading says about the arm's health: faults, temperatures, efforts, tracking, touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from touchstone.robots.base import Arm
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.codes import Code
from touchstone.safety.readings import Reading
from touchstone.safety.settings import GateSettings


@dataclass(frozen=True)
class Finding:
    """One thing wrong. latching: the arm stops until it is re-armed; else it rests, or keeps its fingers up."""

    code: Code
    detail: str
    latching: bool


class Health:
    """Watches readings over time; the caller's clock is in their stamps."""

    def __init__(self, arm: Arm, settings: GateSettings, heights: LinkHeights) -> None:
        self._arm, self._settings, self._heights = arm, settings, heights
        self._overloaded_since: int | None = None
        self._astray_since: int | None = None
        #: the fingertips pressed too hard near the table and were not let up since
        self.only_up = False

    def forget(self) -> None:
        """Starts afresh, as after a re-arm."""
        self._overloaded_since = self._astray_since = None
        self.only_up = False

    def findings(self, reading: Reading, commanded: np.ndarray) -> list[Finding]:
        """What is wrong now. commanded: float64[n] [rad], where the arm was sent."""
        found = motor_findings(reading, self._settings)
        checks = (self._effort(reading), self._tracking(reading, commanded), self._touch(reading))
        return found + [finding for finding in checks if finding]

    def _effort(self, reading: Reading) -> Finding | None:
        if reading.effort is None:
            return None
        load = np.abs(reading.effort) / self._arm.limits.effort
        if load.max() <= self._settings.effort:
            self._overloaded_since = None
            return None
        if self._overloaded_since is None:
            self._overloaded_since = reading.stamp_ns
        if reading.stamp_ns - self._overloaded_since < self._settings.effort_time:
            return None
        i = int(np.argmax(load))
        return Finding(
            Code.OVERLOAD,
            f"{self._arm.joint_names[i]} holds {abs(reading.effort[i]):.1f} N m of {self._arm.limits.effort[i]:g}",
            latching=False,
        )

    def _tracking(self, reading: Reading, commanded: np.ndarray) -> Finding | None:
        error = np.abs(reading.joints - commanded)
        if error.max() <= self._settings.tracking_error:
            self._astray_since = None
            return None
        if self._astray_since is None:
            self._astray_since = reading.stamp_ns
        if reading.stamp_ns - self._astray_since < self._settings.tracking_time:
            return None
        i = int(np.argmax(error))
        return Finding(
            Code.TRACKING,
            f"{self._arm.joint_names[i]} is {error[i]:.2f} rad from where it was sent; look for an obstacle",
            latching=True,
        )

    def _touch(self, reading: Reading) -> Finding | None:
        if reading.effort is None:
            return None
        height = self._heights.at(reading.joints).tips
        if height >= self._settings.link_clearance:
            self.only_up = False
            return None
        force = self._heights.tip_force(reading.joints, reading.effort)
        if force <= self._settings.tip_force or self.only_up:
            return None
        self.only_up = True
        return Finding(
            Code.TIP_FORCE,
            f"the fingertips press with {force:.0f} N, {height * 1e3:.0f} mm over the table, and may only go up",
            latching=False,
        )


def motor_findings(reading: Reading, settings: GateSettings) -> list[Finding]:
    """What the motors report: silence, errors, temperatures."""
    found = [Finding(Code.MOTOR_FAULT, f"motor {name} does not answer", True) for name in reading.missing]
    for motor in reading.motors:
        if motor.errors:
            found.append(Finding(Code.MOTOR_FAULT, f"motor {motor.name} reports error 0x{motor.errors:02x}", True))
        if motor.temperature is None:
            continue
        if motor.temperature >= settings.stop_temperature:
            found.append(Finding(Code.OVERHEATED, f"motor {motor.name} is at {motor.temperature:.0f} deg C", True))
        elif motor.temperature >= settings.rest_temperature:
            found.append(Finding(Code.HOT, f"motor {motor.name} is at {motor.temperature:.0f} deg C", False))
    return found


def cool(reading: Reading, settings: GateSettings) -> bool:
    """Whether every motor is cool enough to begin."""
    return all((motor.temperature or 0.0) <= settings.resume_temperature for motor in reading.motors)


def faulted_joints(reading: Reading) -> frozenset[str]:
    """Joints with a faulty motor; both motors of a pair count as faulty, since one of them cannot carry the joint."""
    return frozenset(m.joint for m in reading.motors if m.joint and (m.errors or m.name in reading.missing))
