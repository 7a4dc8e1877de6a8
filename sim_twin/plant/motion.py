"""From what the motors want to what the joints do, at every physics step."""

from __future__ import annotations

from collections import deque

import numpy as np
import pinocchio as pin

from sim_twin.plant.bench import STEP_NS, Bench
from sim_twin.shifts import Shifts
from touchstone.plant import Motion, References
from touchstone.robots.base import Arm

WAITING = 1000  # references under way; 10 s of them


class Motors:
    """Drives a bench's arm by references that come with stamps; joints without torque stay where they are.

    The twin's arm weighs nothing, as if its controller knew its weight; what the real motors would spend on holding it
    is added to the efforts.
    """

    def __init__(self, arm: Arm, bench: Bench, shifts: Shifts) -> None:
        self._arm, self._bench = arm, bench
        self._stiffness = arm.drives.stiffness * shifts.stiffness
        self._damping = arm.drives.damping * shifts.damping
        self._under_way: deque[References] = deque(maxlen=WAITING)
        n = len(arm.joint_names)
        self._joints, self._opening = np.full(n, np.nan), np.nan
        self._limp = np.ones(n, dtype=bool)
        self._held, self._held_opening = np.array(arm.ready), 1.0
        self._gap = 1.0
        self._speed = 0.0
        full = pin.buildModelFromUrdf(str(arm.urdf))
        self._model = pin.buildReducedModel(
            full, [full.getJointId(name) for name in arm.gripper.joints], pin.neutral(full)
        )
        self._data = self._model.createData()

    def take(self, references: References) -> None:
        """Keeps what the motors want from its stamp on."""
        self._under_way.append(references)

    def step(self, now_ns: int) -> None:
        """One physics step, at whose end it is `now_ns`."""
        while self._under_way and self._under_way[0].stamp_ns <= now_ns:
            newest = self._under_way.popleft()
            self._joints, self._opening = newest.joints, newest.opening
        limp = np.isnan(self._joints)
        if (limp & ~self._limp).any():
            # they stay where they were when their torque went
            self._held = np.where(limp & ~self._limp, self._bench.drives.positions(), self._held)
        self._limp = limp
        self._held = np.where(limp, self._held, self._joints)
        self._held_opening = self._held_opening if np.isnan(self._opening) else self._opening
        self._bench.drives.send(self._held, self._held_opening)
        self._bench.step()
        gap = self._bench.drives.opening()
        self._speed, self._gap = (gap - self._gap) * 1e9 / STEP_NS, gap

    def motion(self, now_ns: int) -> Motion:
        drives = self._bench.drives
        positions, velocities = drives.positions(), drives.velocities()
        effort = self._stiffness * (self._held - positions) - self._damping * velocities
        effort += pin.computeGeneralizedGravity(self._model, self._data, positions)
        most = self._arm.limits.effort
        effort = np.where(self._limp, 0.0, np.clip(effort, -most, most))
        return Motion(now_ns, positions, velocities, effort, self._gap, self._speed)
