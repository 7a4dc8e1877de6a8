"""Plates, spoon, ramekin, towel and sponges."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from sim_twin.int_act.pictures import dish, mottled, pores, weave
from sim_twin.int_act.solids import Paint, Shape, box_points, loft, turned_profile, wedges

YELLOW_GREEN = (213, 229, 150)
GLAZE = Paint((240, 236, 226), roughness=0.25, specular=0.8)
METAL = Paint((186, 190, 196), roughness=0.3, specular=1.0)
#: wedges of a round wall
AROUND = 20


def plate() -> Shape:
    """Shallow, its rim slightly raised. It collides as one convex piece, as the suite's does."""
    below = [(0.0, -0.003), (0.036, -0.003), (0.046, -0.0018), (0.0545, 0.0012)]
    above = [(0.055, 0.0022), (0.0543, 0.003), (0.0525, 0.003), (0.047, 0.0016), (0.0405, 0.0006), (0.038, 0.0002)]
    glazed = Paint(picture=dish(YELLOW_GREEN), roughness=0.35, specular=0.6)
    whole = loft(turned_profile([*below, *above, (0.0, 0.0002)], 64), glazed)
    whole = whole.seen_along((0, 1), (-0.055, -0.055), (0.055, 0.055))
    hull = turned_profile([(0.036, -0.003), (0.055, 0.0022), (0.0543, 0.003)], 32)
    return Shape((whole,), (hull.reshape(-1, 3),))


def small_plate() -> Shape:
    """A little bowl; a finger can go over its rim."""
    below = [(0.0, -0.006), (0.014, -0.006), (0.0165, -0.0052), (0.0235, 0.003), (0.025, 0.0053)]
    above = [(0.0247, 0.006), (0.0236, 0.006), (0.0215, 0.0035), (0.0145, -0.0034), (0.0, -0.0036)]
    bowl = loft(turned_profile([*below, *above], 64), Paint(YELLOW_GREEN, roughness=0.35, specular=0.6))
    floor = turned_profile([(0.0135, -0.006), (0.0145, -0.0036)], AROUND).reshape(-1, 3)
    wall = wedges([(0.0135, -0.006), (0.025, 0.005), (0.0247, 0.006), (0.0230, 0.006), (0.0140, -0.0036)], AROUND)
    return Shape((bowl,), (floor, *wall))


def spoon() -> Shape:
    """Lies along x: the bowl at +x, the green handle at -x. Bowl and handle touch the table, 8 cm apart, so that
    it can lie on a towel; the neck between them is up."""
    rings = _bowl_rings(0.050, 0.0173)
    bowl = loft(rings, METAL)
    stations = np.array(
        [  # x, middle's height, half width, half thickness
            (0.0235, 0.0024, 0.0042, 0.0018),
            (0.016, 0.0082, 0.0036, 0.0022),
            (0.006, 0.0104, 0.0036, 0.0026),
            (-0.006, 0.0084, 0.0046, 0.0030),
            (-0.022, -0.0020, 0.0056, 0.0034),
            (-0.032, -0.0084, 0.0060, 0.0036),
            (-0.040, -0.0094, 0.0062, 0.0036),
            (-0.052, -0.0076, 0.0062, 0.0036),
            (-0.064, -0.0040, 0.0058, 0.0034),
            (-0.070, -0.0022, 0.0036, 0.0028),
        ]
    )
    neck = loft(_bar(stations[:4]), METAL)
    green = Paint(picture=mottled((40, 140, 70), 4, grain=10), roughness=0.4, specular=0.6)
    handle = loft(_bar(stations[3:] + [0, 0, 0.0002, 0]), green)
    pieces = [_bar(stations[k : k + 2]).reshape(-1, 3) for k in range(len(stations) - 1)]
    return Shape((bowl, neck, handle), (*_bowl_pieces(rings), *pieces))


def ramekin() -> Shape:
    """An open cup with fluted sides."""
    angle = np.linspace(0, 2 * np.pi, 144, endpoint=False)
    flutes = 0.5 - 0.5 * np.cos(36 * angle)
    profile = [  # radius, height, depth of the flutes
        *((0.0, 0.0, 0), (0.046, 0.0, 0), (0.0485, 0.0015, 0), (0.050, 0.004, 0.0), (0.0512, 0.008, 0.0012)),
        *((0.0535, 0.038, 0.0012), (0.0540, 0.042, 0), (0.0555, 0.044, 0), (0.0556, 0.053, 0), (0.0550, 0.055, 0)),
        *((0.0525, 0.055, 0), (0.0515, 0.053, 0), (0.0480, 0.012, 0), (0.0455, 0.0065, 0), (0.042, 0.0055, 0)),
        (0.0, 0.0055, 0),
    ]
    rings = [
        np.stack([(r - d * flutes) * np.cos(angle), (r - d * flutes) * np.sin(angle), np.full(144, z)], axis=1)
        for r, z, d in profile
    ]
    floor = turned_profile([(0.0455, 0.0), (0.0455, 0.0055)], AROUND).reshape(-1, 3)
    wall = wedges([(0.0455, 0.0), (0.0495, 0.002), (0.0556, 0.044), (0.0556, 0.055), (0.0520, 0.055)], AROUND)
    return Shape((loft(np.stack(rings), GLAZE),), (floor, *wall))


def towel() -> Shape:
    """Folded to four layers; loops and stripes on top."""
    levels = [(-0.0050, 0.0022)]
    for layer in range(4):
        z = -0.005 + 0.0025 * layer
        levels += [(z + 0.0006, 0.0004), (z + 0.00125, 0.0), (z + 0.0019, 0.0004), (z + 0.0025, 0.0022)]
    rings = np.stack([_rounded((0.05, 0.05), 0.008, z, inset) for z, inset in levels])
    cloth = loft(rings, Paint(picture=weave((52, 98, 190), (205, 222, 246)), roughness=1.0, specular=0.05))
    cloth = cloth.seen_along((0, 1), (-0.05, -0.05), (0.05, 0.05))
    return Shape((cloth,), (box_points((-0.05, -0.05, -0.005), (0.05, 0.05, 0.005)),))


def sponge() -> Shape:
    """Lies flat, its long sides along y drawn in, the dark scrubbing layer on top."""
    foam = Paint(picture=pores((230, 180, 47)), roughness=1.0, specular=0.05)
    fleece = Paint(picture=mottled((27, 81, 50), 12, grain=1.2), roughness=1.0, specular=0.05)
    low, high = (-0.035, -0.05), (0.035, 0.05)
    levels = ((-0.018, 0.0015), (-0.0165, 0.0), (0.0085, 0.0))
    body = loft(np.stack([_waisted(z, inset) for z, inset in levels]), foam)
    # around the sides, the picture repeats every 6 cm
    x, y, z = body.vertices.T
    body = replace(body, uv=np.stack([x + y, z], axis=1) / 0.06)
    levels = ((0.0085, 0.0002), (0.0168, 0.0002), (0.018, 0.0016))
    scrub = loft(np.stack([_waisted(z, inset) for z, inset in levels]), fleece).seen_along((0, 1), low, high)
    cuts = np.linspace(-0.05, 0.05, 8)
    pieces = []
    for start, stop in itertools.pairwise(cuts):
        half = [(y, 0.035 - _waist(y)) for y in (start, stop)]
        pieces.append(np.array([(s * x, y, z) for y, x in half for s in (-1, 1) for z in (-0.018, 0.018)]))
    return Shape((body, scrub), tuple(pieces))


def _bowl_rings(length: float, wide: float) -> np.ndarray:
    """Outside from below to the rim, then the hollow downwards; an egg seen from above, at x 0.02 to 0.07."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    x = 0.045 + length / 2 * np.cos(angle)
    y = wide * np.sin(angle) * (1 - 0.14 * np.cos(angle))
    y *= wide / np.abs(y).max()
    outside = [(0.30, -0.0130), (0.52, -0.0118), (0.74, -0.0085), (0.92, -0.0030), (1.0, 0.0012)]
    hollow = [(0.99, 0.0020), (0.95, 0.0014), (0.74, -0.0060), (0.48, -0.0095), (0.2, -0.0105)]
    return np.stack(
        [
            np.stack([0.045 + (x - 0.045) * s, y * s, np.full(32, z) + 0.0018 * (x < 0.03)], axis=1)
            for s, z in [*outside, *hollow]
        ]
    )


def _bowl_pieces(rings: np.ndarray) -> list[np.ndarray]:
    """The bowl's floor, and its wall in sixteen pieces: outside rings 1 to 4, hollow rings 5 to 7."""
    floor = np.vstack([rings[0], rings[1], rings[8]])
    angles = range(0, rings.shape[1] + 1, 2)
    return [
        floor,
        *(
            np.vstack([rings[[1, 2, 3, 4, 5, 6, 7, 8], k % rings.shape[1]] for k in pair])
            for pair in itertools.pairwise(angles)
        ),
    ]


def _bar(stations: np.ndarray) -> np.ndarray:
    """Rings across x: middle's height, half width and half thickness at each station."""
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    y, z = np.sign(cos) * np.abs(cos) ** 0.7, np.sign(sin) * np.abs(sin) ** 0.7
    return np.stack([np.stack([np.full(12, x), w * y, h + t * z], axis=1) for x, h, w, t in stations])


def _rounded(half: tuple[float, float], corner: float, z: float, inset: float) -> np.ndarray:
    """A ring: a rectangle with round corners at height z."""
    points = []
    for quarter in range(4):
        sx, sy = ((1, 1), (-1, 1), (-1, -1), (1, -1))[quarter]
        for a in np.linspace(0, np.pi / 2, 6) + quarter * np.pi / 2:
            r = corner - inset
            points.append((sx * (half[0] - corner) + r * np.cos(a), sy * (half[1] - corner) + r * np.sin(a), z))
    return np.array(points)


def _waist(y: float) -> float:
    """How far the long sides are drawn in [m]."""
    return 0.0055 * np.cos(np.pi * y / 0.1) ** 2 if abs(y) < 0.05 else 0.0


def _waisted(z: float, inset: float) -> np.ndarray:
    y = np.concatenate([[-0.0498, -0.047], np.linspace(-0.042, 0.042, 15), [0.047, 0.0498]])
    half = np.array([0.035 - _waist(v) - 0.0035 * (abs(v) > 0.049) - 0.0008 * (0.045 < abs(v) <= 0.049) for v in y])
    right = np.stack([half - inset, y * (1 - inset / 0.05) * 0.05 / 0.0498, np.full(len(y), z)], axis=1)
    return np.concatenate([right, right[::-1] * [-1, 1, 1]])
