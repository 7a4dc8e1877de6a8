"""What the camera tests share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from touchstone.calibration import CameraCalibration, nominal
from touchstone.clock import Clock

#: of the emulated camera's test pictures: the GrinningFace preset's lens
CALIBRATION: CameraCalibration = nominal("wx250s").cameras["scene"]


@dataclass(frozen=True)
class HandClock(Clock):
    """A clock that stands still until it is moved."""

    at: tuple[int, ...] = (0,)

    def now_ns(self) -> int:
        return self.at[0]

    def move(self, seconds: float) -> None:
        object.__setattr__(self, "at", (self.at[0] + round(seconds * 1e9),))


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Waits for something to become true; the time is only there to end a broken test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False
