"""What a printed emoji card looks like, and where each point of its picture lies on the table.

A card lies with its glyph's top towards the robot's +x (away from the base) when its yaw is 0; the picture's right is
then the robot's -y. The picture covers the whole card, `CARD_SIDE` square.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from touchstone.bench import CARD_SIDE
from touchstone.errors import MissingPart

#: height of the font's glyph cell over the card's side
GLYPH_FRACTION = 0.68
#: width of the grey cut edge over the card's side
EDGE_FRACTION = 0.006
EDGE_GREY = 200
FONT_FILE = "NotoColorEmoji.ttf"
#: the only size of Noto's bitmap glyphs, and the height of their cell in pixels at that size
FONT_SIZE = 109
CELL_HEIGHT = 128
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")


@lru_cache(maxsize=128)
def card_picture(char: str, pixels: int = 512) -> np.ndarray:
    """uint8[pixels,pixels,3] RGB of a printed card, read-only, glyph's top at row 0. Raises MissingPart (font)."""
    card = Image.new("RGB", (pixels, pixels), "white")
    edge = max(1, round(pixels * EDGE_FRACTION))
    ImageDraw.Draw(card).rectangle((0, 0, pixels - 1, pixels - 1), outline=(EDGE_GREY,) * 3, width=edge)
    glyph = _glyph(char)
    scale = GLYPH_FRACTION * pixels / CELL_HEIGHT
    glyph = glyph.resize((round(glyph.width * scale), round(glyph.height * scale)), Image.Resampling.LANCZOS)
    card.paste(glyph, ((pixels - glyph.width) // 2, (pixels - glyph.height) // 2), glyph)
    picture = np.asarray(card).copy()
    picture.setflags(write=False)
    return picture


def base_from_picture(uv, xy, yaw: float = 0.0) -> np.ndarray:
    """Base-frame xy [m], float64[N,2], of picture points on a card with centre `xy` [m] and `yaw` [rad].

    uv: float[N,2] in 0..1 of the picture, u to the right, v down.
    """
    u, v = np.atleast_2d(np.asarray(uv, dtype=np.float64)).T
    ahead, left = (0.5 - v) * CARD_SIDE, (0.5 - u) * CARD_SIDE
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.asarray(xy, dtype=np.float64) + np.column_stack([cos * ahead - sin * left, sin * ahead + cos * left])


def card_corners(xy, yaw: float = 0.0) -> np.ndarray:
    """Base-frame xy [m], float64[4,2], of the picture's top left, top right, bottom right and bottom left corner."""
    return base_from_picture([(0, 0), (1, 0), (1, 1), (0, 1)], xy, yaw)


@lru_cache(maxsize=1)
def emoji_font() -> Path:
    """Where Noto Color Emoji lies on this machine. Raises MissingPart."""
    for folder in FONT_FOLDERS:
        found = sorted(Path(folder).expanduser().rglob(FONT_FILE))
        if found:
            return found[0]
    raise MissingPart(
        f"The font {FONT_FILE} is in none of {', '.join(FONT_FOLDERS)}; install it with: "
        "apt install fonts-noto-color-emoji"
    )


def _glyph(char: str) -> Image.Image:
    # RGBA, cropped to its ink: the offset of the ink in its cell differs between versions of the font
    font = ImageFont.truetype(str(emoji_font()), FONT_SIZE)
    canvas = Image.new("RGBA", (2 * CELL_HEIGHT, 2 * CELL_HEIGHT), (255, 255, 255, 0))
    ImageDraw.Draw(canvas).text((CELL_HEIGHT // 2, CELL_HEIGHT // 4), char, font=font, embedded_color=True)
    ink = canvas.getchannel("A").getbbox()
    if ink is None:
        raise MissingPart(
            f"The font {emoji_font()} draws nothing for U+{ord(char):04X}; update it with: "
            "apt install fonts-noto-color-emoji"
        )
    return canvas.crop(ink)
