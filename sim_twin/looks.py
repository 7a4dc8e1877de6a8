"""How the bench looks: light and table top. The defaults are the twin's; a shadow has others."""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Looks:
    """ambient, sun, fill: linear RGB. sun_direction, fill_direction: where the light goes, base frame.

    table: factors of the wood's red, green and blue. grain: factor of the contrast of its grain.
    """

    ambient: Triple = (0.35, 0.35, 0.35)
    sun_direction: Triple = (0.6, 0.5, -1.4)
    sun: Triple = (1.25, 1.22, 1.18)
    fill_direction: Triple = (-0.3, -0.6, -1.0)
    fill: Triple = (0.45, 0.46, 0.5)
    table: Triple = (1.0, 1.0, 1.0)
    grain: float = 1.0


DEFAULT_LOOKS = Looks()
