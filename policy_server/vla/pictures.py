"""How each model's picture is made: stretched to its size, by the very filter its evaluator used."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image


def lanczos(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8[H,W,3] to uint8[height,width,3]; OpenCV's 8x8 Lanczos, which does not smooth before it shrinks (pi0)."""
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LANCZOS4)


def area(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8[H,W,3] to uint8[height,width,3]; mean over each new pixel's area (SpatialVLA, OpenVLA)."""
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def bicubic(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8[H,W,3] to uint8[height,width,3]; Pillow's default filter (Magma)."""
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def smooth_lanczos(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8[H,W,3] to uint8[height,width,3]; Lanczos of radius 3 widened by the shrinking, rounded and clipped (Octo).

    The same filter as `tf.image.resize(..., "lanczos3", antialias=True)`; in floats, since Pillow's own 8-bit path
    rounds between its two passes.
    """
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(image, -1, 0)]
    resized = [np.asarray(plane.resize((width, height), Image.Resampling.LANCZOS)) for plane in planes]
    return np.clip(np.rint(np.stack(resized, axis=-1)), 0, 255).astype(np.uint8)


def unit(image: np.ndarray) -> np.ndarray:
    """uint8[H,W,3] as float32[3,H,W] in [0, 1]: what LeRobot's models take."""
    return np.ascontiguousarray(np.moveaxis(image, -1, 0), dtype=np.float32) / 255.0


def signed(image: np.ndarray) -> np.ndarray:
    """uint8[H,W,3] as float32[3,H,W] in [-1, 1]: what pi0's vision tower sees; LeRobot's pi0 makes it from `unit`."""
    return unit(image) * 2.0 - 1.0
