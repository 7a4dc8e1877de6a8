"""How a commanded set-point moves: towards a target (ruckig) or to a standstill, inside speed and acceleration.

Without a jerk limit, since no source gives one for these arms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ruckig


@dataclass(frozen=True)
class Motion:
    """Commanded `position` [rad] and `velocity` [rad/s], float64[n] each."""

    position: np.ndarray
    velocity: np.ndarray

    @staticmethod
    def at_rest(position) -> Motion:
        position = np.array(position, dtype=np.float64)
        return Motion(position, np.zeros_like(position))

    @property
    def standing(self) -> bool:
        return not self.velocity.any()


class Planner:
    """Time-optimal motion of n joints that arrive together. Not thread-safe: ruckig's objects are scratch pads."""

    def __init__(self, joints: int, acceleration: np.ndarray) -> None:
        self._planner = ruckig.Ruckig(joints)
        self._request = ruckig.InputParameter(joints)
        self._request.max_acceleration = acceleration.tolist()
        self._request.current_acceleration = [0.0] * joints
        self._trajectory = ruckig.Trajectory(joints)

    def towards(self, motion: Motion, target: np.ndarray, dt: float, speed: np.ndarray) -> Motion | None:
        """The motion `dt` seconds later on the way to rest at `target`; None if ruckig finds no way (brake then).

        speed: float64[n] [rad/s]; who is faster than that is slowed down within the acceleration limit.
        """
        self._request.current_position = motion.position.tolist()
        self._request.current_velocity = motion.velocity.tolist()
        self._request.target_position = target.tolist()
        self._request.max_velocity = speed.tolist()
        try:
            result = self._planner.calculate(self._request, self._trajectory)
        except ruckig.RuckigError:
            # numbers it cannot work with, such as two speeds that are opposite but for the last bit
            return None
        if result not in (ruckig.Result.Working, ruckig.Result.Finished):
            return None
        if dt >= self._trajectory.duration:
            return Motion.at_rest(target)
        position, velocity, _ = self._trajectory.at_time(dt)
        return Motion(np.array(position), np.array(velocity))


def braking_time(motion: Motion, acceleration: np.ndarray) -> float:
    """Seconds to a standstill when all joints brake together, along the path's tangent."""
    return float(np.max(np.abs(motion.velocity) / acceleration))


def brake(motion: Motion, dt: float, acceleration: np.ndarray) -> Motion:
    """The motion `dt` seconds later while all joints brake together. Braking twice stays on the same path."""
    left = braking_time(motion, acceleration)
    if dt >= left:
        return Motion.at_rest(motion.position + motion.velocity * left / 2)
    return Motion(motion.position + motion.velocity * (dt - dt * dt / (2 * left)), motion.velocity * (1 - dt / left))


def braking_distance(motion: Motion, acceleration: np.ndarray) -> np.ndarray:
    """float64[n] [rad]: from here to the standstill; a straight line in joint space."""
    return motion.velocity * braking_time(motion, acceleration) / 2
