"""Cubes, cans, juice carton, keyboard, nut, wheel and rabbit."""

from __future__ import annotations

import numpy as np

from sim_twin.int_act.pictures import blue_can, cola_can, juice_side, keyboard_top, keys, mottled, wood
from sim_twin.int_act.solids import (
    Paint,
    Part,
    Shape,
    box,
    box_points,
    ellipsoid,
    ellipsoid_points,
    loft,
    srgb,
    turned_profile,
    wedges,
)

STEEL = Paint((176, 178, 182), roughness=0.35, specular=1.0)
TIN = Paint((205, 207, 210), roughness=0.3, specular=1.0)
#: z, y, x to x, y, z: what was turned about z then stands along y, or lies along x
ALONG_Y = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
AROUND = 20
#: PhysX thins finer ones out, unevenly: it lets go of points within 0.7 mm of a plane
CAN_FACETS = 12


def green_cube() -> Shape:
    return _cube((0.223, 0.383, 0.293), (0.045, 0.104, 0.066))


def yellow_cube() -> Shape:
    return _cube((0.974, 0.932, 0.530), (0.737, 0.448, 0.109))


def coke_can() -> Shape:
    return _can(cola_can())


def pepsi_can() -> Shape:
    return _can(blue_can())


def orange_juice() -> Shape:
    """A carton along x: its foot at -x, its white gable and cap at +x."""
    half, eaves, ridge, top = 0.013, 0.016, 0.027, 0.034
    sides = []
    for axis, sign, picture in ((1, 1, False), (1, -1, False), (2, 1, True), (2, -1, True)):
        paint = Paint(picture=juice_side(picture), roughness=0.5)
        low, high = np.array([-0.034, -half, -half]), np.array([eaves, half, half])
        # a sheet with a little thickness on each side of the box
        low[axis], high[axis] = (half - 0.0004, half) if sign > 0 else (-half, -half + 0.0004)
        sheet = _sheet(low, high, paint)
        across = 3 - axis
        sides.append(sheet.seen_along((0, across), (-0.034, -half), (eaves, half)))
    white = Paint((250, 248, 240), roughness=0.5)
    foot = _sheet(np.array([-0.034, -half, -half]), np.array([-0.0336, half, half]), white)
    roof = loft(_carton_rings(((eaves, half, half), (ridge, half, 0.0012), (top, half, 0.0012))), white)
    cap = loft(turned_profile([(0.0, 0), (0.0042, 0), (0.0042, 0.0035), (0.0, 0.0035)], 24), Paint((235, 110, 20)))
    tilt = np.arctan2(ridge - eaves, half)
    slope = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    cap = cap.turned(slope).moved(((eaves + ridge) / 2 - 0.001, 0, half / 2 + 0.0002))
    hull = _carton_rings(((-0.034, half, half), (eaves, half, half), (top, half, 0.0012)))
    return Shape((*sides, foot, roof, cap), (hull.reshape(-1, 3),))


def keyboard() -> Shape:
    low, high, deck = (-0.076, -0.032), (0.076, 0.032), 0.0062
    top = Paint(picture=keyboard_top(), roughness=0.6)
    slab = box((*low, -0.001), (*high, deck), top, bevel=0.0012)
    parts = [slab]
    for left, upper, right, lower, _ in keys():
        x0, x1 = low[0] + left * 0.152, low[0] + right * 0.152
        y0, y1 = high[1] - lower * 0.064, high[1] - upper * 0.064
        key = np.stack(
            [_ring((x0, y0), (x1, y1), z, inset) for z, inset in ((deck - 0.0005, 0.0), (0.0082, 0.0), (0.009, 0.0006))]
        )
        parts.append(loft(key, top).seen_along((0, 1), low, high))
    return Shape((_joined(parts),), (box_points((*low, -0.001), (*high, 0.009)),))


def nut() -> Shape:
    """Hexagonal, with bevelled corners and a round, threaded hole."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    hexagon = 0.018 / np.cos((angle + np.pi / 6) % (np.pi / 3) - np.pi / 6)
    bevelled = np.minimum(hexagon, 0.0186)
    hole, threads = 0.0105, 5
    rings = [(bevelled, -0.008), (hexagon, -0.0066), (hexagon, 0.0066), (bevelled, 0.008)]
    rings += [(np.full(48, hole + 0.0012), 0.008)]
    for k in range(threads):
        z = 0.0070 - 0.0128 * k / (threads - 1)
        rings += [(np.full(48, hole), z), (np.full(48, hole + 0.0009), z - 0.0012)]
    rings += [(np.full(48, hole + 0.0012), -0.008)]
    points = [np.stack([r * np.cos(angle), r * np.sin(angle), np.full(48, z)], axis=1) for r, z in rings]
    corners = np.arange(6) * np.pi / 3 + np.pi / 6
    pieces = []
    for a, b in zip(corners, np.roll(corners, -1), strict=True):
        section = [(r, t) for r in (0.018 / np.cos(np.pi / 6), hole) for t in (a, b)]
        pieces.append(np.array([(r * np.cos(t), r * np.sin(t), z) for r, t in section for z in (-0.008, 0.008)]))
    return Shape((loft(np.stack(points), STEEL, closed=True),), tuple(pieces))


def wheel() -> Shape:
    """Lies flat: black tyre with treads, grey rim with five spokes, and a hub with a hole."""
    angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    tread = np.where((np.arange(160) // 2) % 2 == 0, 0.0, 0.0012)
    tyre = [(0.0365, -0.0085, 0), (0.041, -0.01125, 0), (0.047, -0.01125, 0), (0.0513, -0.0078, 1), (0.0525, -0.003, 1)]
    tyre += [(0.0525, 0.0105, 1), (0.0513, 0.0153, 1), (0.047, 0.01875, 0), (0.041, 0.01875, 0), (0.0365, 0.016, 0)]
    rubber = Paint(picture=mottled((34, 34, 36), 4, grain=2), roughness=0.95, specular=0.15)
    rings = [
        np.stack([(r - t * tread) * np.cos(angle), (r - t * tread) * np.sin(angle), np.full(160, z)], axis=1)
        for r, z, t in tyre
    ]
    rim = _ring_of([(0.0315, -0.0075), (0.0368, -0.0082), (0.0368, 0.0155), (0.0345, 0.0155), (0.0315, 0.0095)], STEEL)
    back = _ring_of([(0.0045, -0.006), (0.033, -0.006), (0.033, -0.0005), (0.0045, -0.0005)], Paint((70, 72, 76)))
    hub = _ring_of([(0.0038, -0.0075), (0.0105, -0.0075), (0.0105, 0.0095), (0.009, 0.011), (0.0038, 0.011)], STEEL)
    spokes = []
    for k in range(5):
        turn = 2 * np.pi * k / 5
        spoke = box((0.009, -0.0042, -0.002), (0.0335, 0.0042, 0.0095), STEEL, bevel=0.0008)
        cos, sin = np.cos(turn), np.sin(turn)
        spokes.append(spoke.turned(np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])))
    section = [(0.0365, -0.0085), (0.041, -0.01125), (0.047, -0.01125), (0.0525, -0.003), (0.0525, 0.0105)]
    section += [(0.047, 0.01875), (0.041, 0.01875), (0.0365, 0.016)]
    disc = turned_profile([(0.0365, -0.008), (0.0365, 0.0095)], AROUND).reshape(-1, 3)
    return Shape(
        (loft(np.stack(rings), rubber, closed=True), rim, back, hub, *spokes), (disc, *wedges(section, AROUND))
    )


def rabbit() -> Shape:
    """Sits and looks along +x, ears up."""
    fur = Paint(picture=mottled((196, 158, 118), 9, grain=3), roughness=1.0, specular=0.05)
    pale = Paint((242, 234, 222), roughness=1.0, specular=0.05)
    pink, dark = Paint((232, 160, 160), roughness=0.9), Paint((30, 22, 20), roughness=0.3, specular=0.8)
    lumps = [  # centre, radii, paint
        ((-0.002, 0, 0.013), (0.0165, 0.0140, 0.0140), fur),
        ((0.0125, 0, 0.0275), (0.0120, 0.0112, 0.0105), fur),
        *(((-0.006, s * 0.0115, 0.0085), (0.0115, 0.0058, 0.0095), fur) for s in (-1, 1)),
        *(((0.007, s * 0.0130, 0.0028), (0.0095, 0.0042, 0.0030), pale) for s in (-1, 1)),
        *(((0.0145, s * 0.0058, 0.0095), (0.0042, 0.0040, 0.0100), fur) for s in (-1, 1)),
        ((-0.0185, 0, 0.0105), (0.0055, 0.0055, 0.0055), pale),
        ((0.0205, 0, 0.0240), (0.0058, 0.0070, 0.0048), pale),
        *(((0.0065, s * 0.0062, 0.0430), (0.0030, 0.0042, 0.0120), fur) for s in (-1, 1)),
    ]
    details = [
        ((0.0075, 0, 0.0115), (0.0095, 0.0095, 0.0105), pale),
        ((0.0249, 0, 0.0257), (0.0014, 0.0019, 0.0012), pink),
        *(((0.0195, s * 0.0078, 0.0300), (0.0026, 0.0022, 0.0030), dark) for s in (-1, 1)),
        *(((0.0088, s * 0.0062, 0.0432), (0.0012, 0.0024, 0.0095), pink) for s in (-1, 1)),
    ]
    parts = tuple(ellipsoid(centre, radii, paint, 24) for centre, radii, paint in (*lumps, *details))
    return Shape(parts, tuple(ellipsoid_points(centre, radii) for centre, radii, _ in lumps))


def _cube(light, dark) -> Shape:
    """A wooden cube, its top lighter than its sides."""
    half = 0.015
    sides = box((-half,) * 3, (half, half, half - 0.0002), Paint(picture=wood(srgb(dark))), bevel=0.0008)
    sides = sides.seen_along((0, 2), (-half, -half), (half, half))
    inset = half - 0.0009
    lid = loft(
        np.stack([_ring((-inset,) * 2, (inset,) * 2, z) for z in (half - 0.0003, half)]),
        Paint(picture=wood(srgb(light))),
    )
    top = lid.seen_along((0, 1), (-half, -half), (half, half))
    return Shape((sides, top), (box_points((-half,) * 3, (half,) * 3),))


def _can(picture: np.ndarray) -> Shape:
    """A can along y: foot, printed wall, shoulder, and a lid with a ring to pull."""
    wall = loft(
        turned_profile([(0.0165, -0.0265), (0.0165, 0.0235)], 64), Paint(picture=picture, roughness=0.35, specular=0.8)
    )
    below = [
        (0.0, -0.0285),
        (0.0115, -0.0288),
        (0.0128, -0.03075),
        (0.0138, -0.0305),
        (0.0164, -0.0264),
        (0.0, -0.0264),
    ]
    above = [(0.0, 0.0234), (0.0164, 0.0234), (0.0142, 0.0283), (0.0146, 0.0300), (0.0141, 0.03075), (0.0132, 0.0304)]
    above += [(0.0126, 0.0286), (0.0, 0.0288)]
    foot, lid = (loft(turned_profile(profile, 64), TIN) for profile in (below, above))
    ring = _ring_of([(0.0022, 0.0288), (0.0040, 0.0288), (0.0040, 0.0296), (0.0022, 0.0296)], TIN).moved((0.004, 0, 0))
    opening = loft(turned_profile([(0.0, 0.0288), (0.0042, 0.0288), (0.0, 0.0290)], 20), Paint((120, 122, 126)))
    opening = opening.moved((-0.006, 0, 0))
    hull = [(0.0138, -0.03075), (0.0165, -0.0262), (0.0165, 0.0235), (0.0146, 0.03075)]
    # a facet below, not an edge: a can that lies where it is put does not roll
    half_facet = np.pi / CAN_FACETS
    cos, sin = np.cos(half_facet), np.sin(half_facet)
    points = turned_profile(hull, CAN_FACETS).reshape(-1, 3) @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    parts = (wall, foot, lid, ring, opening)
    return Shape(tuple(part.turned(ALONG_Y) for part in parts), (points @ ALONG_Y.T,))


def _ring_of(section, paint: Paint) -> Part:
    """A ring about z of a section (radius, height) [m]."""
    return loft(turned_profile(section, 64), paint, closed=True)


def _ring(low, high, z: float, inset: float = 0.0) -> np.ndarray:
    (x0, y0), (x1, y1) = np.asarray(low) + inset, np.asarray(high) - inset
    return np.array([(x1, y0, z), (x1, y1, z), (x0, y1, z), (x0, y0, z)])


def _sheet(low: np.ndarray, high: np.ndarray, paint: Paint) -> Part:
    return loft(np.stack([_ring(low[:2], high[:2], z) for z in (low[2], high[2])]), paint)


def _carton_rings(stations) -> np.ndarray:
    """Rectangles across x: place, half width along y and half height along z."""
    return np.array([[(x, w, -h), (x, w, h), (x, -w, h), (x, -w, -h)] for x, w, h in stations])


def _joined(parts: list[Part]) -> Part:
    """Parts of one paint as a single one."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Part(
        np.vstack([part.vertices for part in parts]),
        np.vstack([part.triangles + start for part, start in zip(parts, starts, strict=True)]),
        np.vstack([part.uv for part in parts]),
        parts[0].paint,
    )
