"""Moves that the controller plans by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hardware.emulators.realman.identity import POSITION, SPEED


@dataclass(frozen=True)
class Move:
    """From `start` to `goal` float64[7] [rad], `begun` and `end` [s], along a smooth step."""

    start: np.ndarray
    goal: np.ndarray
    begun: float
    end: float

    @staticmethod
    def planned(start: np.ndarray, goal: np.ndarray, now: float, share: float) -> Move:
        """share: of the joints' speeds, 0..1."""
        fastest = np.radians(SPEED) * share
        # a smooth step is 1.5 times as fast in its middle as on average
        return Move(start, goal, now, now + 1.5 * float(np.max(np.abs(goal - start) / fastest)))

    def at(self, now: float) -> np.ndarray:
        done = 1.0 if now >= self.end else (now - self.begun) / (self.end - self.begun)
        return self.start + (self.goal - self.start) * (3 - 2 * done) * done**2


def move_problem(message: dict[str, Any]) -> bool:
    """Whether a `movej` must be refused."""
    joints, share = message.get("joint"), message.get("v")
    sound = isinstance(joints, list) and len(joints) == 7 and isinstance(share, int) and 1 <= share <= 100
    return not sound or any(abs(j) > 1000 * limit for j, limit in zip(joints, POSITION, strict=True))
