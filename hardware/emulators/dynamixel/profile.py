"""The motion profile that a Dynamixel makes of a new goal position."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.dynamixel.units import RADIANS, SPEED_UNIT

FASTEST = 1023 * SPEED_UNIT / RADIANS  # [ticks/s], the largest value of the velocity limit register
ACCELERATION_UNIT = 214.577 / 60 / 60 * 4096  # [ticks/s^2] of the profile acceleration register (Robotis e-manual)


@dataclass(frozen=True)
class Profile:
    """From `start` to `goal` [ticks], begun at `begun` [s], in `duration` with `ramp` of it at both ends [s].

    A new goal in mid-motion starts from rest at the reference: the real firmware keeps the speed.
    """

    start: float
    goal: float
    begun: float
    duration: float
    ramp: float

    @staticmethod
    def resting(position: float, now: float) -> Profile:
        return Profile(position, position, now, 0.0, 0.0)

    @staticmethod
    def timed(start: float, goal: float, now: float, total_ms: int, ramp_ms: int) -> Profile:
        """Drive mode bit 2: the registers give milliseconds; 0 = a step."""
        duration = total_ms / 1e3
        return Profile(start, goal, now, duration, min(ramp_ms / 1e3, duration / 2))

    @staticmethod
    def paced(start: float, goal: float, now: float, velocity: int, acceleration: int) -> Profile:
        """The registers give speed and acceleration; 0 = as fast as it can."""
        speed = velocity * SPEED_UNIT / RADIANS if velocity else FASTEST
        distance = abs(goal - start)
        if not acceleration:
            return Profile(start, goal, now, distance / speed, 0.0)
        ramp = speed / (acceleration * ACCELERATION_UNIT)
        if distance < speed * ramp:  # never reaches its speed
            ramp = (distance / (acceleration * ACCELERATION_UNIT)) ** 0.5
            return Profile(start, goal, now, 2 * ramp, ramp)
        return Profile(start, goal, now, distance / speed + ramp, ramp)

    def reference(self, now: float) -> float:
        """Where the motor wants to be [ticks]."""
        t = now - self.begun
        if t >= self.duration:
            return self.goal
        plateau = self.duration - self.ramp  # area of the trapezoid of height 1
        if t < self.ramp:
            done = t * t / (2 * self.ramp)
        elif t > plateau:
            done = plateau - (self.duration - t) ** 2 / (2 * self.ramp)
        else:
            done = t - self.ramp / 2
        return self.start + (self.goal - self.start) * done / plateau
