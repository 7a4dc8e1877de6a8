"""Pictures for an emulated camera, each of which tells which one it is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from touchstone.cameras import preset
from touchstone.clock import REAL_TIME, Clock
from touchstone.data.frame_ring import FrameWriter

MODEL = preset("grinningface")
FPS = 10


class Scene:
    """Writes into `ring` until it is closed; `pictures` by the stamp of their capture [ns]. While `pause` is set, the
    camera gives nothing."""

    def __init__(self, clock: Clock = REAL_TIME) -> None:
        self._clock = clock
        self.ring = f"test-{os.getpid()}-{time.monotonic_ns()}"
        self.writer = FrameWriter(self.ring, (MODEL.width, MODEL.height), MODEL.K, FPS, clock=clock)
        self.pictures: dict[int, np.ndarray] = {}
        self.pause = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def at(self, stamp_ns: int) -> np.ndarray:
        """The picture that was captured at `stamp_ns`, give or take what the device's clock does to a stamp."""
        nearest = min(list(self.pictures), key=lambda each: abs(each - stamp_ns))
        assert abs(nearest - stamp_ns) < 1e9 / FPS
        return self.pictures[nearest]

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self.writer.close()

    def _write(self) -> None:
        generator = np.random.default_rng(0)
        blocks = generator.integers(0, 255, (MODEL.height // 16, MODEL.width // 16, 3), dtype=np.uint8)
        coarse, k = np.kron(blocks, np.ones((16, 16, 1), np.uint8)), 0
        while not self._ending.wait(self._clock.real(1 / FPS)):
            if self.pause.is_set():
                continue
            k += 1
            stamp, picture = self._clock.now_ns(), np.roll(coarse, 16 * k, axis=1)
            self.pictures[stamp] = picture
            self.writer.write(picture, stamp)


@contextmanager
def scene(clock: Clock = REAL_TIME) -> Iterator[Scene]:
    made = Scene(clock)
    try:
        yield made
    finally:
        made.close()
