"""The arm of a bench: the embodiment's set-points, streamed to a driver, and what the driver says."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from hardware.arm import ArmDriver, ArmState
from hardware.bench.calibrated import calibrated, joint_offsets
from hardware.bench.dry_run import DryRun
from hardware.bench.follower import Follower
from hardware.bench.to_start import ToStart
from touchstone.calibration import Calibration, nominal
from touchstone.clock import REAL_TIME, Clock
from touchstone.control.embodiment import Setpoint
from touchstone.errors import TouchstoneError, WorldFailure
from touchstone.facts import Event
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.robots.base import Arm
from touchstone.safety.events import intervention_events
from touchstone.safety.readings import Target
from touchstone.safety.states import State
from touchstone.spec import Spec
from touchstone.world import GripperState, JointState

RATE_HZ = 100.0  # of the stream; a driver's I/O rate
EXPIRY_NS = 100_000_000  # a streamed target is worthless later
LATE_NS = 50_000_000  # a cycle of the stream that comes this late is a missed one
HAND_OVER_S = 2.0  # longest until the gate takes the policy's source, from a standstill
POLICY = "policy"


@dataclass(frozen=True)
class ArmReading:
    """The arm at `stamp_ns`, corrected by the calibration. tcp: pose in the base frame. commanded: the embodiment's."""

    stamp_ns: int
    joints: JointState
    gripper: GripperState
    tcp: Pose
    commanded: Setpoint
    temperatures: tuple[float, ...]
    state: ArmState


class ArmSide:
    """Owns the embodiment and a thread that streams to a connected and armed driver. Any thread may call any method.

    patience_s: how long after the last sign of life from above (`command`, `reading` or `beat`) the arm is held on
    purpose. Then nothing is streamed any more, and the gate takes it for stale: it holds, stops, and the driver falls
    silent. missed: cycles of the stream that came over 50 ms late.
    """

    def __init__(
        self,
        driver: ArmDriver,
        arm: Arm,
        clock: Clock = REAL_TIME,
        calibration: Calibration | None = None,
        patience_s: float = 10.0,
    ) -> None:
        calibration = calibration or nominal(arm.name)
        self.arm = calibrated(arm, calibration)
        self.missed = 0
        self.dry_run = isinstance(driver, DryRun)
        self._driver, self._clock = driver, clock
        self._offsets = joint_offsets(arm, calibration)
        self._patience_ns = round(patience_s * 1e9)
        self._lock = threading.Lock()
        self._follower = Follower(self.arm)
        self._beat_ns = clock.now_ns()
        self._step = 0
        self._failure: TouchstoneError | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arm-follower", daemon=True)
        self._thread.start()

    def reading(self) -> ArmReading:
        """The newest. Raises WorldFailure when the arm is gone."""
        self.beat()
        state = self._alive().state()
        joints = self._true(state)
        with self._lock:
            tcp, commanded = self.arm.kinematics.forward(joints.position), self._follower.setpoint
        temperatures = tuple(motor.temperature for motor in state.motors if motor.temperature is not None)
        return ArmReading(state.stamp_ns, joints, state.gripper, tcp, commanded, temperatures, state)

    def to_start(self, joints: np.ndarray, opening: float) -> None:
        """Moves the arm through the gate's ramp to `joints` float64[n] [rad] and waits until it stands there.

        Raises WorldFailure: it is stopped, the way is not free, or it does not arrive.
        """
        with self._lock:
            self._follower.end()
        way = ToStart(self._alive(), self.arm, self._clock, self._offsets, stands_still=self.dry_run)
        way.go(np.asarray(joints, dtype=np.float64), opening)

    def begin(self, spec: Spec) -> None:
        """The arm stands at the spec's start: from now on the stream is the policy's. Raises WorldFailure."""
        with self._lock:
            self._follower.begin(spec, self._clock.now_ns())
            self._step = 0
        self.beat()
        end = self._clock.now() + HAND_OVER_S
        # another source begins slowly; from a standstill it is through with that at once
        while (state := self._alive().state()).gate not in (State.TRACKING, State.STOPPED) and self._clock.now() < end:
            self._clock.sleep(0.01)
        if state.gate != State.TRACKING:
            why = state.why or "it does not follow"
            raise WorldFailure(f"The arm did not take up the episode ({why}); look at it and re-arm it.")

    def command(self, chunk: Chunk | None, now_ns: int, step: int) -> None:
        """A chunk from `now_ns` on, None to hold. Raises WorldFailure when the arm is gone."""
        self.beat()
        measured = self._true(self._alive().state()).position
        with self._lock:
            self._step = step
            self._follower.command(chunk, now_ns, step, self.arm.kinematics.forward(measured))

    def end(self) -> None:
        """No episode any more: the arm holds on purpose until the next one."""
        with self._lock:
            self._follower.end()
        self._alive().hold()

    def beat(self) -> None:
        """A sign of life from above."""
        self._beat_ns = self._clock.now_ns()

    def drain_events(self) -> list[Event]:
        """What embodiment and gate did since the last call. Of each of the gate's codes one event, with its number."""
        with self._lock:
            events, step = self._follower.drain_events(), self._step
        events += intervention_events(self._alive().take_interventions(), step)
        return sorted(events, key=lambda event: event.stamp_ns)

    def rearm(self, operator: str) -> None:
        """As the driver's."""
        self._alive().rearm(operator)

    def inhibit(self, hands_in_bench: bool) -> None:
        """As the driver's."""
        self._alive().inhibit(hands_in_bench)

    def stop(self, reason: str) -> None:
        """As the driver's."""
        self._driver.stop(reason)

    def close(self) -> None:
        """Ends the stream; the driver belongs to whoever made it. May be called twice."""
        self._ending.set()
        self._thread.join()

    def _true(self, state: ArmState) -> JointState:
        seen = state.joints
        return JointState(seen.names, seen.position + self._offsets, seen.velocity, seen.effort)

    def _alive(self) -> ArmDriver:
        if self._failure is not None:
            raise self._failure
        return self._driver

    def _run(self) -> None:
        period = 1 / RATE_HZ
        due = self._clock.now()
        try:
            while not self._ending.wait(self._clock.real(max(0.0, due - self._clock.now()))):
                now_ns = self._clock.now_ns()
                self.missed += now_ns > due * 1e9 + LATE_NS
                due = max(due + period, now_ns / 1e9)
                self._stream(now_ns)
        except TouchstoneError as failure:
            self._failure = failure
        except Exception as error:  # a bug must be told like any other failure; the gate then goes stale and stops
            self._failure = WorldFailure(
                f"The arm's follower failed ({type(error).__name__}: {error}); start the bench again."
            )

    def _stream(self, now_ns: int) -> None:
        if now_ns - self._beat_ns > self._patience_ns:
            return
        with self._lock:
            if self._follower.idle:
                return
            measured = self._true(self._driver.state()).position
            joints, opening = self._follower.stream(now_ns, self.arm.kinematics.forward(measured))
            # inside the lock, so that none comes after `end`
            expires = now_ns + EXPIRY_NS
            self._driver.servo(Target(joints - self._offsets, now_ns, expires, opening=opening, source=POLICY))
