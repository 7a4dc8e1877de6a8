"""The sink with its drying basket, and the plate that marks the basket's floor.

The suite gives the outer measures and where things stand; the inside is ours: a basin, 7.5 cm deep, whose -y half
holds the basket, just wide enough for the marker.
"""

from __future__ import annotations

from sim_twin.int_act.pictures import slats
from sim_twin.int_act.solids import Paint, Shape, box, box_points, loft, turned_profile

BASIN = Paint((172, 208, 220), roughness=0.45, specular=0.4)
DRAIN = Paint((22, 24, 28), roughness=0.6)
YELLOW = (238, 200, 40)
#: outer half edges, height, floor and wall of the basin [m]
HALF_X, HALF_Y, RIM, FLOOR, WALL = 0.1345, 0.1965, 0.115, 0.040, 0.008
#: inner low and high corner of the basket, its floor's and its rim's height, its wall [m]: the marker stands at
#: (-0.125, 0.025) of the world, the sink at (-0.16, 0.13); 5 mm are left around the marker
INNER_LOW, INNER_HIGH = (-0.035, -0.150), (0.105, -0.060)
BASKET_FLOOR, BASKET_RIM, BASKET_WALL = 0.046, 0.085, 0.005
#: middle of the drain, which is only seen [m]
DRAIN_AT = (0.0, 0.075)


def sink() -> Shape:
    """Its frame is the middle of its underside."""
    basin = [
        ((-HALF_X, -HALF_Y, 0), (HALF_X, HALF_Y, FLOOR)),
        ((-HALF_X, -HALF_Y, FLOOR), (-HALF_X + WALL, HALF_Y, RIM)),
        ((HALF_X - WALL, -HALF_Y, FLOOR), (HALF_X, HALF_Y, RIM)),
        ((-HALF_X + WALL, -HALF_Y, FLOOR), (HALF_X - WALL, -HALF_Y + WALL, RIM)),
        ((-HALF_X + WALL, HALF_Y - WALL, FLOOR), (HALF_X - WALL, HALF_Y, RIM)),
    ]
    (x0, y0), (x1, y1) = INNER_LOW, INNER_HIGH
    w = BASKET_WALL
    across = [((x0 - w, y0 - w), (x1 + w, y0)), ((x0 - w, y1), (x1 + w, y1 + w))]
    along = [((x0 - w, y0), (x0, y1)), ((x1, y0), (x1 + w, y1))]
    plastic = Paint(picture=slats(YELLOW, (120, 96, 24)), roughness=0.5)
    parts = [box(*corners, BASIN) for corners in basin]
    bottom = ((x0 - w, y0 - w, FLOOR), (x1 + w, y1 + w, BASKET_FLOOR))
    parts.append(box(*bottom, Paint(YELLOW, roughness=0.5)))
    for radius, height, paint in ((0.028, 0.0006, BASIN), (0.012, 0.0009, DRAIN)):
        disc = loft(turned_profile([(radius, 0.0), (0.96 * radius, height)], 32), paint)
        parts.append(disc.moved((*DRAIN_AT, FLOOR)))
    pieces = [box_points(*corners) for corners in (*basin, bottom)]
    for walls, axis in ((across, 0), (along, 1)):
        for low, high in walls:
            low, high = (*low, BASKET_FLOOR), (*high, BASKET_RIM)
            wall = box(low, high, plastic)
            parts.append(wall.seen_along((axis, 2), (low[axis], low[2]), (high[axis], high[2])))
            pieces.append(box_points(low, high))
    return Shape(tuple(parts), tuple(pieces))


def basket_floor() -> Shape:
    low, high = (-0.065, -0.04, -0.001), (0.065, 0.04, 0.001)
    return Shape((box(low, high, Paint((244, 208, 52), roughness=0.6)),), (box_points(low, high),))
