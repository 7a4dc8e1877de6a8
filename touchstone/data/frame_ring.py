"""Pictures from one process to others on one computer: a ring in shared memory with one writer.

Each slot is a seqlock: its sequence is odd while it is written and twice the picture's number afterwards, so a reader
that sees the same even sequence before and after its copy has a whole picture (x86 keeps the order of stores). The
writer holds a lock on the file for as long as it lives, however it ends.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import dataclass

import numpy as np

from touchstone.clock import REAL_TIME, Clock
from touchstone.data.frame_files import attach, is_owned, own, ring_path
from touchstone.data.frame_layout import MAGIC, VERSION, Layout, header

SLOTS = 8


@dataclass(frozen=True)
class RingFormat:
    """What a ring carries. K: float64[3,3] [px]; distortion: float64[5], OpenCV order. fps: pictures in a second of the
    clock. depth_scale: metres in a step of depth, None without depth. time_scale: of the writer's clock."""

    width: int
    height: int
    K: np.ndarray
    distortion: np.ndarray
    fps: float
    depth_scale: float | None = None
    time_scale: float = 1.0


@dataclass(frozen=True)
class RingFrame:
    """One picture: `colour` uint8[H,W,3] RGB, `depth` uint16[H,W] or None, captured at `stamp_ns`. Numbers count up
    from 1."""

    number: int
    stamp_ns: int
    colour: np.ndarray
    depth: np.ndarray | None


@dataclass(frozen=True)
class RingFaults:
    """What the camera behind the ring is to suffer. delay_s: of the ring's clock. lost_until: pictures up to this
    number are lost."""

    frozen: bool = False
    black: bool = False
    unplugged: bool = False
    delay_s: float = 0.0
    lost_until: int = 0


class FrameWriter:
    """Makes the ring `name` and is its only writer. Raises UsageError when the name is bad or somebody else writes it.

    size: width, height [px]. clock: the one of all stamps. The rest as in `RingFormat`.
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        K: np.ndarray,
        fps: float,
        *,
        distortion: np.ndarray | None = None,
        depth_scale: float | None = None,
        clock: Clock = REAL_TIME,
    ) -> None:
        self._path = ring_path(name)
        self._layout = Layout(*size, depth=depth_scale is not None, slots=SLOTS)
        self._file = own(self._path, self._layout.bytes)
        self._memory = mmap.mmap(self._file, self._layout.bytes)
        self._facts = header(self._memory)
        self._last_ns: int | None = None
        facts = {
            "version": VERSION,
            "slots": SLOTS,
            "width": size[0],
            "height": size[1],
            "fps": fps,
            "depth_scale": depth_scale or 0.0,
            "time_scale": clock.scale,
            "K": np.ravel(K),
            "distortion": np.zeros(5) if distortion is None else distortion,
            "magic": MAGIC,  # last: until then nobody reads
        }
        for field, value in facts.items():
            self._facts[field] = value

    def write(self, colour: np.ndarray, stamp_ns: int, depth: np.ndarray | None = None) -> int:
        """Adds a picture and gives its number. Stamps go up; depth is given if and only if the ring has it."""
        if self._last_ns is not None and stamp_ns <= self._last_ns:
            raise ValueError(f"A picture of {stamp_ns} ns came after one of {self._last_ns} ns.")
        number = int(self._facts["newest"]) + 1
        slot = self._layout.slot(self._memory, number)
        _check("colour", colour, slot["colour"])
        _check("depth", depth, slot.get("depth"))
        slot["sequence"][...] = 2 * number - 1
        slot["stamp_ns"][...] = stamp_ns
        slot["colour"][...] = colour
        if depth is not None:
            slot["depth"][...] = depth
        slot["sequence"][...] = 2 * number
        self._facts["newest"] = number
        self._last_ns = stamp_ns
        return number

    def fault(
        self,
        *,
        frozen: bool = False,
        black: bool = False,
        unplugged: bool = False,
        delay_s: float = 0.0,
        drop: int = 0,
    ) -> None:
        """Says what the camera is to suffer from now on, all of it: without arguments, nothing.

        frozen: it repeats its last picture, under new numbers and stamps. black: its lens is covered. unplugged: it is
        gone, for good. delay_s: pictures come later by so much of the clock. drop: so many of the next ones are lost.
        """
        self._facts["delay_ns"] = int(delay_s * 1e9)
        self._facts["lost_until"] = int(self._facts["newest"]) + drop if drop else 0
        self._facts["frozen"], self._facts["black"], self._facts["unplugged"] = frozen, black, unplugged

    def close(self) -> None:
        """Takes the ring away; may be called twice."""
        if self._facts is None:
            return
        self._facts["closed"] = 1
        self._facts = None
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(BufferError):
            self._memory.close()
        os.close(self._file)

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(self, *_) -> None:
        self.close()


class FrameReader:
    """Reads the ring `name`, waiting up to `wait_s` [real s] for its writer. Raises UsageError when there is none."""

    def __init__(self, name: str, wait_s: float = 0.0) -> None:
        self.name = name
        self._file, self._memory = attach(name, wait_s)
        self._facts = facts = header(self._memory)
        scale = float(facts["depth_scale"])
        self._layout = Layout(int(facts["width"]), int(facts["height"]), depth=bool(scale), slots=int(facts["slots"]))
        self.format = RingFormat(
            width=self._layout.width,
            height=self._layout.height,
            K=facts["K"].reshape(3, 3).copy(),
            distortion=facts["distortion"].copy(),
            fps=float(facts["fps"]),
            depth_scale=scale or None,
            time_scale=float(facts["time_scale"]),
        )

    @property
    def newest(self) -> int:
        """The number of the newest picture, 0 before the first."""
        return int(self._facts["newest"])

    @property
    def oldest(self) -> int:
        """The number of the oldest picture that is safe from being written over next, at least 1."""
        return max(1, self.newest - self._layout.slots + 2)

    @property
    def faults(self) -> RingFaults:
        return RingFaults(
            frozen=bool(self._facts["frozen"]),
            black=bool(self._facts["black"]),
            unplugged=bool(self._facts["unplugged"]),
            delay_s=float(self._facts["delay_ns"]) / 1e9,
            lost_until=int(self._facts["lost_until"]),
        )

    @property
    def written(self) -> bool:
        """Whether the writer still lives."""
        return not self._facts["closed"] and is_owned(self._file)

    def read(self, number: int) -> RingFrame | None:
        """A copy of the picture `number`; None when it is not there yet, or not any more."""
        slot = self._layout.slot(self._memory, number)
        if slot["sequence"] != 2 * number:
            return None
        depth = slot.get("depth")
        frame = RingFrame(
            number=number,
            stamp_ns=int(slot["stamp_ns"]),
            colour=slot["colour"].copy(),
            depth=None if depth is None else depth.copy(),
        )
        return frame if slot["sequence"] == 2 * number else None

    def close(self) -> None:
        """Lets go of the ring, which nobody may be reading; may be called twice."""
        if self._facts is None:
            return
        self._facts = None
        with contextlib.suppress(BufferError):
            self._memory.close()
        os.close(self._file)


def _check(name: str, given: np.ndarray | None, place: np.ndarray | None) -> None:
    has = None if given is None else (given.dtype, given.shape)
    wants = None if place is None else (place.dtype, place.shape)
    if has != wants:
        raise ValueError(f"The ring's {name} is {wants}, not {has}.")
