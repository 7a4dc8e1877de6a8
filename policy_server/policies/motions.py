"""Which scripted motion carries out which task."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from policy_server.policies.pick_motion import PickMotion
from policy_server.policies.touch_motion import TouchMotion
from touchstone.errors import UsageError
from touchstone.policy import Chunk
from touchstone.spec import Brief
from touchstone.world import Observation

_MOTIONS = {"touch-emoji": TouchMotion, "pick-emoji": PickMotion}


class Motion(Protocol):
    """From where things are to the next action; one object lasts one episode."""

    @property
    def wants_cube(self) -> bool:
        """Whether the next action depends on where the cube is now."""

    def next(self, observation: Observation, card_xy: np.ndarray, cube: np.ndarray | None) -> Chunk:
        """card_xy: centre of the card to act on, float64[2]; cube: its middle, float64[3], None if the task has none or
        `wants_cube` was never true; metres, base frame."""


def motion_for(brief: Brief) -> Motion:
    """The motion of the brief's task. Raises UsageError for a task that no script carries out."""
    if brief.task not in _MOTIONS:
        raise UsageError(f"No scripted motion carries out {brief.task}; choose one of: {', '.join(_MOTIONS)}.")
    return _MOTIONS[brief.task](brief.rate_hz)
