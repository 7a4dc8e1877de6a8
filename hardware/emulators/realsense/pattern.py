"""A picture for trying out a camera without a renderer: different for every number, and known to whoever checks it."""

from __future__ import annotations

import numpy as np


def pattern(number: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour uint8[H,W,3] and depth uint16[H,W] of picture `number`: slopes that wander, and a bar with its number."""
    down, across = np.mgrid[:height, :width]
    colour = np.stack([across + 3 * number, down + 5 * number, across + down], axis=2).astype(np.uint8)
    colour[: height // 16] = [[255 * (number >> bit & 1)] * 3 for bit in np.arange(width) * 16 // width]
    depth = (500 + (across + 2 * down + number) % 1000).astype(np.uint16)
    return colour, depth
