"""Where things stand on the benches, in the arm's base frame; read by tasks, twin, drivers and policies alike."""

from __future__ import annotations

from dataclasses import dataclass

#: table top under the arm's base [m] (GrinningFace: base at z = 0.10 over the table)
TABLE_Z = -0.10
#: printed card, side and thickness [m] (GrinningFace: half size 0.07 x 0.07 x 0.001)
CARD_SIDE = 0.14
CARD_THICKNESS = 0.002


@dataclass(frozen=True)
class CardBench:
    """Nominal card centres xy [m] on the table, in slot order, and the half width of their uniform jitter [m]."""

    name: str
    card_centres: tuple[tuple[float, float], ...]
    jitter: float


#: Reachable top-down by both arms with margin (WidowX r <= 0.50, RM75 r <= 0.46; worst card here 0.42). The paper
#: publishes no positions for its Touch task, and its pick bench (x 0.45) is at the edge of the WidowX's reach.
TOUCH_BENCH = CardBench("touch", ((0.34, 0.20), (0.34, 0.0), (0.34, -0.20)), jitter=0.02)
