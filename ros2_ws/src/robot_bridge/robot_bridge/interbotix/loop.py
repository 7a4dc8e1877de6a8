"""The one thread that commands the arm: take the newest joint_states, ask the gate, publish the set-point, at a fixed
rate. Nothing here waits for an answer. A stopped arm that stands gets no set-points any more."""

from __future__ import annotations

import threading

from hardware.dynamixel.units import ticks_inside
from hardware.widowx.motors import MASTERS
from robot_bridge.interbotix.grip import Grip
from robot_bridge.interbotix.sensing import Senses
from robot_bridge.interbotix.spec import InterbotixSpec
from robot_bridge.interbotix.units import commanded_angle
from robot_bridge.interbotix.xs_sdk import XsSdk
from touchstone.clock import Clock
from touchstone.errors import WorldFailure
from touchstone.safety.codes import Code, Intervention
from touchstone.safety.gate import Gate
from touchstone.safety.states import Decision, State

KEPT_INTERVENTIONS = 1000
PERIOD_SHARE = 0.05  # of a new period in the running mean
LOOK_AROUND_S = 0.5  # between two looks for other nodes that command the arm


def goals_of(decision: Decision) -> list[int]:
    """What the masters' goal registers shall be."""
    angles = zip(MASTERS, decision.joints, strict=True)
    return [ticks_inside(angle, motor.lower, motor.upper) for motor, angle in angles]


class Loop:
    """Runs from `start` until `finish`. `lock` guards gate, senses and what is published here."""

    def __init__(
        self, sdk: XsSdk, gate: Gate, senses: Senses, lock: threading.Lock, spec: InterbotixSpec, clock: Clock
    ) -> None:
        self.lock = lock
        self.failure: WorldFailure | None = None
        self.decision: Decision | None = None
        self.interventions: list[Intervention] = []
        self.late = 0  # cycles without a fresh reading
        self.live = False  # the arm gets set-points
        self._sdk, self._gate, self._senses, self._spec, self._clock = sdk, gate, senses, spec, clock
        self._grip = Grip(sdk)
        self._period = 1 / spec.rate_hz
        self._looked = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="interbotix-io", daemon=True)

    @property
    def rate_hz(self) -> float:
        """Of the last cycles, as measured."""
        return 1 / self._period

    @property
    def standing(self) -> bool:
        """Whether the arm is told to stand. Ask with the lock."""
        velocity = None if self.decision is None else self.decision.velocity
        return velocity is None or not velocity.any()

    def start(self) -> None:
        self._thread.start()

    def follow(self) -> None:
        """The arm shall follow the gate from now on. Call it with the lock."""
        self._grip.forget()
        self.live = True

    def finish(self) -> None:
        """Ends the thread, and the set-points with it."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        period = 1 / self._spec.rate_hz
        due = before = self._clock.now()
        try:
            while not self._ending.is_set():
                self._cycle_once()
                now = self._clock.now()
                self._period += PERIOD_SHARE * (now - before - self._period)
                before = now
                due = max(due + period, now)
                self._ending.wait(due - now)
        except WorldFailure as failure:
            self._fail(failure)
        except Exception as error:  # a bug must stop the arm like any other failure, and be told
            self._fail(WorldFailure(f"The arm's I/O thread failed ({type(error).__name__}: {error}); connect again."))

    def _fail(self, failure: WorldFailure) -> None:
        with self.lock:
            self.failure, self.live = failure, False
            self._gate.stop(self._clock.now_ns(), str(failure).rstrip("."), Code.NO_READING)

    def _cycle_once(self) -> None:
        if self._sdk.failure is not None:
            raise self._sdk.failure
        others = self._others()
        with self.lock:
            now_ns = self._clock.now_ns()
            if now_ns - self._senses.stamp_ns > self._gate.settings.reading_age / 2:
                self.late += 1
            if self.live:
                self._watch(now_ns, others)
            decision = self.decision = self._gate.step(now_ns, self._senses.reading())
            self.interventions = (self.interventions + list(decision.interventions))[-KEPT_INTERVENTIONS:]
            if self._gate.stopped_by == Code.NO_READING and decision.state == State.STOPPED:
                self.live = False  # who says nothing may not listen either, and would get it all at once later
            live = self.live
            if live and decision.state == State.STOPPED and self.standing:
                self.live = False
        if live:
            self._command(decision)

    def _others(self) -> tuple[str, ...]:
        """Other nodes that may command the arm, looked for every now and then."""
        if not self.live or self._clock.now() - self._looked < LOOK_AROUND_S:
            return ()
        self._looked = self._clock.now()
        return self._sdk.commanders()

    def _watch(self, now_ns: int, others: tuple[str, ...]) -> None:
        """What the gate cannot see: watchdogs that tripped, torque that went, somebody else at the wheel."""
        if self._senses.tripped:
            self.live = False
            self._gate.stop(now_ns, f"the bus watchdog stopped {', '.join(self._senses.tripped)}", Code.MOTOR_FAULT)
        elif self._senses.limp:
            self._gate.stop(now_ns, f"{', '.join(self._senses.limp)} lost torque", Code.MOTOR_FAULT)
        elif others:
            self._gate.stop(now_ns, f"the node {', '.join(others)} may command it, too", Code.HAND_OVER)

    def _command(self, decision: Decision) -> None:
        """The only place that gives a goal: what the gate decided, and nothing else."""
        self._sdk.command([commanded_angle(ticks) for ticks in goals_of(decision)])
        if decision.opening is not None and decision.state not in (State.STOPPED, State.INHIBITED):
            self._grip.follow(decision.opening, decision.force)
