"""Finds printed emoji cards in one calibrated picture. Pure functions; nothing is remembered but rendered templates.

Method: rectify the table's plane; match the glyph's gradients (normalised correlation over shift, yaw and scale; plain
grey correlation fails as soon as a finger is in the picture); then score the few best places by colour, white balanced
on the card's own paper and truncated, over the pixels that the arm leaves visible.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from touchstone.bench import CARD_SIDE
from touchstone.cameras import CameraModel
from touchstone.tasks.emoji.cards import card_picture
from touchstone.vision.table_view import METRES_PER_PIXEL, TableView, base_from_pixel, channel_range, table_view

CARD_PIXELS = round(CARD_SIDE / METRES_PER_PIXEL)
#: of the card's side that a template shows: the glyph and some paper, not the edge that vanishes on a light table
SHOWN = 0.82
#: the coarse search runs at a half of the view's resolution
COARSE = 2
COARSE_YAWS = np.radians([-14.0, -7.0, 0.0, 7.0, 14.0])
FINE_YAWS = np.radians([-3.5, 0.0, 3.5])
FINE_SCALES = (0.96, 1.0, 1.04)
#: places that the coarse search hands on
CANDIDATES = 4
#: two candidates nearer than this are one card [m]
APART = 0.6 * CARD_SIDE
#: gradients (grey levels a pixel) well above this count alike, so that one strong edge does not outweigh the drawing
GRADIENT_KNEE = 24.0
#: a colour difference (0..1, mean of the channels) above this is as wrong as any
COLOUR_KNEE = 0.35
#: a template's paper and its black ink [grey levels]
PAPER_ABOVE = 245
BLACK_BELOW = 90
#: least score of a card that is believed. Measured over 620 pictures: unhidden cards 0.78 and more, cards half hidden
#: by the arm 0.60 and more (19 of 20 over 0.70), absent ones 0.45 in the middle and under 0.65 but for one in 250.
FOUND = 0.65
#: share of a template's pixels that must be visible to judge a place by them
VISIBLE_AT_LEAST = 0.2
#: how far the fine search goes from a coarse place [pixels]; a coarse pixel is 2
SIDE_STEP = 3


@dataclass(frozen=True)
class Detection:
    """xy: card centre [m], base frame, float64[2]. yaw: [rad] about base z. score: 0 nothing .. 1 perfect."""

    xy: np.ndarray
    yaw: float
    score: float


def locate(image: np.ndarray, model: CameraModel, char: str) -> Detection:
    """The best place for the card that shows the emoji `char`, in `image` uint8[H,W,3] RGB; its score says whether to
    believe it."""
    view = table_view(image, model)
    places = _coarse(view, char)
    fine = gradients(view.image, view.visible)
    found = [_refined(view, fine, char, place) for place in places]
    return max(found, key=lambda detection: detection.score)


def _coarse(view: TableView, char: str) -> list[tuple[float, float, float]]:
    # (column, row, yaw) of the best places, in pixels of the full view
    size = (view.image.shape[1] // COARSE, view.image.shape[0] // COARSE)
    image = cv2.resize(view.image, size, interpolation=cv2.INTER_AREA)
    visible = cv2.resize(view.visible.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
    scene = gradients(image, visible)
    blur = _blur(view, METRES_PER_PIXEL * COARSE)
    maps = [
        cv2.matchTemplate(scene, _template(char, yaw, 1.0, COARSE, blur).gradients, cv2.TM_CCORR_NORMED)
        for yaw in COARSE_YAWS
    ]
    best = np.max(maps, axis=0)
    which = np.argmax(maps, axis=0)
    half = (_side(1.0, COARSE) - 1) / 2
    places = []
    for _ in range(CANDIDATES):
        row, column = np.unravel_index(np.argmax(best), best.shape)
        yaw = float(COARSE_YAWS[which[row, column]])
        places.append((_full(column + half), _full(row + half), yaw))
        reach = round(APART / METRES_PER_PIXEL / COARSE)
        best[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] = -1
    return places


def _full(coarse: float) -> float:
    return (coarse + 0.5) * COARSE - 0.5


def _refined(view: TableView, fine: np.ndarray, char: str, place: tuple[float, float, float]) -> Detection:
    fit = _best_fit(fine, char, place, _blur(view, METRES_PER_PIXEL))
    if fit is None:
        return Detection(base_from_pixel(*place[:2]), place[2], 0.0)
    side = len(fit.template.picture)
    cut = (slice(fit.top, fit.top + side), slice(fit.left, fit.left + side))
    colour = _colour_likeness(view.image[cut], view.visible[cut], fit.template)
    centre = base_from_pixel(fit.left + (side - 1) / 2, fit.top + (side - 1) / 2)
    return Detection(centre, fit.yaw, float(np.sqrt(max(fit.value, 0.0) * colour)))


def _best_fit(fine: np.ndarray, char: str, place: tuple[float, float, float], blur: float) -> _Fit | None:
    # None when the card would reach over the view's border
    column, row, coarse_yaw = place
    best: _Fit | None = None
    for yaw, scale in itertools.product(coarse_yaw + FINE_YAWS, FINE_SCALES):
        template = _template(char, float(yaw), scale, 1, blur)
        side = len(template.gradients)
        top, left = (max(round(v - (side - 1) / 2) - SIDE_STEP, 0) for v in (row, column))
        window = fine[top : top + side + 2 * SIDE_STEP, left : left + side + 2 * SIDE_STEP]
        if min(window.shape[:2]) < side:
            continue
        match = cv2.matchTemplate(window, template.gradients, cv2.TM_CCORR_NORMED)
        _, value, _, (right, down) = cv2.minMaxLoc(match)
        if best is None or value > best.value:
            best = _Fit(value, template, top + down, left + right, float(yaw))
    return best


def _colour_likeness(patch: np.ndarray, visible: np.ndarray, template: _Template) -> float:
    paper = visible & template.paper
    # a black drawing that touches the arm was taken for the arm: there it is no contradiction
    drawn = (visible | template.black) & ~template.paper
    enough_drawing = drawn.sum() >= VISIBLE_AT_LEAST * (~template.paper).sum()
    enough_paper = paper.sum() >= VISIBLE_AT_LEAST * template.paper.sum()
    if not (enough_drawing and enough_paper):
        return 0.0
    white = np.maximum(np.median(patch[paper], axis=0), 1.0)
    balanced = np.minimum(patch / white, 1.0)
    difference = np.abs(balanced - template.picture / 255.0).mean(axis=2)
    wrong = np.minimum(difference / COLOUR_KNEE, 1.0)
    # paper and drawing weigh the same, however small the drawing is
    return 1.0 - 0.5 * float(wrong[drawn].mean() + wrong[paper].mean())


@dataclass(frozen=True)
class _Template:
    picture: np.ndarray
    gradients: np.ndarray
    paper: np.ndarray
    black: np.ndarray


@dataclass(frozen=True)
class _Fit:
    value: float
    template: _Template
    top: int
    left: int
    yaw: float


def _side(scale: float, coarse: int) -> int:
    return round(SHOWN * CARD_PIXELS * scale / coarse)


@lru_cache(maxsize=4096)
def _template(char: str, yaw: float, scale: float, coarse: int, blur: float) -> _Template:
    card = card_picture(char)
    side = _side(scale, coarse)
    # drawn four times too large and averaged down, so that fine strokes do not alias
    wide = 4 * side
    # a positive yaw turns the card counter-clockwise, seen from above with +x up
    turn = cv2.getRotationMatrix2D(((card.shape[1] - 1) / 2,) * 2, np.degrees(yaw), wide / (SHOWN * card.shape[0]))
    turn[:, 2] += (wide - card.shape[0]) / 2
    shrunk = cv2.warpAffine(
        card, turn, (wide, wide), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(255, 255, 255)
    )
    picture = cv2.resize(shrunk, (side, side), interpolation=cv2.INTER_AREA)
    if blur > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    darkest, brightest = channel_range(picture)
    paper = cv2.erode((darkest > PAPER_ABOVE).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    black = brightest < BLACK_BELOW
    return _Template(picture, gradients(picture, np.ones(picture.shape[:2], dtype=bool)), paper, black)


def _blur(view: TableView, pixel: float) -> float:
    # what a camera with larger pixels than the view's lost, as a Gaussian of half its pixel [view pixels]
    sigma = 0.5 * view.resolution / pixel
    return round(sigma, 1) if sigma > 0.5 else 0.0


def gradients(image: np.ndarray, visible: np.ndarray) -> np.ndarray:
    # float32[H,W,2]: the strongest channel's gradient, compressed; zero next to what is not visible
    smooth = cv2.GaussianBlur(image, (3, 3), 0)
    channels_across = cv2.split(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8))
    channels_down = cv2.split(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8))
    lengths = [cv2.magnitude(a, d) for a, d in zip(channels_across, channels_down, strict=True)]
    across, down, length = channels_across[0], channels_down[0], lengths[0]
    for other_across, other_down, other_length in zip(channels_across[1:], channels_down[1:], lengths[1:], strict=True):
        stronger = other_length > length
        across = np.where(stronger, other_across, across)
        down = np.where(stronger, other_down, down)
        length = np.where(stronger, other_length, length)
    gain = cv2.erode(visible.astype(np.uint8), np.ones((3, 3), np.uint8)) / (length + GRADIENT_KNEE)
    return np.dstack([across * gain, down * gain]).astype(np.float32)
