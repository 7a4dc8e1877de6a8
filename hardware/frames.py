"""What all camera drivers share: the newest pictures, whether they are fresh, and waiting for the next one."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from hardware.camera import CameraHealth
from touchstone.cameras import CameraModel
from touchstone.clock import Clock
from touchstone.errors import WorldFailure
from touchstone.world import CameraFrame

CLOCK = "monotonic"
KEPT = 8  # pictures that `next` can still give after newer ones came
BLACK_LEVEL = 16  # of 255: what a covered sensor's noise stays below
BLACK_SHARE = 0.999  # of a picture's values; the rest may be hot pixels
SECOND_NS = 1_000_000_000


class Pictures:
    """Filled by a driver's thread, read by any other.

    name: of the camera, for sentences. patience_s: how long the newest picture may be the newest before the camera
    counts as gone. Seconds and stamps are `clock`'s.
    """

    def __init__(self, name: str, patience_s: float, clock: Clock) -> None:
        self._name, self._patience_s, self._clock = name, patience_s, clock
        self._changed = threading.Condition()
        self._kept: deque[CameraFrame] = deque(maxlen=KEPT)
        self._arrivals: deque[int] = deque()
        self._failure: str | None = None
        self._frames = self._dropped = self._frozen = self._black = 0
        self._last_ns = clock.now_ns()

    def put(
        self,
        image: np.ndarray,
        stamp_ns: int,
        model: CameraModel,
        depth: np.ndarray | None = None,
        depth_scale: float | None = None,
        lost: int = 0,
    ) -> None:
        """A picture has arrived. lost: how many were captured since the one before and did not arrive.

        A stamp in the future becomes now, one that is not later than the last becomes just later: stamps only go up,
        whatever happens to the clock that they came from.
        """
        now = self._clock.now_ns()
        earlier = self._kept[-1] if self._kept else None
        stamp_ns = min(stamp_ns, now)
        if earlier is not None:
            stamp_ns = max(stamp_ns, earlier.stamp_ns + 1)
        repeats = earlier is not None and np.array_equal(image, earlier.image)
        dark = np.count_nonzero(image <= BLACK_LEVEL) >= BLACK_SHARE * image.size
        for array in (image, depth):
            if array is not None:
                array.flags.writeable = False
        frame = CameraFrame(image, stamp_ns, CLOCK, model, repeats, depth, None if depth is None else depth_scale)
        with self._changed:
            self._kept.append(frame)
            self._arrivals.append(now)
            self._forget(now)
            self._last_ns = now
            self._frames += 1
            self._dropped += lost
            self._frozen = self._frozen + 1 if repeats else 0
            self._black = self._black + 1 if dark else 0
            self._changed.notify_all()

    def fail(self, sentence: str) -> None:
        """The camera is gone for good; everybody is told this sentence."""
        with self._changed:
            self._failure = self._failure or sentence
            self._changed.notify_all()

    def frame(self) -> CameraFrame:
        """As `Camera.frame`."""
        with self._changed:
            self._check()
            silent_s = (self._clock.now_ns() - self._last_ns) / SECOND_NS
            if not self._kept or silent_s > self._patience_s:
                raise WorldFailure(f"{self._name} has given no picture for {silent_s:.1f} s; look at its cable.")
            return self._kept[-1]

    def next(self, after_ns: int, timeout_s: float) -> CameraFrame:
        """As `Camera.next`."""
        deadline = self._clock.now() + timeout_s
        with self._changed:
            while True:
                # what came before a failure is still a picture
                for frame in self._kept:
                    if frame.stamp_ns > after_ns:
                        return frame
                self._check()
                left = deadline - self._clock.now()
                if left <= 0:
                    raise WorldFailure(f"{self._name} gave no new picture within {timeout_s:g} s; look at its cable.")
                self._changed.wait(self._clock.real(left))

    def health(self) -> CameraHealth:
        """As `Camera.health`."""
        with self._changed:
            self._forget(self._clock.now_ns())
            return CameraHealth(self._frames, float(len(self._arrivals)), self._dropped, self._frozen, self._black)

    def _check(self) -> None:
        if self._failure:
            raise WorldFailure(self._failure)

    def _forget(self, now: int) -> None:
        while self._arrivals and self._arrivals[0] <= now - SECOND_NS:
            self._arrivals.popleft()
