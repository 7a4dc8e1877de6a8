"""The MP4 and the end picture of an episode, encoded while it runs."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from touchstone.data.drawing import Frame
from touchstone.facts import Facts
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict

#: the last frame, with the verdict, stays this long [s]
HOLD_S = 1.5
END_PICTURE_QUALITY = 85


class VideoWriter:
    """H.264 at the control rate, one frame a tick, 640 wide. `finish` draws the verdict and holds it."""

    def __init__(self, path: Path, spec: Spec) -> None:
        self._rate = round(spec.rate_hz)
        self._frame = Frame(spec)
        self._container = av.open(str(path), "w", format="mp4")
        self._stream = None
        self._last: np.ndarray | None = None

    def add(self, image: np.ndarray, facts: Facts) -> None:
        """One tick: `image` uint8[h,w,3] RGB."""
        self._last = image
        self._encode(self._frame.running(image, facts))

    def finish(self, verdict: Verdict, picture: Path) -> None:
        """Ends the film and writes the end picture, a JPEG, to `picture`. Needs at least one `add`."""
        end = self._frame.ended(self._last, verdict)
        for _ in range(max(1, round(HOLD_S * self._rate))):
            self._encode(end)
        self._container.mux(self._stream.encode())
        self._container.close()
        bgr = cv2.cvtColor(end, cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, END_PICTURE_QUALITY])
        picture.write_bytes(jpeg)

    def abandon(self) -> None:
        self._container.close()

    def _encode(self, frame: np.ndarray) -> None:
        if self._stream is None:
            # veryfast: 5 ms a frame on one core, a third of the size that ultrafast makes
            self._stream = self._container.add_stream("libx264", rate=self._rate, options={"preset": "veryfast"})
            self._stream.width, self._stream.height = frame.shape[1], frame.shape[0]
            self._stream.pix_fmt = "yuv420p"
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
