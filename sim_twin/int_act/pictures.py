"""Drawn surfaces of the objects: uint8[h,w,3] sRGB pictures, the same at every call."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
WHITE, RED, BLUE = (245, 245, 242), (190, 20, 25), (20, 60, 150)


def mottled(colour: Sequence[float], spread: float, size: int = 256, grain: float = 2.0, seed: int = 0) -> np.ndarray:
    """One colour that varies by about `spread` levels in blots of `grain` pixels."""
    return np.clip(np.asarray(colour, dtype=float) + spread * _blots(size, grain, seed)[..., None], 0, 255).astype(
        np.uint8
    )


def peel(colour: Sequence[float], size: int = 512) -> np.ndarray:
    """An orange's skin: dark pores, and blots."""
    field = _blots(size, 2.5, 1)
    picture = np.asarray(colour, dtype=float) + 5 * _blots(size, 30, 2)[..., None]
    picture = picture - 38 * np.clip(field - 1.1, 0, 1)[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def pores(colour: Sequence[float], size: int = 256) -> np.ndarray:
    """A sponge's open side."""
    field = np.maximum(_blots(size, 2.2, 3), _blots(size, 4.5, 4))
    picture = np.asarray(colour, dtype=float) - 75 * np.clip(field - 1.0, 0, 1)[..., None]
    return np.clip(picture + 4 * _blots(size, 1.0, 5)[..., None], 0, 255).astype(np.uint8)


def weave(colour: Sequence[float], stripe: Sequence[float], size: int = 512) -> np.ndarray:
    """Cloth: loops in rows, two light stripes near one hem, and a seam all round."""
    y, x = np.mgrid[0:size, 0:size]
    loops = 11 * np.sin(x * 2 * np.pi / 9) * np.sin(y * 2 * np.pi / 9) + 6 * _blots(size, 1.5, 6)
    base = np.tile(np.asarray(colour, dtype=float), (size, size, 1))
    for start in (0.76, 0.85):
        base[int(start * size) : int((start + 0.045) * size)] = stripe
    edge = np.minimum(np.minimum(x, size - 1 - x), np.minimum(y, size - 1 - y)) / size
    seam = np.where((edge > 0.028) & (edge < 0.04), -28, 0)
    return np.clip(base + (loops + seam)[..., None], 0, 255).astype(np.uint8)


def wood(colour: Sequence[float], size: int = 256) -> np.ndarray:
    """A painted block: grain along u shows through."""
    y = np.linspace(0, 1, size)[:, None]
    lines = np.sin(2 * np.pi * (9 * y + 0.35 * _blots(size, 40, 7))) * 0.5 + 0.3 * _blots(size, 2.0, 8)
    picture = np.asarray(colour, dtype=float) * (1 + 0.07 * lines[..., None])
    return np.clip(picture, 0, 255).astype(np.uint8)


def carrot_skin(colour: Sequence[float], size: int = 512) -> np.ndarray:
    """Rings of short dark scars; v (upwards) runs from the tip to the thick end."""
    draw = np.random.default_rng(9)
    picture = Image.fromarray(mottled(colour, 7, size, 12, 9))
    pen = ImageDraw.Draw(picture)
    for _ in range(110):
        x, y, length = draw.integers(size), draw.integers(size), int(draw.integers(20, 90))
        pen.line([(x, y), (x + length, y)], fill=(188, 84, 20), width=int(draw.integers(2, 5)))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(1.0)))


def cola_can(size: tuple[int, int] = (1024, 512)) -> np.ndarray:
    """Red with a white wave and lettering, in front (u = 0) and behind."""
    width, height = size
    picture = Image.new("RGB", size, RED)
    pen = ImageDraw.Draw(picture)
    x = np.arange(width)
    middle = height * (0.66 + 0.10 * np.sin(4 * np.pi * x / width))
    thick = height * (0.055 + 0.03 * np.sin(4 * np.pi * x / width + 1.2))
    upper = list(zip(x.tolist(), (middle - thick).tolist(), strict=True))
    lower = list(zip(x.tolist(), (middle + thick).tolist(), strict=True))
    pen.polygon(upper + lower[::-1], fill=WHITE)
    for middle_x in (width // 4, 3 * width // 4):
        _write(picture, "Cola", (middle_x, int(0.34 * height)), 190, WHITE)
    return np.roll(np.asarray(picture), width // 4, axis=1)


def blue_can(size: tuple[int, int] = (1024, 512)) -> np.ndarray:
    """Blue with a round badge of red, white and blue, in front (u = 0) and behind."""
    width, height = size
    picture = Image.new("RGB", size, BLUE)
    badge = _badge(300)
    for middle_x in (width // 4, 3 * width // 4):
        picture.paste(badge, (middle_x - 150, int(0.44 * height) - 150), badge)
        _write(picture, "PEPSI", (middle_x, int(0.87 * height)), 84, WHITE)
    return np.roll(np.asarray(picture), width // 4, axis=1)


def juice_side(upright: bool, size: tuple[int, int] = (768, 512)) -> np.ndarray:
    """A side of the carton, as it is seen with its cap to the right (u along it); `upright` has the lettering."""
    width, height = size
    picture = Image.new("RGB", size, (246, 150, 30))
    pen = ImageDraw.Draw(picture)
    pen.rectangle([0, 0, int(0.12 * width), height], fill=(252, 212, 60))
    pen.rectangle([int(0.80 * width), 0, width, height], fill=(250, 248, 240))
    if upright:
        _slice(pen, (int(0.30 * width), height // 2), int(0.28 * height))
        lettering = Image.new("RGB", (420, 190), (246, 150, 30))
        _write(lettering, "ORANGE", (210, 55), 92, WHITE)
        _write(lettering, "JUICE", (210, 140), 92, (255, 240, 120))
        picture.paste(lettering.rotate(90, expand=True), (int(0.52 * width), (height - 420) // 2))
    else:
        for row in range(6):
            y = int(height * (0.2 + 0.11 * row))
            pen.rectangle([int(0.2 * width), y, int((0.7 - 0.03 * (row % 3)) * width), y + 12], fill=(255, 235, 190))
    return np.asarray(picture)


def keyboard_top(size: tuple[int, int] = (1520, 640)) -> np.ndarray:
    """Six rows of dark keys with white legends, and a green light; the space bar is in the lowest row."""
    width, height = size
    picture = Image.new("RGB", size, (26, 27, 30))
    pen = ImageDraw.Draw(picture)
    for left, top, right, bottom, legend in keys():
        x0, x1 = left * width, right * width
        y0, y1 = top * height, bottom * height
        pen.rounded_rectangle([x0, y0, x1, y1], radius=9, fill=(52, 53, 58), outline=(88, 89, 95), width=3)
        if legend:
            _write(picture, legend, (int((x0 + x1) / 2), int((y0 + y1) / 2)), 40, (235, 235, 235))
    pen.ellipse([0.955 * width - 9, 0.04 * height - 9, 0.955 * width + 9, 0.04 * height + 9], fill=(70, 230, 90))
    return np.asarray(picture)


def keys() -> list[tuple[float, float, float, float, str]]:
    """left, top, right, bottom (shares of the keyboard, top = 0) and legend of every key."""
    rows = [
        (["Esc", *(f"F{k}" for k in range(1, 13)), "Pr", "Del"], {}),
        ([*"`1234567890-=", ""], {13: 2}),
        (["", *"QWERTYUIOP[]", ""], {0: 1.5, 13: 1.5}),
        (["", *"ASDFGHJKL;'", ""], {0: 1.75, 12: 2.25}),
        (["", *"ZXCVBNM,./", ""], {0: 2.25, 11: 2.75}),
        (["", "", "", "", "", "", "", "", ""], {0: 1.25, 1: 1.25, 2: 1.25, 3: 6.25, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1}),
    ]
    found, gap = [], 0.006
    for k, (legends, widths) in enumerate(rows):
        total = sum(widths.get(i, 1) for i in range(len(legends)))
        x, unit = 0.025, 0.95 / total
        for i, legend in enumerate(legends):
            right = x + widths.get(i, 1) * unit
            top, bottom = 0.075 + 0.145 * k, 0.075 + 0.145 * (k + 1)
            found.append((x + gap / 2, top + gap, right - gap / 2, bottom - gap, legend))
            x = right
    return found


def dish(colour: Sequence[float], size: int = 512) -> np.ndarray:
    """A plate from above: the well's edge and the rim stand out a little."""
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    radius = np.hypot(x, y)
    shade = 1 - 0.20 * np.exp(-(((radius - 0.71) / 0.035) ** 2)) - 0.10 * (radius < 0.70) + 0.04 * (radius > 0.94)
    return np.clip(np.asarray(colour, dtype=float) * shade[..., None], 0, 255).astype(np.uint8)


def slats(colour: Sequence[float], gap: Sequence[float], across: int = 12, size: int = 256) -> np.ndarray:
    """The side of a basket: upright slots between bars, closed above and below."""
    y, x = np.mgrid[0:size, 0:size] / size
    slot = ((x * across) % 1 > 0.45) & (y > 0.18) & (y < 0.88)
    return np.where(slot[..., None], np.asarray(gap), np.asarray(colour)).astype(np.uint8)


def _blots(size: int, grain: float, seed: int) -> np.ndarray:
    """float[size,size], normal with deviation 1, smooth over `grain` pixels, without a seam."""
    noise = np.random.default_rng(seed).normal(size=(size, size))
    frequency = np.fft.fftfreq(size)
    kernel = np.exp(-2 * (np.pi * grain) ** 2 * (frequency[:, None] ** 2 + frequency[None, :] ** 2) / 4)
    smooth = np.fft.ifft2(np.fft.fft2(noise) * kernel).real
    return (smooth - smooth.mean()) / smooth.std()


def _write(picture: Image.Image, text: str, middle: tuple[int, int], size: int, colour: Colour) -> None:
    ImageDraw.Draw(picture).text(middle, text, fill=colour, font=ImageFont.load_default(size), anchor="mm")


def _badge(size: int) -> Image.Image:
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    wave = y + 0.22 * np.sin(2.2 * x)
    rgb = np.where((wave < -0.22)[..., None], (205, 25, 40), WHITE)
    rgb = np.where((wave > 0.22)[..., None], (30, 90, 200), rgb)
    radius = np.hypot(x, y)
    rgb = np.where((radius > 0.9)[..., None], WHITE, rgb)
    alpha = np.where(radius <= 1, 255, 0)[..., None]
    return Image.fromarray(np.concatenate([rgb, alpha], axis=-1).astype(np.uint8), "RGBA")


def _slice(pen: ImageDraw.ImageDraw, middle: tuple[int, int], radius: int) -> None:
    x, y = middle
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(255, 205, 90))
    inner = int(0.86 * radius)
    for k in range(8):
        pen.pieslice([x - inner, y - inner, x + inner, y + inner], 45 * k + 4, 45 * k + 41, fill=(232, 108, 10))
