"""Finds the dark blue cube in a calibrated picture, by its colour and by what a cube of its size looks like."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from touchstone.bench import CUBE_SIDE, TABLE_Z
from touchstone.cameras import CameraModel
from touchstone.vision.table_view import X_RANGE, Y_RANGE

#: the paint: blue over the other channels, and none of these bright (grey levels). Under warm light and on a face in
#: shadow the ratio stays above 1.5; a wall or a glyph that is as blue is much brighter
BLUE_OVER = 1.45
OTHERS_BELOW = 150
BLUE_AT_LEAST = 28
#: share of the area that a whole cube would cover; less is a drawing, or a cube that the arm hides
AREA_AT_LEAST, AREA_AT_MOST = 0.35, 2.0
STEPS = 4
MIDDLE = TABLE_Z + CUBE_SIDE / 2
_CORNERS = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * CUBE_SIDE


def find_cube(image: np.ndarray, model: CameraModel) -> np.ndarray | None:
    """The cube's middle, float64[3], metres, base frame, in `image` uint8[H,W,3] RGB; None when it is not in view."""
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(_paint(image).astype(np.uint8))
    best, best_fit = None, 0.0
    for label in range(1, count):
        place = _place(centroids[label], model)
        if place is None:
            continue
        silhouette = _silhouette(place, model)
        share = stats[label, cv2.CC_STAT_AREA] / max(cv2.contourArea(silhouette), 1.0)
        if not AREA_AT_LEAST < share < AREA_AT_MOST:
            continue
        # a drawing may have the cube's area, but not its outline
        fit = _overlap(labels == label, silhouette)
        if fit > best_fit:
            best, best_fit = place, fit
    return best


def _paint(image: np.ndarray) -> np.ndarray:
    red, green, blue = (channel.astype(np.float32) for channel in cv2.split(image))
    others = np.maximum(red, green)
    paint = (blue > BLUE_OVER * others) & (others < OTHERS_BELOW) & (blue > BLUE_AT_LEAST)
    return cv2.morphologyEx(paint.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(bool)


def _place(centroid: np.ndarray, model: CameraModel) -> np.ndarray | None:
    # the silhouette's centroid is not the middle's projection: correct the ray until they agree
    pixel = np.asarray(centroid, dtype=np.float64)
    place = None
    for _ in range(STEPS):
        place = _on_table(pixel, model)
        if place is None:
            return None
        moments = cv2.moments(_silhouette(place, model))
        if moments["m00"] == 0:
            return None
        pixel = pixel + centroid - np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    inside = X_RANGE[0] <= place[0] <= X_RANGE[1] and Y_RANGE[0] <= place[1] <= Y_RANGE[1]
    return place if inside else None


def _silhouette(place: np.ndarray, model: CameraModel) -> np.ndarray:
    return cv2.convexHull(model.project(place + _CORNERS).astype(np.float32))


def _overlap(blob: np.ndarray, outline: np.ndarray) -> float:
    """Intersection over union of a mask bool[H,W] and a convex outline float32[N,1,2], pixels."""
    inside = np.zeros(blob.shape, np.uint8)
    cv2.fillConvexPoly(inside, outline.round().astype(np.int32), 1)
    return np.count_nonzero(blob & (inside > 0)) / np.count_nonzero(blob | (inside > 0))


def _on_table(pixel: np.ndarray, model: CameraModel) -> np.ndarray | None:
    """Where the ray of a pixel meets the height of the cube's middle."""
    ray = model.base_from_camera.rotation().apply(np.linalg.solve(model.K, [*pixel, 1.0]))
    if ray[2] >= -1e-6:
        return None
    eye = model.base_from_camera.position
    return eye + ray * (MIDDLE - eye[2]) / ray[2]
