"""Two recorded films as one, side by side, small enough to lie inside a report."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import av
import cv2
import numpy as np

#: of each side [px]
WIDTH = 360
#: constant rate factor of H.264: about 40 kB for 15 seconds
_QUALITY = "30"


def side_by_side(left: Path | None, right: Path | None) -> str | None:
    """A data URI of an MP4 with `left` and `right` beside each other, tick by tick; the shorter one waits at its end.

    None if there is no film of either, or one that cannot be read.
    """
    if left is None or right is None:
        return None
    try:
        with av.open(str(left)) as one, av.open(str(right)) as other:
            return _joined(one, other)
    except (OSError, av.FFmpegError):
        return None


def _joined(one: av.container.InputContainer, other: av.container.InputContainer) -> str:
    data, stream, last = io.BytesIO(), None, [None, None]
    with av.open(data, "w", format="mp4") as out:
        for pair in zip_longest(_frames(one), _frames(other)):
            last = [before if frame is None else frame for frame, before in zip(pair, last, strict=True)]
            height = min(frame.shape[0] for frame in last)
            picture = np.hstack([frame[:height] for frame in last])
            if stream is None:
                rate, options = one.streams.video[0].average_rate, {"preset": "veryfast", "crf": _QUALITY}
                stream = out.add_stream("libx264", rate=rate, options=options)
                stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    return f"data:video/mp4;base64,{base64.b64encode(data.getvalue()).decode()}"


def _frames(film: av.container.InputContainer) -> Iterator[np.ndarray]:
    """uint8[h, WIDTH, 3] RGB each; h is even, as H.264 asks."""
    for frame in film.decode(video=0):
        picture = frame.to_ndarray(format="rgb24")
        height = 2 * round(WIDTH * picture.shape[0] / picture.shape[1] / 2)
        yield cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
