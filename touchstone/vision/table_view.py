"""The table seen from straight above: a calibrated picture rectified onto the plane of the cards' faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from touchstone.bench import CARD_THICKNESS, TABLE_Z
from touchstone.cameras import CameraModel

#: metres per pixel of the rectified view; finer than the `grinningface` camera's own 2 mm at the far cards
METRES_PER_PIXEL = 0.002
#: what an arm can reach of the table, base frame [m]
X_RANGE = (0.15, 0.55)
Y_RANGE = (-0.40, 0.40)
#: a pixel may be a black arm under this brightness (largest channel, over the lightest in view) and colourfulness
#: (channel range, grey levels)
DARK = 0.3
COLOURLESS = 32
GROW_PIXELS = 3


@dataclass(frozen=True)
class TableView:
    """image: uint8[H,W,3] RGB, up = base +x, left = base +y, `METRES_PER_PIXEL`.

    visible: bool[H,W], False where the camera does not see the table or the arm hides it.
    resolution: metres on the table that one camera pixel spans, at the middle of the view, along its worse axis.
    """

    image: np.ndarray
    visible: np.ndarray
    resolution: float


def table_view(image: np.ndarray, model: CameraModel) -> TableView:
    """Rectifies `image` uint8[H,W,3] RGB taken by `model`."""
    maps, seen, resolution = _rectification(_Key(model))
    flat = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return TableView(flat, seen & ~_arm(flat, seen), resolution)


def base_from_pixel(column: float, row: float) -> np.ndarray:
    """Base-frame xy [m], float64[2], of a point of the rectified view (pixel centres are whole numbers)."""
    return np.array([X_RANGE[1] - (row + 0.5) * METRES_PER_PIXEL, Y_RANGE[1] - (column + 0.5) * METRES_PER_PIXEL])


def channel_range(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest channel of each pixel of `image` [H,W,3]; much faster than NumPy along a short axis."""
    first, second, third = cv2.split(image)
    return cv2.min(cv2.min(first, second), third), cv2.max(cv2.max(first, second), third)


def _arm(flat: np.ndarray, seen: np.ndarray) -> np.ndarray:
    # a dark drawing on a card is dark and colourless as well, but an arm always comes in over the view's border
    darkest, brightest = channel_range(flat)
    lightest = np.percentile(brightest[seen], 99) if seen.any() else 255.0
    dark = ((brightest < DARK * lightest) & (brightest - darkest < COLOURLESS) & seen).astype(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(dark)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1], labels[~seen]])
    from_outside = np.zeros(count, dtype=bool)
    from_outside[np.unique(border)] = True
    from_outside[0] = False
    size = 2 * GROW_PIXELS + 1
    return cv2.dilate(from_outside[labels].astype(np.uint8), np.ones((size, size), np.uint8)).astype(bool)


class _Key:
    """Makes a camera model, which holds arrays, a key of the cache."""

    def __init__(self, model: CameraModel):
        self.model = model
        self._values = repr(model.to_json())

    def __hash__(self) -> int:
        return hash(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._values == other._values


@lru_cache(maxsize=8)
def _rectification(key: _Key) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, float]:
    model = key.model
    rows = round((X_RANGE[1] - X_RANGE[0]) / METRES_PER_PIXEL)
    columns = round((Y_RANGE[1] - Y_RANGE[0]) / METRES_PER_PIXEL)
    row, column = np.mgrid[0:rows, 0:columns]
    x, y = base_from_pixel(column, row)
    points = np.stack([x, y, np.full(x.shape, TABLE_Z + CARD_THICKNESS)], axis=-1).reshape(-1, 3)
    camera_from_base = model.base_from_camera.inverse()
    rotation = camera_from_base.rotation()
    depth = (rotation.apply(points) + camera_from_base.position)[:, 2].reshape(rows, columns)
    pixels, _ = cv2.projectPoints(points, rotation.as_rotvec(), camera_from_base.position, model.K, model.distortion)
    u, v = pixels.reshape(rows, columns, 2).transpose(2, 0, 1)
    seen = (depth > 0) & (u >= 0) & (u <= model.width - 1) & (v >= 0) & (v <= model.height - 1)
    jacobian = np.array([[np.gradient(c, axis=a)[rows // 2, columns // 2] for a in (0, 1)] for c in (u, v)])
    resolution = METRES_PER_PIXEL / float(np.linalg.svd(jacobian, compute_uv=False)[-1])
    maps = cv2.convertMaps(u.astype(np.float32), v.astype(np.float32), cv2.CV_16SC2)
    return maps, seen, resolution
