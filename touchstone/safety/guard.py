"""May the arm be here, and can it stop from here without leaving where it may be?

A motion is allowed only if its whole braking path is. So from every allowed motion there is an allowed standstill, and
the gate, which brakes along that path when the next motion is not allowed, never leaves the limits.
"""

from __future__ import annotations

import numpy as np

from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.safety.clearance import NOMINAL_TABLE, Heights, LinkHeights
from touchstone.safety.codes import Code
from touchstone.safety.motion import Motion, braking_distance
from touchstone.safety.settings import GateSettings

#: between two checked places a point may bulge out of the straight line by this much [m]; it is added to every limit
BULGE = 0.0005
#: rounding of trajectory arithmetic [rad]
ROUNDING = 1e-9


class Guard:
    """The limits of place of one arm over one table: joints, TCP box, clearances."""

    def __init__(self, arm: Arm, settings: GateSettings, table: Pose = NOMINAL_TABLE) -> None:
        self.heights = LinkHeights(arm, table)
        self._arm, self._settings = arm, settings
        self._lower, self._upper = arm.limits.lower, arm.limits.upper
        self._acceleration = arm.limits.acceleration
        # a point on an arc of d radians and radius r is at most r d^2 / 8 away from the chord
        self._spacing = float(np.sqrt(8 * BULGE / self.heights.reach))

    def place_problem(self, joints: np.ndarray) -> tuple[Code, str] | None:
        """Why the arm may not be at `joints` float64[n] [rad], or None."""
        return self._joint_problem(joints) or self._height_problem(self.heights.at(joints))

    def path_problem(self, before: Motion, after: Motion) -> tuple[Code, str] | None:
        """Why the arm may not go from `before` to `after` and, from there, brake; None if it may."""
        rest = after.position + braking_distance(after, self._acceleration)
        return (
            self._joint_problem(after.position)
            or self.place_problem(rest)
            or self._line_problem(after.position, rest)
            or self._line_problem(before.position, after.position)
        )

    def lowers_the_tips(self, joints: np.ndarray, towards: np.ndarray) -> bool:
        """Whether the fingertips would be lower over the table at `towards` than at `joints`, float64[n] [rad] each."""
        return self.heights.at(towards).tips < self.heights.at(joints).tips - ROUNDING

    def _joint_problem(self, joints: np.ndarray) -> tuple[Code, str] | None:
        outside = (joints < self._lower - ROUNDING) | (joints > self._upper + ROUNDING)
        if not outside.any():
            return None
        i = int(np.argmax(outside))
        return Code.POSITION, (
            f"{self._arm.joint_names[i]} would be at {joints[i]:.3f} rad, "
            f"outside {self._lower[i]:.3f}..{self._upper[i]:.3f}"
        )

    def _line_problem(self, start: np.ndarray, end: np.ndarray) -> tuple[Code, str] | None:
        # the joint limits are a box: who has checked both ends of a line has checked it all
        length = float(np.abs(end - start).sum())
        steps = max(1, int(np.ceil(length / self._spacing)))
        k = 0
        while k < steps:
            heights = self.heights.at(start + (end - start) * (k / steps))
            problem = self._height_problem(heights)
            if problem or not length:
                return problem
            # nothing moves more than reach times radians: places nearer than the room that is left need no check
            k += max(1, int(self._room(heights) / self.heights.reach / (length / steps)))
        return None

    def _room(self, heights: Heights) -> float:
        """How far every point may move before any limit is met [m]."""
        box = self._settings.box
        return -BULGE + min(
            heights.links - self._settings.link_clearance,
            heights.tips - self._settings.tip_clearance,
            float(np.min(heights.tcp - box.lower)),
            float(np.min(box.upper - heights.tcp)),
        )

    def _height_problem(self, heights: Heights) -> tuple[Code, str] | None:
        box, tcp = self._settings.box, heights.tcp
        if (tcp < np.add(box.lower, BULGE)).any() or (tcp > np.subtract(box.upper, BULGE)).any():
            return Code.WORKSPACE, (
                f"the TCP would be at ({tcp[0]:.3f}, {tcp[1]:.3f}, {tcp[2]:.3f}) m, outside {box.lower} to {box.upper}"
            )
        for what, height, limit in (
            (heights.lowest_link, heights.links, self._settings.link_clearance),
            ("a fingertip", heights.tips, self._settings.tip_clearance),
        ):
            if height < limit + BULGE:
                return Code.CLEARANCE, (
                    f"{what} would be {height * 1e3:.1f} mm over the table, under {limit * 1e3:g} mm and a margin"
                )
        return None
