"""The gate's numbers in one place; every one may be tightened for a bench, none may be switched off."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from touchstone.bench import TABLE_Z
from touchstone.errors import UsageError

MS = 1_000_000  # [ns]

#: a joint may start this far outside its limits: one encoder tick of a Dynamixel (2 pi / 4096 = 1.5 mrad)
POSITION_TOLERANCE = 0.002


@dataclass(frozen=True)
class Box:
    """Where the TCP may be: corners in the base frame [m]."""

    lower: tuple[float, float, float] = (-0.35, -0.65, TABLE_Z)
    upper: tuple[float, float, float] = (0.65, 0.65, 1.10)


@dataclass(frozen=True)
class GateSettings:
    """Lengths in m, angles in rad, times in ns, temperatures in deg C, forces in N.

    link_clearance, tip_clearance: of every link and of the fingers over the table. tip_force: largest estimated force
    at the TCP while the fingers are lower than `link_clearance`. speed: fraction of the arm's joint speed that is used.
    ramp_speed: fraction of that until the first target of a source is reached. step: farthest that a target may lie
    from what is commanded, in any joint. longest_tick: a later caller gets the motion of this much time.
    stale_hold, stale_stop: time without a target in time until the arm holds, until it stops and latches.
    reading_age: oldest state that may be acted on. tracking_error for tracking_time: latched stop.
    effort: fraction of a joint's effort limit that it may hold for `effort_time`; then it rests for `rest_time`.
    rest_temperature: rest, until every motor is at most at `resume_temperature`; stop_temperature: latched stop.
    """

    box: Box = Box()
    link_clearance: float = 0.020
    tip_clearance: float = 0.001
    tip_force: float = 15.0
    speed: float = 1.0
    ramp_speed: float = 0.25
    step: float = 0.6
    longest_tick: int = 50 * MS
    stale_hold: int = 400 * MS
    stale_stop: int = 2000 * MS
    reading_age: int = 100 * MS
    future: int = 50 * MS
    tracking_error: float = 0.25
    tracking_time: int = 500 * MS
    effort: float = 0.8
    effort_time: int = 1000 * MS
    rest_time: int = 5000 * MS
    rest_temperature: float = 60.0
    resume_temperature: float = 50.0
    stop_temperature: float = 70.0
    #: largest grip force; None = what the gripper can
    grip_force: float | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, (int, float)) and not (math.isfinite(value) and value > 0):
                raise UsageError(f"Safety setting '{each.name}' is {value}; give a positive number.")
        for name in ("speed", "ramp_speed", "effort"):
            if getattr(self, name) > 1:
                raise UsageError(f"Safety setting '{name}' is {getattr(self, name)}; give a fraction up to 1.")
        if not all(low < high for low, high in zip(self.box.lower, self.box.upper, strict=True)):
            raise UsageError(f"The workspace box {self.box.lower} to {self.box.upper} is empty; give lower < upper.")
        if not self.resume_temperature < self.rest_temperature < self.stop_temperature:
            raise UsageError("The safety temperatures must rise from resume over rest to stop; correct them.")
        if not self.stale_hold < self.stale_stop:
            raise UsageError("The safety setting 'stale_stop' must be longer than 'stale_hold'; correct them.")
        if self.tip_clearance > self.link_clearance:
            raise UsageError("The safety setting 'tip_clearance' must not exceed 'link_clearance'; correct them.")
