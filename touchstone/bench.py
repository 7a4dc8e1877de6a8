"""Where things stand on the benches, in the arm's base frame; read by tasks, twin, drivers and policies alike."""

from __future__ import annotations

from dataclasses import dataclass

#: table top under the arm's base [m] (GrinningFace: base at z = 0.10 over the table)
TABLE_Z = -0.10
#: printed card, side and thickness [m] (GrinningFace: half size 0.07 x 0.07 x 0.001)
CARD_SIDE = 0.14
CARD_THICKNESS = 0.002
#: the cube that is picked, side [m] and colour, linear RGB (GrinningFace: half size 0.015, 0.1 0.1 0.5)
CUBE_SIDE = 0.03
CUBE_COLOUR = (0.1, 0.1, 0.5)


@dataclass(frozen=True)
class CardBench:
    """Nominal card centres xy [m] on the table, in slot order, and the half width of their uniform jitter [m].

    cube_centre, cube_jitter: the same of the cube, x and y apart, for tasks that have one.
    """

    name: str
    card_centres: tuple[tuple[float, float], ...]
    jitter: float
    cube_centre: tuple[float, float]
    cube_jitter: tuple[float, float]


#: GrinningFace env PickCubeWidowX-v8, moved by its base position (-0.25, 0.70, 0.10). Its outer cards lie at the edge
#: of the WidowX's top-down reach: about 20 % of their centres are beyond it, a part of every card is within.
GRINNINGFACE_BENCH = CardBench(
    "grinningface",
    ((0.45, 0.20), (0.45, 0.0), (0.45, -0.20)),
    jitter=0.02,
    cube_centre=(0.27, 0.0),
    cube_jitter=(0.05, 0.05),
)
#: Reachable top-down by both arms with margin (WidowX r <= 0.50, RM75 r <= 0.46; worst card here 0.42). The paper
#: publishes no positions for its Touch task. The cube starts on the strip of table between arm and cards.
TOUCH_BENCH = CardBench(
    "touch",
    ((0.34, 0.20), (0.34, 0.0), (0.34, -0.20)),
    jitter=0.02,
    cube_centre=(0.21, 0.0),
    cube_jitter=(0.015, 0.08),
)
