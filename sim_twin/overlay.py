"""A user's own photograph behind the arm and the things of a task: INT-ACT's and SIMPLER's "visual matching"."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import sapien
from PIL import Image

from touchstone.errors import UsageError


class Overlay:
    """photo: uint8[H,W,3] RGB, seen by the scene's camera with nothing on the table."""

    def __init__(self, photo: np.ndarray) -> None:
        self._photo = photo
        self._kept: list[int] = []

    def keep(self, entities: Iterable[sapien.Entity]) -> None:
        """What is shown as rendered from now on; the photograph is everywhere else."""
        self._kept = [entity.per_scene_id for entity in entities]

    def over(self, colour: np.ndarray, camera) -> np.ndarray:
        """uint8[H,W,3]: the picture `colour` that SAPIEN's camera has just taken, and the photograph behind it."""
        kept = np.isin(_entities_seen(camera), self._kept)
        return np.where(kept[..., None], colour, self._photo)


def load_overlay(path: str, width: int, height: int) -> Overlay:
    """The photograph at `path`, for a camera of that size [px].

    Raises UsageError when it is not there, is no picture, or has another size.
    """
    try:
        with Image.open(Path(path).expanduser()) as picture:
            photo = np.asarray(picture.convert("RGB"))
    except OSError as error:
        why = error.strerror or "it is no picture"
        raise UsageError(f"Cannot read the photograph {path}: {why}; give a PNG or JPEG file.") from error
    if photo.shape[:2] != (height, width):
        has = f"{photo.shape[1]}x{photo.shape[0]}"
        raise UsageError(
            f"The photograph {path} has {has} pixels, and the camera {width}x{height}; scale one to the other."
        )
    return Overlay(photo)


def _entities_seen(camera) -> np.ndarray:
    """int[H,W]: id of the entity that each pixel shows, 0 for none."""
    # the shader `minimal` packs it beside the position; the others give shape, entity, scene
    if "Segmentation" in camera.get_picture_names():
        return camera.get_picture("Segmentation")[..., 1]
    return camera.get_picture("PositionSegmentation")[..., 3]
