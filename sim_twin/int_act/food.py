"""Carrot, eggplant and orange."""

from __future__ import annotations

import numpy as np

from sim_twin.int_act.pictures import carrot_skin, mottled, peel
from sim_twin.int_act.solids import Paint, Part, Shape, ellipsoid, ellipsoid_points, loft

#: how much of a root's round section is cut off below, so that it lies where it is put
FLAT = 0.82


def carrot() -> Shape:
    """Lies along x, its tip at -x, its leaves at +x; its underside is level."""
    x = np.array([-0.0575, -0.0565, -0.053, -0.045, -0.03, -0.01, 0.012, 0.030, 0.039, 0.044, 0.046])
    radius = np.array([0.0006, 0.0026, 0.0050, 0.0078, 0.0106, 0.0134, 0.0158, 0.0165, 0.0152, 0.0110, 0.0050])
    rings = _along_x(x, radius, radius * 1.1)
    body = loft(rings, Paint(picture=carrot_skin((235, 120, 40)), roughness=0.65))
    leaves = [_leaf(side, lift) for side, lift in ((0.0, 0.4), (0.35, 0.05), (-0.35, 0.1), (0.18, -0.3), (-0.2, 0.75))]
    tuft = [leaf.moved((0.043, 0, -0.001)) for leaf in leaves]
    return Shape((body, *tuft), (rings[:, ::2].reshape(-1, 3), np.vstack([leaf.vertices for leaf in tuft])))


def eggplant() -> Shape:
    """Lies along x: the thick end at -x, cap and stalk at +x."""
    angle = np.linspace(0, np.pi, 15)
    x = -0.039 * np.cos(angle) * np.where(np.cos(angle) > 0, 1, 0.84)
    radius = np.maximum(_eggplant_radius(x), 0.0004)
    rings = _along_x(x, radius, radius)
    body = loft(rings, Paint(picture=mottled((70, 35, 80), 6, grain=20), roughness=0.25, specular=0.8))
    green = Paint(picture=mottled((84, 128, 58), 8, grain=6), roughness=0.7)
    return Shape((body, *_cap(green), _stalk(green)), (rings[:, ::2].reshape(-1, 3), _stalk(green).vertices))


def orange() -> Shape:
    skin = ellipsoid((0, 0, 0), (0.0175, 0.0175, 0.017), Paint(picture=peel((235, 140, 30)), roughness=0.5))
    button = ellipsoid((0, 0, 0.0164), (0.0021, 0.0021, 0.0007), Paint((96, 120, 50)), 12)
    return Shape((skin, button), (ellipsoid_points((0, 0, 0), (0.0175, 0.0175, 0.017)),))


def _along_x(x: np.ndarray, wide: np.ndarray, high: np.ndarray, segments: int = 24) -> np.ndarray:
    """Rings about x whose undersides are flat and all at z = 0."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    y, z = np.cos(angle), np.maximum(np.sin(angle), -FLAT)
    return np.stack(
        [
            np.stack([np.full(segments, at), a * y, b * (z + FLAT)], axis=1)
            for at, a, b in zip(x, wide, high, strict=True)
        ]
    )


def _leaf(side: float, lift: float) -> Part:
    """A short blade that begins at x = 0."""
    way = np.linspace(0, 1, 6)
    middle = np.stack([0.0145 * way, 0.014 * side * way, 0.016 + 0.012 * lift * way], axis=1)
    wide, thick = 0.0034 * np.sin(np.pi * (0.12 + 0.83 * way)), 0.0016 * (1.1 - way)
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    rings = [
        m + np.stack([np.zeros(8), w * np.cos(angle), t * np.sin(angle)], axis=1)
        for m, w, t in zip(middle, wide, thick, strict=True)
    ]
    shade = 1 + 0.3 * side
    return loft(np.stack(rings), Paint((72 * shade, 140 * shade, 50 * shade), roughness=0.8))


def _eggplant_radius(x: np.ndarray) -> np.ndarray:
    """Of its section at x [m]."""
    length = np.where(x > 0, 0.039 * 0.84, 0.039)
    belly = np.sqrt(np.clip(1 - (x / length) ** 2, 0, 1)) ** 0.8
    return 0.0187 * belly * (1 - 0.30 / (1 + np.exp(-(x - 0.008) / 0.006)))


def _cap(paint: Paint) -> tuple[Part, ...]:
    """Five sepals that lie on the eggplant's thin end."""
    sepals = []
    for k in range(5):
        around = 2 * np.pi * k / 5 + 0.3
        way = np.linspace(0, 1, 6)
        x = 0.0318 - 0.0175 * way
        half = 0.62 * (1 - way) + 0.05
        angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        rings = []
        for at, r, h in zip(x, _eggplant_radius(x), half, strict=True):
            turn = around + h * np.cos(angle)
            lifted = r + 0.0004 + 0.0008 * np.sin(angle)
            y, z = lifted * np.cos(turn), np.maximum(lifted * np.sin(turn), -FLAT * r)
            rings.append(np.stack([np.full(10, at), y, z + FLAT * r], axis=1))
        sepals.append(loft(np.stack(rings), paint))
    return tuple(sepals)


def _stalk(paint: Paint) -> Part:
    way = np.linspace(0, 1, 5)
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    rings = [
        np.stack([np.full(10, x), r * np.cos(angle), 0.0085 + 0.003 * k + r * np.sin(angle)], axis=1)
        for x, r, k in zip(0.0295 + 0.0145 * way, 0.0042 - 0.0012 * way, way, strict=True)
    ]
    return loft(np.stack(rings), paint)
