"""Pictures as data URIs, so that a report is one file."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path

from PIL import Image

from touchstone.data.drawing import FOOTER, HEADER, glyph

#: at most this many episodes -> width [px] and JPEG quality of their pictures; 100 take about 2 MB
_SIZES = ((120, 400, 74), (400, 280, 68), (10**9, 160, 60))
GLYPH_PIXELS = 72


def end_picture(path: Path, episodes: int) -> str | None:
    """An episode's end picture without its bands, smaller the more there are; None if the file is gone."""
    width, quality = next((width, quality) for limit, width, quality in _SIZES if episodes <= limit)
    if not path.is_file():
        return None
    with Image.open(path) as picture:
        scene = picture.crop((0, HEADER, picture.width, picture.height - FOOTER))
        scene = scene.resize((width, round(width * scene.height / scene.width)), Image.Resampling.LANCZOS)
    return _uri(scene, "JPEG", quality=quality, optimize=True)


@lru_cache(maxsize=4096)
def glyph_uri(emoji: str | None) -> str | None:
    """An emoji's card as a small picture, so that it looks the same everywhere; None without its font."""
    card = glyph(emoji, GLYPH_PIXELS)
    return None if card is None else _uri(Image.fromarray(card), "WEBP", quality=80)


def _uri(picture: Image.Image, kind: str, **options) -> str:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"
