"""Monotonic time, as fast as the world runs: where a machine cannot keep up, an emulated world is slowed as a whole."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from touchstone.errors import UsageError


@dataclass(frozen=True)
class Clock:
    """scale: seconds of this clock in a real second, 1 on a bench. Clocks of one scale agree between processes of one
    machine."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and 0.01 <= self.scale <= 1.0):
            raise UsageError(f"The time scale is {self.scale}; give 0.01 to 1 (1: real time).")

    def now_ns(self) -> int:
        """Monotonic; nanoseconds of this clock."""
        now = time.monotonic_ns()
        return now if self.scale == 1.0 else int(now * self.scale)

    def now(self) -> float:
        """Monotonic; seconds of this clock."""
        return self.now_ns() / 1e9

    def real(self, seconds: float) -> float:
        """Real seconds that `seconds` of this clock take: what a timeout of the operating system wants."""
        return seconds / self.scale

    def sleep(self, seconds: float) -> None:
        """Waits `seconds` of this clock; not at all for less than 0."""
        if seconds > 0:
            time.sleep(self.real(seconds))


REAL_TIME = Clock()
