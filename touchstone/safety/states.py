"""What comes out of the gate: its state, and what the arm is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from touchstone.safety.codes import Intervention


class State(str, Enum):
    """`stopped` is latched; only `Gate.rearm` leaves it. In every state but these two moving ones the arm holds."""

    STOPPED = "stopped"
    HOLDING = "holding"
    RAMPING = "ramping"  # slow, to the first target of a source
    TRACKING = "tracking"
    RESTING = "resting"  # until motors have cooled down
    INHIBITED = "inhibited"  # hands are in the bench


@dataclass(frozen=True)
class Decision:
    """What the arm is told now.

    joints float64[n] [rad] and velocity float64[n] [rad/s]: None until the gate was armed once, then nothing may be
    commanded. opening: 0..1 or None = leave it; force: grip force [N]. interventions: what was not told before.
    faulted_joints: joints whose motors, both of a pair, must be taken for broken. why: of a stop, one sentence.
    """

    state: State
    joints: np.ndarray | None
    velocity: np.ndarray | None
    opening: float | None
    force: float
    interventions: tuple[Intervention, ...]
    faulted_joints: frozenset[str]
    why: str
