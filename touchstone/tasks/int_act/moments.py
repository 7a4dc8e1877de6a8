"""The raw facts that INT-ACT's rules read, one record a tick."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from touchstone.facts import Record

Seven = tuple[float, float, float, float, float, float, float]
Triple = tuple[float, float, float]


class ObjectMoment(Record):
    """One object at one tick, in any frame whose z points up.

    pose: of its own frame, x y z [m] w x y z. centre: of its mass [m]. left, right: summed contact impulse [N s] of
    each finger on it in the last physics step, in the TCP's frame (y: the axis along which the fingers open, left
    finger on its positive side). contacts: magnitude of the summed impulse [N s] of every other body that touches it,
    by name: objects, `table`; never the arm.
    """

    pose: Seven
    centre: Triple
    left: Triple = (0.0, 0.0, 0.0)
    right: Triple = (0.0, 0.0, 0.0)
    contacts: dict[str, float] = Field(default_factory=dict)

    @property
    def origin(self) -> np.ndarray:
        """float64[3]: where its own frame is [m]."""
        return np.array(self.pose[:3])


class Moment(Record):
    """One tick. ee: origin of the arm's `ee_gripper_link` [m]. objects: by name, in the frame of `ee`."""

    step: int
    ee: Triple
    objects: dict[str, ObjectMoment]
