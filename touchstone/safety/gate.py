"""The gate: every set-point that reaches a motor comes out of `Gate.step`.

No I/O and no clock of its own: the caller gives monotonic nanoseconds. What comes out obeys the joint limits of
position, speed and acceleration, the TCP box and the clearances, whatever goes in
(tests/safety/test_gate_properties.py).
Not thread-safe: one thread calls it.
"""

from __future__ import annotations

from collections import Counter
from numbers import Integral

import numpy as np

from touchstone.errors import UsageError
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.safety.arming import rearm_problem
from touchstone.safety.clearance import NOMINAL_TABLE
from touchstone.safety.codes import Code, Intervention, Ledger
from touchstone.safety.guard import Guard
from touchstone.safety.health import Health, cool, faulted_joints
from touchstone.safety.motion import Motion, Planner, brake
from touchstone.safety.readings import Reading, Target, reading_problem, target_problem
from touchstone.safety.settings import GateSettings
from touchstone.safety.states import Decision, State

ARRIVED = 1e-6  # [rad]


class RearmRefused(UsageError):
    """The arm is not in a state from which it may start."""


class Gate:
    """The gate of one arm; stopped until it is armed. table: pose of the table top, z up, in the base frame."""

    def __init__(self, arm: Arm, settings: GateSettings | None = None, table: Pose = NOMINAL_TABLE) -> None:
        self.settings = settings or GateSettings()
        self._arm, self._limits = arm, arm.limits
        self._guard = Guard(arm, self.settings, table)
        self._health = Health(arm, self.settings, self._guard.heights)
        self._planner = Planner(len(arm.joint_names), arm.limits.acceleration)
        self._ledger = Ledger()
        self._largest_force = min(arm.gripper.force, self.settings.grip_force or np.inf)
        self.state, self.why = State.STOPPED, "it was not armed yet"
        #: what stopped it last
        self.stopped_by: Code | None = None
        self._motion: Motion | None = None
        self._goal: np.ndarray | None = None
        self._opening: float | None = None
        self._force = self._largest_force
        self._source: str | None = None
        self._ramp_next = True
        self._waiting = True  # for the first target, or on purpose: then nothing is stale
        self._stepped_ns = self._heard_ns = self._stamp_ns = 0
        self._rest_until_ns = 0
        self._faulted: frozenset[str] = frozenset()
        self._hands = False

    @property
    def counts(self) -> Counter[Code]:
        """How often each intervention happened."""
        return self._ledger.counts

    def command(self, target: Target, now_ns: int) -> Intervention | None:
        """Takes a target from now on; says why not, if it does not.

        One that comes late or twice changes nothing. One that asks for something wrong is refused whole, and the arm
        brakes and holds until a good one comes.
        """
        asked = self._untimely(target, now_ns) or self._unwelcome()
        if asked:
            return self._ledger.note(asked[0], now_ns, f"A target was refused: {asked[1]}.")
        self._stamp_ns, self._heard_ns, self._waiting = target.stamp_ns, now_ns, False
        problem = self._problem(target)
        if problem:
            self._hold_at_once()
            return self._ledger.note(problem[0], now_ns, f"A target was refused and the arm holds: {problem[1]}.")
        if self._is_new_source(target):
            self._ramp_next = True
            self._ledger.note(Code.HAND_OVER, now_ns, f"'{target.source}' commands the arm after '{self._source}'.")
        self._source = target.source
        self._goal = np.array(target.joints, dtype=np.float64)
        if target.opening is not None:
            self._opening = float(target.opening)
        self._force = self._largest_force if target.force is None else float(target.force)
        self.state = State.RAMPING if self._ramp_next else State.TRACKING
        return None

    def step(self, now_ns: int, reading: Reading | None) -> Decision:
        """The set-point for now. Call it at the control rate, with the newest reading or None."""
        dt_ns = now_ns - self._stepped_ns
        self._stepped_ns = now_ns
        if self._motion is not None:
            if dt_ns > self.settings.longest_tick:
                self._ledger.note(Code.MISSED_TICK, now_ns, f"{dt_ns / 1e6:.0f} ms passed between two set-points.")
            self._watch(now_ns, reading)
            self._check_staleness(now_ns)
            self._move(now_ns, min(max(dt_ns, 0), self.settings.longest_tick) / 1e9)
        return self._decision()

    def rearm(self, now_ns: int, reading: Reading, operator: str, held: bool = True) -> None:
        """Leaves the stop; the arm then holds where it is, and the first target is approached slowly.

        operator: who says so. held: the motors have held the last set-point with torque since it was given.
        Raises RearmRefused, in one sentence, while there is a reason to stay stopped.
        """
        if self.state != State.STOPPED:
            raise RearmRefused("The arm is armed already; give it a target.")
        problem = rearm_problem(now_ns, reading, self._arm.limits, self.settings, self._guard)
        if self._hands:
            problem = "hands are in the bench"
        if not operator.strip():
            problem = "nobody is named as the operator who re-arms it"
        if problem:
            raise RearmRefused(f"The arm stays stopped: {problem}; change that and re-arm it again.")
        start = np.clip(reading.joints, self._limits.lower, self._limits.upper)
        if held and self._motion is not None and self._near(start):
            start = self._motion.position  # what the motors hold now: arming does not make them jump
        self._motion = Motion.at_rest(start)
        self._health.forget()
        self._goal = self._source = self._opening = None
        self._faulted = frozenset()
        self._ramp_next = True
        self._stepped_ns = self._stamp_ns = now_ns
        self._waiting = True
        self.state, self.why = State.HOLDING, ""

    def stop(self, now_ns: int, why: str, code: Code = Code.OPERATOR_STOP) -> None:
        """Brakes, holds with torque, and stays so until it is re-armed. May be called again."""
        if self.state == State.STOPPED:
            return
        self.state, self.why, self.stopped_by, self._goal = State.STOPPED, why, code, None
        self._ledger.note(code, now_ns, f"The arm was stopped: {why}.")

    def hold(self) -> None:
        """Brakes and holds until the next target; on purpose, so that it does not become stale."""
        self._hold_at_once()
        self._waiting = True

    def inhibit(self, now_ns: int, hands_in_bench: bool) -> None:
        """While hands are in the bench the arm holds and takes no target; the next one is approached slowly."""
        self._hands = hands_in_bench
        if hands_in_bench:
            self._ramp_next = True
        if hands_in_bench and self.state not in (State.STOPPED, State.INHIBITED):
            self.state, self._goal = State.INHIBITED, None
            self._ledger.note(Code.INHIBITED, now_ns, "Hands are in the bench: the arm holds.")
        elif not hands_in_bench and self.state == State.INHIBITED:
            self.state, self._waiting = State.HOLDING, True

    def grip(self, opening: float, force: float | None, now_ns: int) -> Intervention | None:
        """Takes a gripper opening 0..1 and a force [N], None = what is allowed; says why not, if it does not."""
        asked = self._unwelcome()
        if asked is None and self._motion is not None:
            asked = self._grip_problem(Target(self._motion.position, now_ns, now_ns, opening, force))
        if asked:
            return self._ledger.note(asked[0], now_ns, f"A gripper command was refused: {asked[1]}.")
        self._opening = float(opening)
        self._force = self._largest_force if force is None else float(force)
        return None

    # what is wrong with a target

    def _untimely(self, target: Target, now_ns: int) -> tuple[Code, str] | None:
        if not (isinstance(target.stamp_ns, Integral) and isinstance(target.expires_ns, Integral)):
            return Code.BAD_TARGET, "its stamps are not whole nanoseconds"
        if now_ns > target.expires_ns:
            return Code.LATE, f"it was due {(now_ns - target.expires_ns) / 1e6:.0f} ms ago"
        if target.stamp_ns > now_ns + self.settings.future:
            return Code.FUTURE, f"its stamp is {(target.stamp_ns - now_ns) / 1e6:.0f} ms ahead"
        if target.stamp_ns <= self._stamp_ns:
            return Code.OUT_OF_ORDER, "its stamp is not newer than the last one's"
        return None

    def _unwelcome(self) -> tuple[Code, str] | None:
        return {
            State.STOPPED: (Code.NOT_ARMED, f"the arm is stopped ({self.why}) and must be re-armed"),
            State.INHIBITED: (Code.INHIBITED, "hands are in the bench"),
            State.RESTING: (Code.RESTING, "motors are resting"),
        }.get(self.state)

    def _problem(self, target: Target) -> tuple[Code, str] | None:
        problem = self._grip_problem(target)
        if problem:
            return problem
        joints = np.asarray(target.joints, dtype=np.float64)
        problem = self._guard.place_problem(joints)
        if problem:
            return problem
        if self._health.only_up and self._guard.lowers_the_tips(self._motion.position, joints):
            return Code.TIP_FORCE, "the fingertips press on something and may only go up"
        far = np.abs(joints - self._motion.position)
        if far.max() > self.settings.step and not self._ramp_next and not self._is_new_source(target):
            i = int(np.argmax(far))
            return Code.STEP, (
                f"{self._arm.joint_names[i]} is to go {far[i]:.2f} rad at once, over {self.settings.step:g}"
            )
        return None

    def _grip_problem(self, target: Target) -> tuple[Code, str] | None:
        """What is wrong with the form of a target, or with what it asks of the gripper."""
        sentence = target_problem(target, len(self._arm.joint_names))
        if sentence:
            return Code.BAD_TARGET, sentence
        if target.force is not None and target.force > self._largest_force:
            return Code.GRIPPER_FORCE, f"{target.force:.1f} N is more than the gripper's {self._largest_force:g} N"
        return None

    def _near(self, joints: np.ndarray) -> bool:
        return np.abs(self._motion.position - joints).max() < self.settings.tracking_error

    def _is_new_source(self, target: Target) -> bool:
        return self._source is not None and target.source != self._source

    # what makes the arm stop or rest by itself

    def _watch(self, now_ns: int, reading: Reading | None) -> None:
        if reading is None or now_ns - reading.stamp_ns > self.settings.reading_age:
            return self.stop(now_ns, "its state is not known any more", Code.NO_READING)
        sentence = reading_problem(reading, len(self._arm.joint_names))
        if sentence:
            return self.stop(now_ns, f"its state makes no sense: {sentence}", Code.BAD_READING)
        self._faulted |= faulted_joints(reading)
        for finding in self._health.findings(reading, self._motion.position):
            if finding.latching:
                self.stop(now_ns, finding.detail, finding.code)
            elif finding.code == Code.TIP_FORCE:
                self._ledger.note(finding.code, now_ns, f"The arm holds: {finding.detail}.")
                self._hold_at_once()
            else:
                self._rest(now_ns, finding.code, finding.detail)
        if self.state == State.RESTING and now_ns >= self._rest_until_ns and cool(reading, self.settings):
            self.state, self._waiting = (State.INHIBITED if self._hands else State.HOLDING), True

    def _rest(self, now_ns: int, code: Code, why: str) -> None:
        if self.state not in (State.STOPPED, State.RESTING):
            self.state, self._goal, self._ramp_next = State.RESTING, None, True
            self._rest_until_ns = now_ns + self.settings.rest_time
            self._ledger.note(code, now_ns, f"The arm rests: {why}.")

    def _check_staleness(self, now_ns: int) -> None:
        if self._waiting or self.state not in (State.TRACKING, State.RAMPING, State.HOLDING):
            return
        age = now_ns - self._heard_ns
        if age > self.settings.stale_stop:
            self.stop(now_ns, f"no target came for {age / 1e9:.1f} s", Code.STALE_STOP)
        elif age > self.settings.stale_hold and self.state != State.HOLDING:
            self._hold_at_once()
            self._ledger.note(Code.STALE_HOLD, now_ns, f"The arm holds: no target came for {age / 1e6:.0f} ms.")

    # how it moves

    def _hold_at_once(self) -> None:
        if self.state in (State.TRACKING, State.RAMPING, State.HOLDING):
            self.state, self._goal = State.HOLDING, None

    def _move(self, now_ns: int, dt: float) -> None:
        if self._goal is not None and dt > 0:
            speed = self._limits.velocity * self.settings.speed
            if self.state == State.RAMPING:
                speed = speed * self.settings.ramp_speed
            after = self._planner.towards(self._motion, self._goal, dt, speed)
            problem = (Code.POSITION, "ruckig found no way") if after is None else None
            problem = problem or self._guard.path_problem(self._motion, after)
            if problem is None:
                self._motion = after
                if after.standing and np.abs(after.position - self._goal).max() < ARRIVED:
                    self._arrived()
                return
            self._ledger.note(problem[0], now_ns, f"The arm stops on its way and holds: {problem[1]}.")
            self._hold_at_once()
        self._motion = brake(self._motion, dt, self._limits.acceleration)

    def _arrived(self) -> None:
        if self.state == State.RAMPING:
            self.state, self._ramp_next = State.TRACKING, False

    def _decision(self) -> Decision:
        motion = self._motion
        return Decision(
            state=self.state,
            joints=None if motion is None else motion.position.copy(),
            velocity=None if motion is None else motion.velocity.copy(),
            opening=self._opening,
            force=self._force,
            interventions=self._ledger.tell(),
            faulted_joints=self._faulted,
            why=self.why,
        )
