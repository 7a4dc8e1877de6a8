"""A rehearsal: everything runs, the gate too, and no set-point leaves."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from hardware.arm import ArmDriver, ArmState
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import TouchstoneError, UsageError
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.safety.clearance import NOMINAL_TABLE
from touchstone.safety.codes import Intervention
from touchstone.safety.gate import Gate
from touchstone.safety.readings import Reading, Target
from touchstone.safety.settings import GateSettings
from touchstone.safety.states import Decision

RATE_HZ = 100.0
KEPT_INTERVENTIONS = 1000


class DryRun:
    """An `ArmDriver` around one that was made read-only. Joints, motors and temperatures are measured, so the arm is
    seen to stand still; gate, commanded joints and interventions are those of a second gate, which takes the arm to be
    where it is commanded. settings, table: of that gate, as the driver's.
    """

    def __init__(
        self,
        driver: ArmDriver,
        arm: Arm,
        settings: GateSettings | None = None,
        table: Pose = NOMINAL_TABLE,
        clock: Clock = REAL_TIME,
    ) -> None:
        self._driver, self._clock = driver, clock
        self._gate = Gate(arm, settings, table)
        self._lock = threading.Lock()
        self._decision: Decision | None = None
        self._interventions: list[Intervention] = []
        self._failure: TouchstoneError | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def connect(self) -> None:
        self._driver.connect()
        self._thread = threading.Thread(target=self._run, name="dry-run", daemon=True)
        self._thread.start()

    def state(self) -> ArmState:
        if self._failure is not None:
            raise self._failure
        state = self._driver.state()
        with self._lock:
            decision = self._decision
            joints = None if decision is None or decision.joints is None else tuple(map(float, decision.joints))
            counts = {code.value: n for code, n in self._gate.counts.items()}
            return replace(state, gate=self._gate.state, why=self._gate.why, commanded=joints, counts=counts)

    def rearm(self, operator: str) -> None:
        state = self._driver.state()
        seen = Reading(state.stamp_ns, state.joints.position, state.joints.velocity, None, state.motors)
        with self._lock:
            self._gate.rearm(self._clock.now_ns(), seen, operator, held=False)

    def servo(self, target: Target) -> Intervention | None:
        with self._lock:
            return self._gate.command(target, self._clock.now_ns())

    def gripper(self, opening: float, force: float | None = None) -> Intervention | None:
        with self._lock:
            return self._gate.grip(opening, force, self._clock.now_ns())

    def hold(self) -> None:
        with self._lock:
            self._gate.hold()

    def inhibit(self, hands_in_bench: bool) -> None:
        with self._lock:
            self._gate.inhibit(self._clock.now_ns(), hands_in_bench)

    def stop(self, reason: str) -> None:
        with self._lock:
            self._gate.stop(self._clock.now_ns(), reason)

    def torque_off(self, confirm: str) -> None:
        raise UsageError("This is a dry run and the arm is read-only; start without it to switch torque off.")

    def take_interventions(self) -> list[Intervention]:
        with self._lock:
            taken, self._interventions = self._interventions, []
        return taken

    def close(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
        self._driver.close()

    def _run(self) -> None:
        while not self._ending.wait(self._clock.real(1 / RATE_HZ)):
            try:
                state = self._driver.state()
            except TouchstoneError as failure:
                self._failure = failure
                return
            with self._lock:
                self._decision = self._gate.step(self._clock.now_ns(), self._imagined(state))
                self._interventions = (self._interventions + [*self._decision.interventions])[-KEPT_INTERVENTIONS:]

    def _imagined(self, state: ArmState) -> Reading:
        before = self._decision
        if before is None or before.joints is None:
            joints, velocity = state.joints.position, np.zeros_like(state.joints.position)
        else:
            joints, velocity = before.joints, before.velocity
        return Reading(state.stamp_ns, joints, velocity, None, state.motors)
