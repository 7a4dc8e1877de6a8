"""H.264 films: encoded once while an episode runs, joined later without encoding again, read back by time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from touchstone.errors import TouchstoneError

#: A key frame every 5 frames: at 224x224 5.1 kB a frame and 2.5 ms to reach any of them, against 8.0 kB and 1.7 ms
#: with 2 (LeRobot's default) and 4.0 kB and 3.6 ms with 10; at 640x480 27 kB and 12 ms, 38 and 10, 23 and 21.
#: crf 20 keeps 36 dB and more there. Without B-frames, decoding order is time order, also across a seam.
GOP, CRF, PRESET = 5, 20, "veryfast"
# one thread each, since episodes are staged by several processes at once
_OPTIONS = {"preset": PRESET, "crf": str(CRF), "g": str(GOP), "bf": "0", "threads": "1"}
# without it one small film in 200 comes out a few bytes different, from the same frames on the same machine
_OPTIONS["x264-params"] = "cpu-independent=1"
#: LeRobot compares float32 times with a tolerance of 1e-4 s; beyond 1024 s their steps are wider than that
MAX_SECONDS = 1000.0


def describe(height: int, width: int, fps: int) -> dict[str, Any]:
    """What `info.json` says of a film made here."""
    return {
        "video.height": height,
        "video.width": width,
        "video.codec": "h264",
        "video.pix_fmt": "yuv420p",
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
        "video.g": GOP,
        "video.crf": CRF,
        "video.preset": PRESET,
        "is_depth_map": False,
    }


class FilmWriter:
    """One episode's film at a constant frame rate, one frame for each `add`."""

    def __init__(self, path: Path, fps: int, height: int, width: int) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        self._stream = self._container.add_stream("libx264", rate=fps, options=_OPTIONS)
        self._stream.height, self._stream.width, self._stream.pix_fmt = height, width, "yuv420p"

    def add(self, image: np.ndarray) -> None:
        """image: uint8[H,W,3] RGB."""
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))

    def finish(self) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()

    def abandon(self) -> None:
        self._container.close()


def parameters(path: Path) -> bytes:
    """What a decoder must know before the first frame; only films with equal parameters can be joined.

    Raises TouchstoneError if the film cannot be read.
    """
    with _open(path) as container:
        context = container.streams.video[0].codec_context
        return f"{context.name} {context.width}x{context.height} ".encode() + bytes(context.extradata or b"")


class FilmJoin:
    """A film joined from films made here, without encoding again: frame k of it is due at k / fps exactly."""

    def __init__(self, path: Path, fps: int) -> None:
        # the index in front, so that a reader over a network finds it at once
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        self._fps = fps
        self._stream = None
        self.length = 0

    def add(self, path: Path, length: int) -> None:
        """Appends a film of `length` frames. Raises TouchstoneError if it has another number of frames."""
        with _open(path) as source:
            origin = source.streams.video[0]
            if self._stream is None:
                self._stream = self._container.add_stream_from_template(origin)
                self._stream.time_base = origin.time_base
            tick = round(1 / (self._fps * origin.time_base))
            count = 0
            for packet in source.demux(origin):
                if packet.size == 0:
                    continue
                packet.stream = self._stream
                packet.time_base = origin.time_base
                packet.pts = packet.dts = (self.length + count) * tick
                packet.duration = tick
                self._container.mux(packet)
                count += 1
        if count != length:
            raise TouchstoneError(
                f"The film {path} has {count} frames instead of {length}; delete it and record the episode again."
            )
        self.length += length

    def close(self) -> None:
        self._container.close()


def frames(path: Path, start_s: float, length: int, fps: float) -> Iterator[np.ndarray]:
    """The `length` pictures due at start_s + k / fps, uint8[H,W,3] RGB. TouchstoneError if one is missing."""
    with _open(path) as container:
        stream = container.streams.video[0]
        container.seek(round(start_s / stream.time_base), stream=stream, backward=True)
        wanted = 0
        for frame in container.decode(stream):
            number = (float(frame.pts * stream.time_base) - start_s) * fps
            if round(number) < wanted:
                continue
            if round(number) > wanted:
                break
            yield frame.to_ndarray(format="rgb24")
            wanted += 1
            if wanted == length:
                return
    raise TouchstoneError(
        f"The film {path} lacks the frame due at {start_s + wanted / fps:.3f} s; restore the dataset from a copy."
    )


def _open(path: Path):
    try:
        return av.open(str(path))
    except (av.error.InvalidDataError, FileNotFoundError):
        raise TouchstoneError(
            f"The film {path} cannot be read; restore it, or delete it and record the episode again."
        ) from None
