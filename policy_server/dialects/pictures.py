"""Brings a picture to the size that a server wants, as its own client would."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from touchstone.errors import ContractMismatch

Resize = Literal["none", "stretch", "pad", "crop"]


def fit(image: np.ndarray, width: int, height: int, resize: Resize) -> np.ndarray:
    """uint8[height,width,3] of a picture uint8[H,W,3]; the picture itself where it has that size already.

    pad: keeps the shape and fills up with black, pixel for pixel as openpi_client.image_tools.resize_with_pad does
    (bilinear, the smaller margin first). crop: cuts the middle out to the shape, then scales. stretch: scales.
    Raises ContractMismatch for `none` and another size.
    """
    rows, columns = image.shape[:2]
    if (columns, rows) == (width, height):
        return image
    if resize == "none":
        raise ContractMismatch(
            f"The server wants pictures of {width}x{height} unresized and the camera gives {columns}x{rows}; change "
            "the camera's size, or say in the mapping how to resize."
        )
    if resize == "crop":
        kept_width, kept_height = min(columns, rows * width // height), min(rows, columns * height // width)
        left, top = (columns - kept_width) // 2, (rows - kept_height) // 2
        image = image[top : top + kept_height, left : left + kept_width]
    if resize != "pad":
        return _scaled(image, width, height)
    ratio = max(columns / width, rows / height)
    inner_width, inner_height = max(1, int(columns / ratio)), max(1, int(rows / ratio))
    out = np.zeros((height, width, 3), dtype=np.uint8)
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    out[top : top + inner_height, left : left + inner_width] = _scaled(image, inner_width, inner_height)
    return out


def _scaled(image: np.ndarray, width: int, height: int) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((width, height), resample=Image.Resampling.BILINEAR))
