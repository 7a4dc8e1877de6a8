"""What is streamed to a driver between two commands: a straight line in joint space, as in the twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Segment:
    """From `before` to `after`, float64[n] [rad], in `duration_ns` from `begin_ns`; opening: 0..1, at once."""

    before: np.ndarray
    after: np.ndarray
    opening: float
    begin_ns: int
    duration_ns: int

    @staticmethod
    def standing(joints: np.ndarray, opening: float, now_ns: int) -> Segment:
        return Segment(joints, joints, opening, now_ns, 0)

    @property
    def end_ns(self) -> int:
        return self.begin_ns + self.duration_ns

    def at(self, now_ns: int) -> np.ndarray:
        """The joints at `now_ns`, float64[n] [rad]."""
        if now_ns >= self.end_ns:
            return self.after
        share = max(0.0, (now_ns - self.begin_ns) / self.duration_ns)
        return self.before + (self.after - self.before) * share
