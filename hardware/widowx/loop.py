"""The one thread that owns the bus: read, ask the gate, write, at a fixed rate.

Every packet feeds the motors' watchdogs, reads too. So when setpoints have gone stale and the arm stands, the loop
falls silent until the watchdogs have tripped; a commander that hangs beside a live loop then leaves an arm that only
its own motors hold, and that takes no goal before an operator re-arms it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any

from hardware.dynamixel import registers as reg
from hardware.dynamixel.bus import Bus, BusFailure, BusGone
from hardware.dynamixel.units import gripper_angle, ticks_inside
from hardware.widowx.motors import GRIPPER, MASTERS, MOTORS
from hardware.widowx.sensing import Senses
from hardware.widowx.spec import WidowXSpec
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import WorldFailure
from touchstone.robots.wx250s import ARM
from touchstone.safety.codes import Code, Intervention
from touchstone.safety.gate import Gate
from touchstone.safety.states import Decision, State

SLOW_EVERY = 5  # cycles; three groups in turn, so each is 150 ms old at 100 Hz
#: PWM of the gripper's largest force; Interbotix's largest gripper effort. Not measured on an arm.
FULL_GRIP_PWM, LEAST_GRIP_PWM = 350, 60
KEPT_INTERVENTIONS = 1000
PERIOD_SHARE = 0.05  # of a new period in the running mean


class Loop:
    """Runs from `start` until `finish`. `lock` guards gate, senses and what is published here. clock: of every time."""

    def __init__(self, bus: Bus, gate: Gate, senses: Senses, spec: WidowXSpec, clock: Clock = REAL_TIME) -> None:
        self.lock = threading.Lock()
        self.failure: WorldFailure | None = None
        self.decision: Decision | None = None
        self.interventions: list[Intervention] = []
        self.missed = 0
        self._period = 1 / spec.rate_hz
        self.live = False  # motors hold and follow
        self._bus, self._gate, self._senses, self._spec = bus, gate, senses, spec
        self._clock = clock
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future]] = SimpleQueue()
        self._ending = threading.Event()
        self._silent_until = 0.0
        self._cycle = 0
        self._gripped: tuple[float, float] | None = None
        self._thread = threading.Thread(target=self._run, name="widowx-io", daemon=True)

    @property
    def rate_hz(self) -> float:
        """Of the last cycles, as measured on the loop's clock."""
        return 1 / self._period

    @property
    def silent(self) -> bool:
        """The loop keeps off the bus, so that the watchdogs trip."""
        return self._clock.now() < self._silent_until + 0.1

    def start(self) -> None:
        self._thread.start()

    def follow(self) -> None:
        """The motors hold and shall follow the gate from now on; called in the thread."""
        self.live, self._silent_until, self._gripped = True, 0.0, None

    def finish(self) -> None:
        """Ends the thread; the motors' watchdogs trip soon after, and they hold."""
        self._ending.set()
        self._thread.join()

    def call(self, function: Callable[[], Any]) -> Any:
        """Runs `function` in the thread, between two cycles, and gives its result or raises its error."""
        future: Future = Future()
        self._calls.put((function, future))
        while self._thread.is_alive():
            try:
                return future.result(timeout=0.2)
            except TimeoutError:
                if future.done():
                    raise
        raise self.failure or WorldFailure("The arm's driver has ended; connect again.")

    def _run(self) -> None:
        period = 1 / self._spec.rate_hz
        due = before = self._clock.now()
        try:
            while not self._ending.is_set():
                self._answer_calls()
                if self._clock.now() >= self._silent_until:
                    self._cycle_once()
                now = self._clock.now()
                self._period += PERIOD_SHARE * (now - before - self._period)
                before = now
                due = max(due + period, now)
                self._ending.wait(self._clock.real(due - now))
        except WorldFailure as failure:
            self._fail(failure)
        except Exception as error:  # a bug must stop the arm like any other failure, and be told
            self._fail(WorldFailure(f"The arm's I/O thread failed ({type(error).__name__}: {error}); connect again."))

    def _fail(self, failure: WorldFailure) -> None:
        with self.lock:
            self.failure, self.live = failure, False
            self._gate.stop(self._clock.now_ns(), str(failure).rstrip("."), Code.NO_READING)
        while True:
            try:
                self._calls.get_nowait()[1].set_exception(failure)
            except Empty:
                return

    def _answer_calls(self) -> None:
        while True:
            try:
                function, future = self._calls.get_nowait()
            except Empty:
                return
            try:
                future.set_result(function())
            except BusGone as gone:
                future.set_exception(gone)
                raise
            except Exception as error:  # it belongs to who called
                future.set_exception(error)

    def _cycle_once(self) -> None:
        self._cycle += 1
        answered = self._senses.read_fast(self._bus, self._clock.now_ns())
        if not answered:
            self.missed += 1
            if self._clock.now_ns() - self._senses.stamp_ns > self._gate.settings.reading_age / 2:
                self._senses.missing = tuple(m.name for m in MOTORS if self._bus.ping(m.id, tries=1) is None)
        if self._cycle % SLOW_EVERY == 0 and answered:
            self._senses.read_slow(self._bus)
        with self.lock:
            now_ns = self._clock.now_ns()
            self._watch_motors(now_ns)
            decision = self.decision = self._gate.step(now_ns, self._senses.reading())
            self.interventions = (self.interventions + list(decision.interventions))[-KEPT_INTERVENTIONS:]
            stale = self._gate.stopped_by == Code.STALE_STOP
        if not self.live:
            return
        self._command(decision)
        if stale and decision.state == State.STOPPED and not decision.velocity.any():
            self._silent_until = self._clock.now() + 2.5 * self._spec.watchdog_ms / 1e3
            self.live = False

    def _watch_motors(self, now_ns: int) -> None:
        """What only this bus can see: watchdogs that tripped, torque that went."""
        if not self.live:
            return
        if self._senses.tripped:
            self.live = False
            self._gate.stop(now_ns, f"the bus watchdog stopped {', '.join(self._senses.tripped)}", Code.MOTOR_FAULT)
        elif self._senses.limp:
            self._gate.stop(now_ns, f"{', '.join(self._senses.limp)} lost torque", Code.MOTOR_FAULT)

    def _command(self, decision: Decision) -> None:
        """The only place that writes a goal: what the gate decided, and nothing else."""
        goals = {
            motor.id: ticks_inside(angle, motor.lower, motor.upper)
            for motor, angle in zip(MASTERS, decision.joints, strict=True)
        }
        grip = None if decision.opening is None else (decision.opening, decision.force)
        if grip is not None and grip != self._gripped and decision.state not in (State.STOPPED, State.INHIBITED):
            share = decision.force / ARM.gripper.force
            pwm = max(LEAST_GRIP_PWM, round(share * FULL_GRIP_PWM))
            angle = gripper_angle(ARM.gripper.finger_position(decision.opening))
            with contextlib.suppress(BusFailure):  # an answer got lost: it is written again in the next cycle
                self._bus.write(GRIPPER.id, reg.GOAL_PWM, pwm, tries=1)
                goal = ticks_inside(angle, GRIPPER.lower, GRIPPER.upper)
                self._bus.write(GRIPPER.id, reg.GOAL_POSITION, goal, tries=1)
                self._gripped = grip
        self._bus.sync_write(reg.GOAL_POSITION, goals)
