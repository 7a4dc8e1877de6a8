"""Compressed pictures, for links that are slower than loopback."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

QUALITY = 95


def encode(array: np.ndarray) -> bytes:
    """JPEG of a uint8[H,W,3] RGB picture, quality 95, without chroma subsampling; with loss."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()


def decode(data: memoryview, shape: tuple[int, ...], dtype: str) -> np.ndarray | None:
    """The picture uint8[H,W,3], or None when the data is no RGB JPEG of exactly `shape`."""
    if dtype != "uint8" or len(shape) != 3 or shape[2] != 3:
        return None
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            # checked before any pixel is decoded, so that a small file cannot claim a huge picture
            if picture.size != (shape[1], shape[0]) or picture.mode != "RGB":
                return None
            return np.array(picture)
    except Exception:  # Pillow's decoders raise many types for damaged data
        return None
