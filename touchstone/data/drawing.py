"""Pictures for people: an episode's camera picture, its instruction above, its state or verdict below."""

from __future__ import annotations

import unicodedata
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from touchstone.errors import MissingPart
from touchstone.facts import Facts
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji.cards import card_picture

WIDTH = 640
HEADER, FOOTER = 48, 32
_INK, _PALE, _DARK = (245, 245, 245), (165, 172, 182), (24, 28, 34)
#: right card, wrong card, no execution: told apart by lightness too
VERDICT_COLOURS = {"right": (26, 135, 84), "wrong": (201, 122, 0), "none": (190, 45, 55)}
VERDICT_WORDS = {"right": "right card", "wrong": "wrong card", "none": "no execution"}


def outcome(verdict: Verdict) -> str:
    """`right`, `wrong` or `none` (no execution)."""
    if not verdict.execution:
        return "none"
    return "right" if verdict.recognition else "wrong"


class Frame:
    """Draws the frames of one episode; what does not change is drawn once."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._header = _header(spec)

    def running(self, image: np.ndarray, facts: Facts) -> np.ndarray:
        """uint8[H,W,3] RGB, W = 640, of `image` uint8[h,w,3] RGB with the step and the gripper's opening."""
        opening = "unknown" if facts.opening.value is None else f"{facts.opening.value:.2f}"
        text = f"step {facts.step} of {self._spec.step_limit}    gripper opening {opening}"
        return self._stack(image, _strip(text, FOOTER, _DARK, _PALE, 15))

    def ended(self, image: np.ndarray, verdict: Verdict) -> np.ndarray:
        """The same with the verdict as a coloured band."""
        kind = outcome(verdict)
        # a task that measures values has no cards
        word = ("success" if verdict.success else "no success") if verdict.values else VERDICT_WORDS[kind]
        text = f"{word.upper()}: {verdict.reason}"
        return self._stack(image, _strip(text, FOOTER, VERDICT_COLOURS[kind], (255, 255, 255), 16))

    def _stack(self, image: np.ndarray, footer: np.ndarray) -> np.ndarray:
        height = round(image.shape[0] * WIDTH / image.shape[1] / 2) * 2
        if image.shape[:2] != (height, WIDTH):
            image = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
        return np.vstack([self._header, image, footer])


def glyph(emoji: str | None, pixels: int) -> np.ndarray | None:
    """The card with this emoji, uint8[pixels,pixels,3] RGB; None without an emoji or without the font."""
    try:
        return None if emoji is None else card_picture(emoji, pixels)
    except MissingPart:
        return None


def _header(spec: Spec) -> np.ndarray:
    strip = _strip(spec.instruction, HEADER, _DARK, _INK, 20, right=HEADER)
    picture = glyph(spec.placement(spec.target).emoji, HEADER - 8)
    if picture is not None:
        strip[4 : HEADER - 4, WIDTH - HEADER + 4 : WIDTH - 4] = picture
    return strip


def _strip(text: str, height: int, paper, ink, size: int, right: int = 0) -> np.ndarray:
    strip = Image.new("RGB", (WIDTH, height), paper)
    draw = ImageDraw.Draw(strip)
    text = _latin(text)
    while draw.textlength(text, font=_font(size)) > WIDTH - 24 - right and size > 10:
        size -= 1
    draw.text((12, height // 2), text, font=_font(size), fill=ink, anchor="lm")
    return np.asarray(strip).copy()


@cache
def _font(size: int):
    return ImageFont.load_default(size)


def _latin(text: str) -> str:
    """The bundled font has plain Latin and curly quotes only: accents go, the rest becomes `?`."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c.isascii() or c in "“”·" else {"’": "'", "–": "-", "—": "-"}.get(c, "?") for c in folded)
