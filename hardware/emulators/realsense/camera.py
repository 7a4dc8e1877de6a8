"""The emulated camera: librealsense's software device and the thread that feeds it."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace

import numpy as np

from hardware.emulators.realsense.device import SoftwareDevice
from hardware.realsense.sdk import rs
from touchstone.clock import Clock
from touchstone.data.frame_ring import FrameReader, RingFaults, RingFrame
from touchstone.errors import UsageError

POLL_S = 0.002  # real; how often the thread looks for a new picture
LIVES_S = 0.2  # real; how often it looks whether the writer still lives


class EmulatedCamera:
    """Shows the frame ring `name` through `device`, waiting up to `wait_s` of the clock for its writer.

    Raises UsageError when nobody writes the ring, or another clock is meant.
    """

    def __init__(self, name: str, clock: Clock, wait_s: float) -> None:
        self.name = f"The emulated camera '{name}'"
        self._ring, self._clock = FrameReader(name, clock.real(wait_s)), clock
        if self._ring.format.time_scale != clock.scale:
            scale = self._ring.format.time_scale
            self._ring.close()
            raise UsageError(
                f"{self.name} lives at {scale:g} of real time and this process at {clock.scale:g}; give both one time "
                "scale."
            )
        self._software = SoftwareDevice(name, self._ring.format, clock)
        self.device: rs.device = self._software.device
        self._waiting: deque[tuple[int, RingFrame]] = deque()
        self._next = max(1, self._ring.newest)
        self._last: RingFrame | None = None
        self._why: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulated-camera", daemon=True)
        self._thread.start()

    def gone(self) -> str | None:
        """Why no more pictures will come, or None."""
        return self._why

    def close(self) -> None:
        """Stops the thread and lets go of the ring; may be called twice."""
        self._stopping.set()
        self._thread.join()
        self._ring.close()

    def _run(self) -> None:
        try:
            self._feed()
        except RuntimeError as error:
            self._why = f"{self.name} cannot be fed, says librealsense: {str(error).rstrip('.')}; connect again."

    def _feed(self) -> None:
        looked = time.monotonic()
        while not self._stopping.wait(POLL_S):
            faults = self._ring.faults
            if faults.unplugged:
                self._why = f"{self.name} was unplugged; plug it in and connect again."
                return
            self._fetch(faults)
            self._show(faults)
            if time.monotonic() - looked > LIVES_S:
                looked = time.monotonic()
                if not self._ring.written:
                    self._why = f"The process that renders the frames '{self._ring.name}' has ended; start it again."
                    return

    def _fetch(self, faults: RingFaults) -> None:
        """Takes what is new in the ring."""
        newest = self._ring.newest
        # what was written over is lost, and counted by whoever reads the numbers
        self._next = max(self._next, self._ring.oldest)
        while self._next <= newest:
            frame = self._ring.read(self._next) if self._next > faults.lost_until else None
            self._next += 1
            if frame is not None:
                self._waiting.append((self._clock.now_ns() + int(faults.delay_s * 1e9), frame))

    def _show(self, faults: RingFaults) -> None:
        """Gives the device what is due."""
        while self._waiting and self._waiting[0][0] <= self._clock.now_ns():
            _, frame = self._waiting.popleft()
            if faults.black:
                frame = replace(
                    frame,
                    colour=np.zeros_like(frame.colour),
                    depth=None if frame.depth is None else np.zeros_like(frame.depth),
                )
            if self._last is not None:
                if faults.frozen:
                    frame = replace(frame, colour=self._last.colour, depth=self._last.depth)
                elif np.array_equal(frame.colour, self._last.colour):
                    # a sensor's noise never gives a picture twice, by which a frozen one is known
                    frame.colour[0, 0, 0] ^= 1
            self._software.show(frame)
            self._last = frame
