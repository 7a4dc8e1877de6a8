"""What is seen around INT-ACT's objects: our own likeness of Bridge's two benches, in the arm's base frame.

The table: reddish wood before two walls of grey fabric. The sink: pale wood before light tiles. Only the table top
collides, and it is as large as it looks.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from sim_twin.int_act.solids import Paint, Part, box
from sim_twin.looks import Looks
from touchstone.tasks.int_act.scenes import SINK, TABLE, Scene

#: low and high corner of the table top's outline [m]; the camera sees its far and its left edge
OUTLINE: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    TABLE.name: ((-0.30, -0.70), (0.49, 0.32)),
    SINK.name: ((-0.30, -0.80), (0.60, 0.60)),
}
THICK = 0.04
#: what is farther away: below the table, and over it [m]
FLOOR, CEILING = -0.75, 0.9
#: a picture of a wall or a floor shows this much of it [m]
REPEAT = 0.5
#: sRGB of the wood, of the walls and of the floor
COLOURS = {
    TABLE.name: ((150, 80, 46), (122, 132, 144), (52, 54, 60)),
    SINK.name: ((226, 178, 116), (216, 214, 210), (120, 116, 112)),
}
GRAIN = {TABLE.name: 1.0, SINK.name: 0.6}


def table_top(setting: Scene, looks: Looks) -> Part:
    """The table top; its collision box is its bounding box."""
    low, high = corners(setting)
    colour = tuple(c * factor for c, factor in zip(COLOURS[setting.name][0], looks.table, strict=True))
    paint = Paint(picture=_wood(colour, GRAIN[setting.name] * looks.grain), roughness=0.55, specular=0.4)
    return box(low, high, paint, bevel=0.006)


def corners(setting: Scene) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Low and high corner of the table top [m]."""
    low, high = OUTLINE[setting.name]
    return (*low, setting.table_z - THICK), (*high, setting.table_z)


def backdrop(setting: Scene) -> tuple[Part, ...]:
    """Two walls behind the table, and the floor; nothing that could be reached."""
    (_, _), (x, y) = OUTLINE[setting.name]
    _, wall, floor = COLOURS[setting.name]
    picture = _fabric(wall) if setting is TABLE else _tiles(wall)
    x, y = (x + 0.012, y + 0.02)
    paint, below = Paint(picture=picture, roughness=1.0, specular=0.05), Paint(floor, roughness=1.0, specular=0.05)
    return (
        _papered(box((x, -2.0, FLOOR), (x + 0.05, y + 0.05, CEILING), paint), 1),
        _papered(box((-1.5, y, FLOOR), (x + 0.05, y + 0.05, CEILING), paint), 0),
        box((-2.0, -2.0, FLOOR - 0.05), (x, y, FLOOR), below),
    )


def _papered(wall: Part, along: int) -> Part:
    return wall.seen_along((along, 2), (0.0, 0.0), (REPEAT, REPEAT))


@lru_cache(maxsize=8)
def _wood(colour: tuple[float, ...], contrast: float, size: int = 1024) -> np.ndarray:
    """Veneer whose grain runs along v: long fibres, and bands that wander."""
    draw = np.random.default_rng(11)
    fibres = _smooth(draw, size, 1.2, 60) + 0.6 * _smooth(draw, size, 2.5, 160)
    wander = _smooth(draw, size, 60, 220)
    across = np.linspace(0, 1, size)[None, :]
    bands = sum(weight * np.sin(2 * np.pi * (n * across + n / 13 * wander)) for n, weight in ((11, 0.6), (23, 0.3)))
    field = 0.045 * fibres + 0.055 * bands + 0.03 * _smooth(draw, size, 90, 90)
    return np.clip(np.array(colour) * (1 + contrast * field[..., None]), 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _fabric(colour: tuple[float, ...], size: int = 512) -> np.ndarray:
    """A partition's cloth: short threads both ways."""
    draw = np.random.default_rng(12)
    threads = _smooth(draw, size, 0.8, 5) + _smooth(draw, size, 5, 0.8)
    return np.clip(np.array(colour) + 6 * threads[..., None], 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _tiles(colour: tuple[float, ...], size: int = 512) -> np.ndarray:
    """Large tiles with narrow joints."""
    y, x = np.mgrid[0:size, 0:size] % (size // 2)
    joint = (x < 3) | (y < 3)
    field = np.where(joint, -30.0, 0.0) + 2 * _smooth(np.random.default_rng(13), size, 12, 12)
    return np.clip(np.array(colour) + field[..., None], 0, 255).astype(np.uint8)


def _smooth(draw: np.random.Generator, size: int, across: float, along: float) -> np.ndarray:
    """float64[size,size]: noise of unit variance that varies over `across` columns and `along` rows."""
    field = gaussian_filter(draw.standard_normal((size, size)), (along, across), mode="wrap")
    return (field - field.mean()) / field.std()
