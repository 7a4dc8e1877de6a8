"""Test pictures in this process, and what they say."""

from __future__ import annotations

import threading

import numpy as np

from hardware.emulators.realsense.pattern import pattern
from tests.hardware.cameras.samples import CALIBRATION
from touchstone.clock import REAL_TIME, Clock
from touchstone.data.frame_ring import FrameWriter

SIZE = (CALIBRATION.width, CALIBRATION.height)
K = CALIBRATION.model().K
PATIENT = 30.0  # seconds that a busy machine may take


class Writer:
    """Writes patterns in a thread of this process and remembers their stamps by number."""

    def __init__(self, name: str, fps: float, clock: Clock = REAL_TIME, depth_scale: float | None = 0.001, still=False):
        self.ring = FrameWriter(name, SIZE, K, fps, depth_scale=depth_scale, clock=clock)
        self.stamps: dict[int, int] = {}
        self._clock, self._period, self._still = clock, 1 / fps, still
        self._depth = depth_scale is not None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        number = 0
        while not self._stop.wait(self._clock.real(self._period)):
            number += 1
            colour, depth = pattern(0 if self._still else number, *SIZE)
            stamp = self.stamps[number] = self._clock.now_ns()
            self.ring.write(colour, stamp, depth if self._depth else None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.ring.close()


def number_of(image: np.ndarray) -> int:
    """The number that the bar at the top of a pattern says."""
    width = image.shape[1]
    bits = image[0, width // 32 :: width // 16, 0][:16] > 127
    return int(sum(1 << k for k in range(16) if bits[k]))
