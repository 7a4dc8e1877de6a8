"""Brings an arm to where an episode starts: over the gate's ramp, upwards first where the straight way is not free."""

from __future__ import annotations

import numpy as np

from hardware.arm import ArmDriver, ArmState
from touchstone.clock import Clock
from touchstone.errors import WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.safety.codes import Code
from touchstone.safety.readings import Target
from touchstone.safety.states import State

SOURCE = "to start"
EVERY_S = 0.02  # between two targets
EXPIRY_NS = 200_000_000
LONGEST_S = 60.0  # a whole turn of a joint at the gate's ramp takes 17 s
STUCK_S = 1.0  # what is commanded has not changed for so long: the gate does not go on
RISE = 0.15  # [m], how far up it tries first
COMMANDED = 1e-3  # [rad], the gate has let it arrive
MEASURED = 0.05  # [rad], over what backlash and sag of a WidowX leave
CLOSE = 0.01  # [rad], no need to wait any longer
STANDING = 0.03  # [rad/s]
GRIPPER = 0.05  # of the opening's range


class ToStart:
    """One arm's ways. offsets: what is added to the encoders' angles, float64[n] [rad]. stands_still: nothing moves in
    a dry run, so that only what is commanded counts."""

    def __init__(
        self, driver: ArmDriver, arm: Arm, clock: Clock, offsets: np.ndarray, stands_still: bool = False
    ) -> None:
        self._driver, self._arm, self._clock, self._offsets = driver, arm, clock, offsets
        self._stands_still = stands_still

    def go(self, joints: np.ndarray, opening: float) -> None:
        """To `joints` float64[n] [rad] and `opening` 0..1, until it stands there. Raises WorldFailure, one sentence."""
        problem = self._reach(joints, opening)
        if problem is None:
            return
        above = self._above()
        again = None if above is None else self._reach(above, opening) or self._reach(joints, opening)
        if above is None or again is not None:
            raise WorldFailure(f"The arm does not reach its start: {again or problem}; move it free and start again.")

    def _reach(self, joints: np.ndarray, opening: float) -> str | None:
        """What is wrong, or None when it stands there."""
        goal = joints - self._offsets
        end = self._clock.now() + LONGEST_S
        moved, last = self._clock.now(), None
        self._driver.take_interventions()
        while True:
            now = self._clock.now_ns()
            target = Target(goal, now, now + EXPIRY_NS, opening=opening, source=SOURCE)
            refused = self._driver.servo(target)
            state = self._driver.state()
            if state.gate == State.STOPPED:
                raise WorldFailure(f"The arm is stopped ({state.why}); re-arm it and start again.")
            if refused is not None:
                return refused.detail.rstrip(".")
            if self._there(state, goal, opening):
                return None
            if state.commanded != last:
                moved, last = self._clock.now(), state.commanded
            elif self._clock.now() - moved > STUCK_S and not self._arrived(state, goal):
                return self._obstacle()
            if self._clock.now() > end:
                return self._short_of(state, goal, opening)
            self._clock.sleep(EVERY_S)

    def _arrived(self, state: ArmState, goal: np.ndarray) -> bool:
        """Whether the gate has let it get there."""
        return state.commanded is not None and np.abs(np.subtract(state.commanded, goal)).max() <= COMMANDED

    def _obstacle(self) -> str:
        """Why the gate does not go on."""
        told = [each.detail for each in self._driver.take_interventions() if each.code != Code.HAND_OVER]
        return told[0].rstrip(".") if told else "the gate holds it on the way"

    def _there(self, state: ArmState, goal: np.ndarray, opening: float) -> bool:
        if not self._arrived(state, goal):
            return False
        if self._stands_still:
            return True
        away = np.abs(state.joints.position - goal).max()
        standing = np.abs(state.joints.velocity).max() < STANDING
        return bool((away < CLOSE or (away < MEASURED and standing)) and abs(state.gripper.opening - opening) < GRIPPER)

    def _short_of(self, state: ArmState, goal: np.ndarray, opening: float) -> str:
        away = np.abs(state.joints.position - goal)
        i = int(np.argmax(away))
        if away[i] > MEASURED:
            return f"{self._arm.joint_names[i]} is {away[i]:.2f} rad short of it after {LONGEST_S:g} s"
        return f"the gripper stands at {state.gripper.opening:.2f} and was sent to {opening:.2f}"

    def _above(self) -> np.ndarray | None:
        """Joints with the TCP straight up from where it is, float64[n] [rad]; None where there are none."""
        here = self._driver.state().joints.position + self._offsets
        tcp = self._arm.kinematics.forward(here)
        found = self._arm.kinematics.inverse(Pose(tcp.position + [0.0, 0.0, RISE], tcp.quaternion), here)
        return found.joints if found.ok else None
