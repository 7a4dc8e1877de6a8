"""How a frame ring lies in memory: a page of facts, then the slots, each a sequence number and its pictures."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

import numpy as np

MAGIC = 0x544F55434846524D  # "TOUCHFRM"
VERSION = 1
PAGE = 4096
CACHE_LINE = 64

#: `newest`, `closed` and the faults change while a ring lives, each a word of its own; the rest is written once
HEADER = np.dtype(
    [
        ("magic", "u8"),
        ("newest", "u8"),
        ("lost_until", "u8"),
        ("delay_ns", "i8"),
        ("frozen", "u8"),
        ("black", "u8"),
        ("unplugged", "u8"),
        ("closed", "u8"),
        ("version", "u4"),
        ("slots", "u4"),
        ("width", "u4"),
        ("height", "u4"),
        ("fps", "f8"),
        ("depth_scale", "f8"),
        ("time_scale", "f8"),
        ("K", "f8", 9),
        ("distortion", "f8", 5),
    ]
)


def header(memory: mmap.mmap) -> np.ndarray:
    """The facts, in place: HEADER[]."""
    return np.ndarray((), HEADER, memory)


@dataclass(frozen=True)
class Layout:
    """Where the parts of a ring of `slots` pictures are."""

    width: int
    height: int
    depth: bool
    slots: int

    @property
    def bytes(self) -> int:
        return PAGE + self.slots * self._slot_bytes

    def slot(self, memory: mmap.mmap, number: int) -> dict[str, np.ndarray]:
        """The slot of picture `number`, in place: sequence u8[], stamp_ns i8[], colour u1[H,W,3], perhaps depth
        u2[H,W]."""
        start = PAGE + number % self.slots * self._slot_bytes
        parts = {
            "sequence": np.ndarray((), np.uint64, memory, start),
            "stamp_ns": np.ndarray((), np.int64, memory, start + 8),
            "colour": np.ndarray((self.height, self.width, 3), np.uint8, memory, start + CACHE_LINE),
        }
        if self.depth:
            parts["depth"] = np.ndarray((self.height, self.width), np.uint16, memory, start + self._depth_start)
        return parts

    @property
    def _depth_start(self) -> int:
        return CACHE_LINE + _up(self.width * self.height * 3, CACHE_LINE)

    @property
    def _slot_bytes(self) -> int:
        return _up(self._depth_start + (self.width * self.height * 2 if self.depth else 0), PAGE)


def _up(count: int, step: int) -> int:
    return -(-count // step) * step
