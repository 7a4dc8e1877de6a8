"""A shadow: the twin with hidden shifts, which stands in for a bench when calibration and gap analysis are graded.

    shadow:light                    one shift, at full strength, drawn from seed 0
    shadow:light+latency@0.5        two, both at half strength
    shadow:camera@0.2+grip@1#7      each at its own strength, drawn from seed 7
    shadow:all@0.5                  every shift

Whoever asks is told the unshifted camera and the unshifted arm; what was drawn is in the session's sealed file.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import asdict, dataclass

import numpy as np

from sim_twin.looks import DEFAULT_LOOKS, Looks
from sim_twin.shifts import FAMILIES, Amounts, Shifts
from sim_twin.surroundings import surroundings
from sim_twin.world import TwinWorld
from touchstone.errors import UsageError
from touchstone.world import WorldRequest

ALL = "all"
_FORM = "light+latency@0.5 (names joined by +, a strength 0..1 after @, a seed after #)"


def make_shadow(request: WorldRequest) -> ShadowWorld:
    """The registered world `shadow`. Raises UsageError for a variant that is not of the form above."""
    if not request.variant:
        raise UsageError(f"A shadow needs its shifts, for instance --world shadow:{_FORM}; there are: {_known()}.")
    return ShadowWorld(request, parse(request.variant))


@dataclass(frozen=True)
class Recipe:
    """strengths: shift -> 0..1. seed: of the amounts."""

    strengths: dict[str, float]
    seed: int

    def draw(self, looks: Looks = DEFAULT_LOOKS) -> Shifts:
        """The hidden parameters. Each shift has a stream of its own: adding one leaves the others as they were.

        looks: of the unshifted scene.
        """
        shifts = Shifts(looks=looks)
        for name, strength in sorted(self.strengths.items()):
            generator = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
            shifts = FAMILIES[name](shifts, Amounts(generator, strength))
        return shifts


class ShadowWorld(TwinWorld):
    """A twin with a recipe's shifts."""

    plant = "shadow"

    def __init__(self, request: WorldRequest, recipe: Recipe) -> None:
        self._recipe = recipe
        self._shifts = recipe.draw(surroundings(request.scene).looks)
        super().__init__(request, self._shifts)

    def sealed(self) -> dict:
        """What nobody is told: the recipe and every hidden parameter, JSON-able."""
        return {"strengths": self._recipe.strengths, "seed": self._recipe.seed, "shifts": asdict(self._shifts)}


def parse(variant: str) -> Recipe:
    """The recipe that the text after `shadow:` names. A part without a strength takes that of the next part that has
    one, and 1 if none has. Raises UsageError."""
    whole = re.fullmatch(r"(?P<parts>[^#]+?)(#(?P<seed>\d+))?", variant)
    if whole is None:
        raise UsageError(f"'shadow:{variant}' names no shadow; write it as shadow:{_FORM}.")
    strengths: dict[str, float] = {}
    strength = 1.0
    for part in reversed(whole["parts"].split("+")):
        name, at, number = part.partition("@")
        if at:
            strength = _strength(number, variant)
        for shift in sorted(FAMILIES) if name == ALL else [name]:
            if shift not in FAMILIES:
                raise UsageError(f"Unknown shift '{name}' in shadow:{variant}; choose from: {_known()}.")
            if shift in strengths:
                raise UsageError(f"shadow:{variant} names '{shift}' twice; name each shift once.")
            strengths[shift] = strength
    return Recipe(dict(sorted(strengths.items())), int(whole["seed"] or 0))


def _strength(number: str, variant: str) -> float:
    try:
        strength = float(number)
    except ValueError:
        strength = -1.0
    if not 0.0 <= strength <= 1.0:
        raise UsageError(f"The strength '{number}' in shadow:{variant} is not a number from 0 to 1; correct it.")
    return strength


def _known() -> str:
    return ", ".join([*FAMILIES, ALL])
