"""What every way carries: two pictures and a state there, a chunk of fifty actions back. NumPy only.

Each answer proves that both pictures arrived: its first number is worked out from them and the client checks it, after
the clock has stopped.
"""

from __future__ import annotations

from functools import cache

import numpy as np

HEIGHT, WIDTH = 480, 640
CHUNK = (50, 7)
STATE_SIZE = 8
INSTRUCTION = "Touch the card with the grinning face."
CAMERAS = ("scene", "wrist")
OBSERVATIONS = 8  # different ones, in turns, 1.8 MB each
THINKING_S = 0.020  # what the policy of the batching case takes for a batch, or for one observation


def pictures(number: int) -> dict[str, np.ndarray]:
    """Name -> uint8[480,640,3]: shaded surfaces, squares and a little noise, so that JPEG and PNG meet a picture."""
    generator = np.random.default_rng(number)
    found = {}
    for name in CAMERAS:
        left, right, down = generator.integers(40, 160, (3, 3))
        across = np.linspace(left, right, WIDTH)[None, :, :]
        picture = (across + np.linspace(0, down - 100, HEIGHT)[:, None, :]).astype(np.int16)
        for _ in range(12):
            y, x, side = generator.integers((0, 0, 20), (HEIGHT - 120, WIDTH - 120, 120))
            picture[y : y + side, x : x + side] = generator.integers(0, 256, 3)
        picture += generator.integers(-2, 3, picture.shape, dtype=np.int8)
        found[name] = np.clip(picture, 0, 255).astype(np.uint8)
    return found


def state(number: int) -> np.ndarray:
    """float32[8]."""
    return np.random.default_rng(number).normal(size=STATE_SIZE).astype(np.float32)


def fingerprint(scene: np.ndarray, wrist: np.ndarray) -> float:
    """A number in 0..1 from 600 values of each picture, spread over it."""
    return (float(scene[::48, ::32].mean()) + 2.0 * float(wrist[::48, ::32].mean())) / 765.0


def chunk_for(scene: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """The policy of every way: float64[50,7], its first number the fingerprint."""
    chunk = np.zeros(CHUNK)
    chunk[0, 0] = fingerprint(scene, wrist)
    return chunk


def check(number: int, chunk: np.ndarray, tolerance: float = 1e-6) -> None:
    """Raises RuntimeError unless the chunk answers the pictures of `number`; with loss, give a tolerance."""
    expected = _expected(number)
    if chunk.shape != CHUNK or not abs(float(chunk[0, 0]) - expected) <= tolerance:
        raise RuntimeError(f"observation {number} was answered by {chunk.shape}, {chunk[0, 0]!r}, not {expected!r}")


@cache
def _expected(number: int) -> float:
    return fingerprint(**pictures(number))
