"""Building blocks of procedural objects: lofted surfaces with normals and texture coordinates, and convex pieces.

Lengths in metres. Nothing here knows SAPIEN.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

#: faces that meet at a smaller angle look like one smooth surface [rad]
SMOOTH_BELOW = np.radians(40)


@dataclass(frozen=True)
class Paint:
    """How a surface looks. colour: sRGB, 0..255. picture: uint8[h,w,3] sRGB in its place, row 0 at v = 1."""

    colour: tuple[float, float, float] = (255, 255, 255)
    picture: np.ndarray | None = field(default=None, compare=False)
    roughness: float = 0.8
    specular: float = 0.3
    metallic: float = 0.0


@dataclass(frozen=True)
class Part:
    """A surface: vertices float64[n,3], triangles int[m,3] (counter-clockwise from outside), uv float64[n,2]."""

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    paint: Paint

    def moved(self, by: Sequence[float]) -> Part:
        return replace(self, vertices=self.vertices + by)

    def turned(self, matrix: np.ndarray) -> Part:
        """matrix: 3x3, a rotation or a stretch that does not mirror."""
        return replace(self, vertices=self.vertices @ np.asarray(matrix, dtype=float).T)

    def seen_along(self, axes: tuple[int, int], low: Sequence[float], high: Sequence[float]) -> Part:
        """With a picture laid over it flat: u and v run along two axes from `low` to `high` [m]."""
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        return replace(self, uv=(self.vertices[:, list(axes)] - low) / (high - low))

    def flat_normals(self) -> np.ndarray:
        """float64[m,3]: of the triangles, as long as twice their area."""
        a, b, c = (self.vertices[self.triangles[:, k]] for k in range(3))
        return np.cross(b - a, c - a)

    def shaded(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """vertices[3m,3], triangles[m,3], normals[3m,3], uv[3m,2] of triangles that share nothing; edges stay sharp."""
        faces = self.flat_normals()
        unit = faces / np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-20)
        corners = self.triangles.ravel()
        _, place = np.unique(np.round(self.vertices, 7), axis=0, return_inverse=True)
        place = place.ravel()[corners]
        face = np.arange(len(corners)) // 3
        order = np.argsort(place, kind="stable")
        bounds = np.flatnonzero(np.diff(place[order], prepend=-1, append=-1))
        normals = np.zeros((len(corners), 3))
        for start, stop in itertools.pairwise(bounds):
            here = order[start:stop]
            near = unit[face[here]] @ unit[face[here]].T > np.cos(SMOOTH_BELOW)
            normals[here] = near @ faces[face[here]]
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
        return (
            self.vertices[corners],
            np.arange(len(corners)).reshape(-1, 3),
            normals,
            self.uv[corners],
        )


@dataclass(frozen=True)
class Shape:
    """An object: what is seen, and the convex pieces (points float64[k,3]) that others collide with."""

    parts: tuple[Part, ...]
    pieces: tuple[np.ndarray, ...]

    def fitted(self, bounds: np.ndarray) -> Shape:
        """Stretched and moved so that what is seen fills a box, float64[2,3] of low and high corner [m]."""
        seen = np.vstack([part.vertices for part in self.parts])
        low, high = seen.min(axis=0), seen.max(axis=0)
        stretch = (bounds[1] - bounds[0]) / (high - low)
        shift = bounds[0] - low * stretch
        return Shape(
            tuple(part.turned(np.diag(stretch)).moved(shift) for part in self.parts),
            tuple(piece * stretch + shift for piece in self.pieces),
        )


def loft(rings: np.ndarray, paint: Paint, closed: bool = False) -> Part:
    """A skin over rings, float64[m,k,3], with its outside outwards.

    closed: the last ring is joined to the first; else both ends get a lid. u runs along a ring, v from the first ring
    to the last; lids have v 0 and 1.
    """
    rings = np.asarray(rings, dtype=float)
    if closed:
        rings = np.concatenate([rings, rings[:1]])
    count, size, _ = rings.shape
    rings = np.concatenate([rings, rings[:, :1]], axis=1)
    v = _way_along(rings)
    u = np.linspace(0, 1, size + 1)
    uv = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    row, column = np.meshgrid(np.arange(count - 1), np.arange(size), indexing="ij")
    a = (row * (size + 1) + column).ravel()
    b, c, d = a + 1, a + size + 2, a + size + 1
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    vertices = rings.reshape(-1, 3)
    if not closed:
        ends = np.stack([rings[0, :-1].mean(axis=0), rings[-1, :-1].mean(axis=0)])
        first, last = len(vertices), len(vertices) + 1
        low, high = np.arange(size), (count - 1) * (size + 1) + np.arange(size)
        lids = [
            np.stack([np.full(size, first), low + 1, low], axis=1),
            np.stack([np.full(size, last), high, high + 1], axis=1),
        ]
        vertices = np.vstack([vertices, ends])
        uv = np.vstack([uv, [[0.5, 0.0], [0.5, 1.0]]])
        triangles = np.concatenate([triangles, *lids])
    part = Part(vertices, triangles, uv, paint)
    normals = part.flat_normals()
    if np.sum(normals * vertices[triangles[:, 0]]) < 0:
        triangles = triangles[:, ::-1]
    return replace(part, triangles=triangles[np.linalg.norm(normals, axis=1) > 1e-14])


def turned_profile(profile: Iterable[Sequence[float]], segments: int = 48) -> np.ndarray:
    """Rings, float64[m,segments,3], of a profile of radius and height [m] about z, from below to above."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle), np.zeros(segments)], axis=1)
    return np.stack([r * circle + [0, 0, z] for r, z in profile])


def box(low: Sequence[float], high: Sequence[float], paint: Paint, bevel: float = 0.0) -> Part:
    """A box, its upright edges cut and its top and bottom edges rounded by `bevel` [m]; u, v as seen from above."""
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    levels = [(low[2], bevel), (low[2] + bevel, 0.0), (high[2] - bevel, 0.0), (high[2], bevel)] if bevel else []
    levels = levels or [(low[2], 0.0), (high[2], 0.0)]
    part = loft(np.stack([rectangle(low, high, z, inset, bevel) for z, inset in levels]), paint)
    return part.seen_along((0, 1), low[:2], high[:2])


def rectangle(low, high, z: float, inset: float = 0.0, bevel: float = 0.0) -> np.ndarray:
    """A ring of 8 points at height z, counter-clockwise from above; its corners are cut by `bevel`."""
    (x0, y0), (x1, y1) = np.asarray(low)[:2] + inset, np.asarray(high)[:2] - inset
    b = bevel
    points = [(x1, y0 + b), (x1, y1 - b), (x1 - b, y1), (x0 + b, y1)]
    points += [(x0, y1 - b), (x0, y0 + b), (x0 + b, y0), (x1 - b, y0)]
    return np.array([(x, y, z) for x, y in points])


def ellipsoid(centre: Sequence[float], radii: Sequence[float], paint: Paint, segments: int = 32) -> Part:
    """An ellipsoid; v runs upwards."""
    return loft(_sphere(segments, segments // 2), paint).turned(np.diag(radii)).moved(centre)


def ellipsoid_points(centre: Sequence[float], radii: Sequence[float]) -> np.ndarray:
    """A convex piece, float64[k,3]."""
    return _sphere(16, 8).reshape(-1, 3) * radii + centre


def box_points(low: Sequence[float], high: Sequence[float]) -> np.ndarray:
    """A convex piece, float64[8,3]."""
    corners = np.array([low, high], dtype=float)
    return np.array([[corners[i, 0], corners[j, 1], corners[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])


def wedges(section: Sequence[Sequence[float]], count: int) -> list[np.ndarray]:
    """Convex pieces of a ring about z: its section (radius, height) [m] between neighbouring angles."""
    angles = np.linspace(0, 2 * np.pi, count + 1)
    return [
        np.array([(r * np.cos(a), r * np.sin(a), z) for a in pair for r, z in section])
        for pair in itertools.pairwise(angles)
    ]


def linear(colour: Sequence[float]) -> list[float]:
    """sRGB 0..255 to linear RGB 0..1."""
    share = np.asarray(colour, dtype=float) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).tolist()


def srgb(colour: Sequence[float]) -> tuple[float, float, float]:
    """Linear RGB 0..1 to sRGB 0..255."""
    share = np.asarray(colour, dtype=float)
    return tuple((255 * np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055)).tolist())


def _sphere(segments: int, rings: int) -> np.ndarray:
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    return turned_profile(zip(np.maximum(np.cos(angle), 1e-9), np.sin(angle), strict=True), segments)


def _way_along(rings: np.ndarray) -> np.ndarray:
    """How far each ring is along the surface, 0..1."""
    steps = np.linalg.norm(np.diff(rings, axis=0), axis=2).mean(axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    return way / max(way[-1], 1e-12)
