"""Shows in a bench's picture where an episode's cards shall lie, and where they were found."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from touchstone.bench import CARD_THICKNESS, TABLE_Z
from touchstone.cameras import CameraModel
from touchstone.spec import Spec
from touchstone.tasks.emoji.cards import card_corners, card_picture
from touchstone.vision.cards import Detection

#: how much of a card's picture lies over the bench's, until it was found there
GHOST = 0.45
WANTED, FOUND, AWAY = (255, 190, 0), (40, 200, 90), (235, 60, 60)
#: a card that lies further than this from where it shall is called away [m]; the layouts' own jitter is 20 mm
NEAR_ENOUGH = 0.02


def placement_overlay(
    image: np.ndarray, model: CameraModel, spec: Spec, found: Mapping[str, Detection | None]
) -> np.ndarray:
    """A copy of `image` uint8[H,W,3] RGB: a ghost of each card and its outline where it shall lie, a second outline
    where it was found (green when near enough, else red). found: by placement's name; None = not seen."""
    out = image.copy()
    for placement in spec.layout:
        if placement.kind != "card":
            continue
        wanted = _corners(model, placement.xy, placement.yaw)
        seen = found.get(placement.name)
        if seen is None:
            out = _ghost(out, card_picture(placement.emoji), wanted)
        _outline(out, wanted, WANTED)
        if seen is not None:
            _outline(out, _corners(model, seen.xy, seen.yaw), FOUND if near_enough(placement.xy, seen) else AWAY)
    return out


def near_enough(xy: tuple[float, float], seen: Detection) -> bool:
    """Whether a card was found near enough to where it shall lie."""
    return bool(np.linalg.norm(np.subtract(seen.xy, xy)) <= NEAR_ENOUGH)


def _corners(model: CameraModel, xy, yaw: float) -> np.ndarray:
    # float32[4,2] pixels, through the lens as the camera sees them
    flat = card_corners(xy, yaw)
    points = np.column_stack([flat, np.full(4, TABLE_Z + CARD_THICKNESS)])
    camera_from_base = model.base_from_camera.inverse()
    turn = camera_from_base.rotation().as_rotvec()
    pixels, _ = cv2.projectPoints(points, turn, camera_from_base.position, model.K, model.distortion)
    return pixels.reshape(4, 2).astype(np.float32)


def _ghost(image: np.ndarray, card: np.ndarray, corners: np.ndarray) -> np.ndarray:
    side = card.shape[0]
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    onto = cv2.getPerspectiveTransform(square, corners)
    size = image.shape[1::-1]
    shown = cv2.warpPerspective(card, onto, size)
    where = cv2.warpPerspective(np.full((side, side), GHOST, np.float32), onto, size)[..., None]
    return np.round(image * (1 - where) + shown * where).astype(np.uint8)


def _outline(image: np.ndarray, corners: np.ndarray, colour: tuple[int, int, int]) -> None:
    points = np.round(corners).astype(np.int32)
    cv2.polylines(image, [points], True, colour, 2, cv2.LINE_AA)
    # a dot in the middle of the edge where the drawing's top is
    top = tuple(int(v) for v in np.round(corners[:2].mean(axis=0)))
    cv2.circle(image, top, 5, colour, -1, cv2.LINE_AA)
