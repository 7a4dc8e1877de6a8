"""Finds every card on the table without knowing what is printed on any: by the edges of the average card."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from touchstone.cameras import CameraModel
from touchstone.tasks.emoji.cards import card_picture
from touchstone.tasks.emoji.splits import split
from touchstone.vision.cards import CARD_PIXELS, Detection, gradients
from touchstone.vision.table_view import base_from_pixel, channel_range, table_view

#: an edge: in compressed gradient (0..1), in multiples of the view's median (its noise), after a blur of SMOOTH pixels
EDGE = 0.2
NOISE = 3.0
SMOOTH = 1.4
#: peak of the outline in the average card, whose drawing peaks near 0.7: on a light table there is no outline
OUTLINE_WEIGHT = 1.0
MARGIN = 5
SPREAD = 2.5
YAWS = np.radians([-6.0, 0.0, 6.0])
#: the bare paper around a drawing, outer and inner side [card sides]
FRAME = (0.92, 0.76)
#: a frame this colourful (channel range over brightness), or this dark against the lightest in view, is no paper
COLOURFUL = 0.5
DIM = 0.4
#: two cards never lie nearer than this [card sides]
APART = 0.9
FOUND_ABOVE = 0.17


def find_cards(image: np.ndarray, model: CameraModel, at_most: int = 3) -> list[Detection]:
    """The likeliest cards in `image` uint8[H,W,3] RGB, best first, at most `at_most`, scores 0..1."""
    view = table_view(image, model)
    ink = _spread(_ink(view.image, view.visible))
    maps = [cv2.matchTemplate(ink, _average_card(float(yaw)), cv2.TM_CCOEFF_NORMED) for yaw in YAWS]
    likeness, which = np.max(maps, axis=0), np.argmax(maps, axis=0)
    side = len(_average_card(0.0))
    half = (side - 1) / 2
    cut = slice(side // 2, side // 2 + len(likeness)), slice(side // 2, side // 2 + likeness.shape[1])
    likeness = likeness * _paper(view.image, view.visible)[cut]
    reach = round(APART * CARD_PIXELS)
    found = []
    while len(found) < at_most:
        row, column = np.unravel_index(np.argmax(likeness), likeness.shape)
        score = float(likeness[row, column])
        if score < FOUND_ABOVE:
            break
        found.append(Detection(base_from_pixel(column + half, row + half), float(YAWS[which[row, column]]), score))
        likeness[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] = -1.0
    return found


def _ink(flat: np.ndarray, visible: np.ndarray) -> np.ndarray:
    # float32[H,W], 1 where there is an edge that is not the picture's noise
    edges = np.linalg.norm(gradients(cv2.GaussianBlur(flat, (0, 0), SMOOTH), visible), axis=2)
    floor = float(np.median(edges[visible])) if visible.any() else 0.0
    return (edges > max(EDGE, NOISE * floor)).astype(np.float32)


def _paper(flat: np.ndarray, visible: np.ndarray) -> np.ndarray:
    # 0..1, how much the bare frame of a card centred on each pixel looks like paper: pale, and light for this picture
    mask = visible.astype(np.float32)
    area = np.maximum(_frame(mask), 1.0)
    mean = np.dstack([_frame(flat[..., channel] * mask) / area for channel in range(3)])
    darkest, brightest = channel_range(mean)
    lightest = np.percentile(channel_range(flat)[1][visible], 99) if visible.any() else 255.0
    pale = 1 - (brightest - darkest) / np.maximum(brightest, 1.0) / COLOURFUL
    light = (brightest / lightest - DIM) / (1 - DIM)
    return np.clip(pale, 0, 1) * np.clip(light, 0, 1)


def _frame(values: np.ndarray) -> np.ndarray:
    outer, inner = (
        cv2.boxFilter(values, cv2.CV_32F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for side in (2 * round(share * CARD_PIXELS / 2) + 1 for share in FRAME)
    )
    return outer - inner


def _spread(ink: np.ndarray) -> np.ndarray:
    # drawings differ: blurred edges of two cards overlap where thin ones would miss each other
    return cv2.GaussianBlur(ink, (0, 0), SPREAD)


@lru_cache(maxsize=len(YAWS))
def _average_card(yaw: float) -> np.ndarray:
    side = CARD_PIXELS + 2 * MARGIN
    drawings = []
    for emoji in split("train"):
        card = card_picture(emoji.char, CARD_PIXELS)
        card = cv2.copyMakeBorder(card[1:-1, 1:-1], *(MARGIN + 1,) * 4, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        drawings.append(_ink(card, np.ones((side, side), dtype=bool)))
    average = np.mean(drawings, axis=0).astype(np.float32)
    corners = (MARGIN, MARGIN), (side - MARGIN - 1, side - MARGIN - 1)
    outline = cv2.rectangle(np.zeros((side, side), np.float32), *corners, OUTLINE_WEIGHT, thickness=3)
    turn = cv2.getRotationMatrix2D(((side - 1) / 2,) * 2, np.degrees(yaw), 1.0)
    return _spread(cv2.warpAffine(np.maximum(average, outline), turn, (side, side)))
