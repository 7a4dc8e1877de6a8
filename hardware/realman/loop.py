"""The one thread that commands the arm: take the newest push, ask the gate, send the setpoint, beat, at a fixed rate.

Nothing here waits for an answer. A stopped arm that stands gets the controller's own stop and no setpoints any more,
so that nothing moves it before an operator re-arms it.
"""

from __future__ import annotations

import threading

import numpy as np

from hardware.realman.controller import Controller
from hardware.realman.errands import Errands
from hardware.realman.heart import Heart
from hardware.realman.sensing import Senses
from hardware.realman.spec import RealmanSpec
from touchstone.clock import Clock
from touchstone.errors import WorldFailure
from touchstone.robots.rm75 import ARM
from touchstone.safety.codes import Code, Intervention
from touchstone.safety.gate import Gate
from touchstone.safety.states import Decision, State

KEPT_INTERVENTIONS = 1000
PERIOD_SHARE = 0.05  # of a new period in the running mean


class Loop:
    """Runs from `start` until `finish`. `lock` guards the gate and what is published here.

    heart: None without a guard, when nothing is ever sent.
    """

    def __init__(
        self,
        controller: Controller,
        gate: Gate,
        senses: Senses,
        errands: Errands,
        heart: Heart | None,
        spec: RealmanSpec,
        clock: Clock,
    ) -> None:
        self.lock = threading.Lock()
        self.failure: WorldFailure | None = None
        self.decision: Decision | None = None
        self.interventions: list[Intervention] = []
        self.missed = 0
        self.live = False  # the controller gets setpoints
        self._controller, self._gate, self._senses, self._errands = controller, gate, senses, errands
        self._heart, self._spec, self._clock = heart, spec, clock
        self._period = 1 / spec.rate_hz
        self._cycled_ns = self._targeted_ns = clock.now_ns()
        self._gripped: tuple[float, float] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="realman-io", daemon=True)

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
        self.live, self._gripped, self._targeted_ns = True, None, self._clock.now_ns()

    def targeted(self, now_ns: int) -> None:
        """A target was taken. Call it with the lock."""
        self._targeted_ns = now_ns

    def finish(self) -> None:
        """Ends the thread, and the setpoints with it."""
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
                self._ending.wait(self._clock.real(due - now))
        except WorldFailure as failure:
            self._fail(failure)
        except Exception as error:  # a bug must stop the arm like any other failure, and be told
            self._fail(WorldFailure(f"The arm's I/O thread failed ({type(error).__name__}: {error}); connect again."))

    def _fail(self, failure: WorldFailure) -> None:
        """Without beats the guard stops the arm."""
        with self.lock:
            self.failure, self.live = failure, False
            self._gate.stop(self._clock.now_ns(), str(failure).rstrip("."), Code.NO_READING)

    def _cycle_once(self) -> None:
        with self.lock:
            now_ns = self._clock.now_ns()
            self._watch(now_ns)
            decision = self.decision = self._gate.step(now_ns, self._senses.reading())
            self.interventions = (self.interventions + list(decision.interventions))[-KEPT_INTERVENTIONS:]
            if self.live and decision.state == State.STOPPED and self.standing:
                self.live = False
                self._errands.stop_arm()
            live, moving, target_age = self.live, not self.standing, (now_ns - self._targeted_ns) / 1e9
        if live:
            self._command(decision)
        if self._heart is not None:
            self._heart.beat(live and moving, target_age)

    def _watch(self, now_ns: int) -> None:
        """What the gate cannot see: silence, the guard, drives that went off, a thread that was held up."""
        gap, self._cycled_ns = now_ns - self._cycled_ns, now_ns
        if self._errands.gone is not None:
            raise self._errands.gone
        limit = self._gate.settings.reading_age / 1e9
        silence = self._senses.age(now_ns)
        if silence > limit / 2:
            self.missed += 1
            if silence <= limit:
                self._gate.hold()  # the gate stops it at the limit
        trouble = self._heart and (self._heart.stopped() or self._heart.unguarded())
        if self.live and trouble is None and gap > self._spec.guard_ms * 1e6:
            trouble = f"its driver was held up for {gap / 1e6:.0f} ms"
        if trouble is not None and self.live:
            # the arm stands, or nobody would stop it if it went on
            self._gate.stop(now_ns, trouble, Code.STALE_STOP)
            self.live = False
            self._errands.stop_arm()
        push = self._senses.newest
        if self.live and push is not None and not all(push.enabled):
            limp = ", ".join(name for name, on in zip(ARM.joint_names, push.enabled, strict=True) if not on)
            self._gate.stop(now_ns, f"{limp} lost torque", Code.MOTOR_FAULT)

    def _command(self, decision: Decision) -> None:
        """The only place that sends a setpoint: what the gate decided, and nothing else."""
        self._controller.setpoint(np.asarray(decision.joints))
        grip = None if decision.opening is None else (decision.opening, decision.force)
        if grip is not None and grip != self._gripped and decision.state not in (State.STOPPED, State.INHIBITED):
            self._errands.grip(*grip)
            self._gripped = grip
