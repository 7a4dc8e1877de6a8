"""The Realman RM75 as an `ArmDriver` (hardware/arm.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hardware.arm import TORQUE_OFF, ArmState
from hardware.realman.checks import check_errors, check_gripper, check_identity, wait_for_push
from hardware.realman.controller import Controller, ControllerFailure
from hardware.realman.errands import Errands
from hardware.realman.heart import Heart
from hardware.realman.loop import Loop
from hardware.realman.sensing import Senses
from hardware.realman.spec import RealmanSpec
from hardware.realman.units import LARGEST_FORCE
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError, WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.rm75 import ARM
from touchstone.safety.clearance import NOMINAL_TABLE
from touchstone.safety.codes import Intervention
from touchstone.safety.gate import Gate
from touchstone.safety.readings import Target
from touchstone.safety.settings import GateSettings

#: setpoints are cut to 0.001 deg on the wire, which may lower a fingertip by 0.1 mm; it shall stay 1 mm up
SETTINGS = GateSettings(tip_clearance=0.0011)
FRESH_S = 0.5  # an older state is no state
BRAKE_S = 2.0  # longest that `close` waits for a standstill
ANSWER_S = 1.0  # longest that drives and stops may take
#: [s] after which the guard stops an arm that still moves on stale targets; the gate brakes it in 0.3
GRACE_S = 0.6


class Realman:
    """One RM75 behind one controller. settings (None: `SETTINGS`), table: the gate's. Nothing moves before `rearm`.

    clock: of every rate, limit and stamp; a slowed one belongs before an emulator on the same.
    """

    def __init__(
        self,
        spec: RealmanSpec,
        settings: GateSettings | None = None,
        table: Pose = NOMINAL_TABLE,
        clock: Clock = REAL_TIME,
    ) -> None:
        self._spec, self._clock = spec, clock
        settings = settings or SETTINGS
        # the gripper's threshold reaches less than its largest force
        settings = replace(settings, grip_force=min(settings.grip_force or LARGEST_FORCE, LARGEST_FORCE))
        self._controller = Controller(spec)
        self._gate = Gate(ARM, settings, table)
        self._senses = Senses(clock)
        self._errands: Errands | None = None
        self._heart: Heart | None = None
        self._loop: Loop | None = None

    def connect(self) -> None:
        """Checks the arm and starts to listen to it. Raises UsageError or WorldFailure, in one sentence."""
        if self._loop is not None:
            raise UsageError(f"The arm at {self._controller.name} is connected already; close it first.")
        self._senses.forget()
        self._controller.open(self._senses.take)
        try:
            check_identity(self._controller, self._spec)
            check_errors(self._controller)
            check_gripper(self._controller)
            if not self._spec.read_only and self._controller.push() != self._controller.wanted_push():
                self._controller.set_push()
                # the SDK listens to a new port 0.2 s later: what came to the old one proves nothing
                self._senses.forget()
            wait_for_push(self._controller, self._senses, self._spec, self._clock)
            self._errands = Errands(self._controller, self._senses, self._clock)
            self._errands.look()
            if not self._spec.read_only:
                self._heart = self._start_heart()
        except BaseException:
            self._controller.close()
            raise
        self._loop = Loop(
            self._controller, self._gate, self._senses, self._errands, self._heart, self._spec, self._clock
        )
        self._errands.start()
        self._loop.start()

    def state(self) -> ArmState:
        loop = self._running()
        with loop.lock:
            if loop.failure:
                raise loop.failure
            age = self._senses.age(self._clock.now_ns())
            if age > FRESH_S:
                raise WorldFailure(
                    f"The arm at {self._controller.name} has told nothing for {age:.1f} s; look at cable and power."
                )
            push, decision = self._senses.newest, loop.decision  # a newer one may come meanwhile
            return ArmState(
                stamp_ns=push.stamp_ns,
                joints=self._senses.joints(push),
                gripper=self._senses.gripper(),
                motors=self._senses.motors(push),
                gate=self._gate.state,
                why=self._gate.why,
                commanded=None if decision is None or decision.joints is None else tuple(map(float, decision.joints)),
                torque=all(push.enabled),
                rate_hz=loop.rate_hz,
                missed=loop.missed,
                voltages=dict(zip(ARM.joint_names, push.voltages, strict=True)),
                counts={code.value: n for code, n in self._gate.counts.items()},
            )

    def rearm(self, operator: str) -> None:
        self._writing("re-armed")
        loop = self._alive()
        # a stop that is still on its way would end what begins now
        if not self._comes_true(lambda: not self._errands.stopping):
            raise ControllerFailure(f"The controller at {self._controller.name} has not answered the last stop.")
        with loop.lock:
            unguarded = self._heart.unguarded()
            if unguarded:
                raise UsageError(f"The arm stays stopped: {unguarded}; close it and connect again.")
            reading = self._senses.reading()
            # the setpoints have ceased: where the arm is now is where it starts from
            self._gate.rearm(self._clock.now_ns(), reading, operator, held=False)
        try:
            for number, on in enumerate(self._senses.newest.enabled, start=1):
                if not on:
                    self._controller.enable(number, True)
            self._wait_for_drives()
        except WorldFailure as failure:
            with loop.lock:
                self._gate.stop(self._clock.now_ns(), str(failure).rstrip("."))
            raise
        with loop.lock:
            loop.follow()

    def servo(self, target: Target) -> Intervention | None:
        loop = self._alive()
        with loop.lock:
            now_ns = self._clock.now_ns()
            refused = self._gate.command(target, now_ns)
            if refused is None:
                loop.targeted(now_ns)
            return refused

    def gripper(self, opening: float, force: float | None = None) -> Intervention | None:
        loop = self._alive()
        with loop.lock:
            return self._gate.grip(opening, force, self._clock.now_ns())

    def hold(self) -> None:
        loop = self._alive()
        with loop.lock:
            self._gate.hold()

    def inhibit(self, hands_in_bench: bool) -> None:
        loop = self._alive()
        with loop.lock:
            self._gate.inhibit(self._clock.now_ns(), hands_in_bench)

    def stop(self, reason: str) -> None:
        loop = self._running()
        with loop.lock:
            self._gate.stop(self._clock.now_ns(), reason)

    def torque_off(self, confirm: str) -> None:
        """Switches every drive off: someone must hold the arm. Raises UsageError unless `confirm` is `TORQUE_OFF`."""
        self._writing("let go")
        if confirm != TORQUE_OFF:
            raise UsageError(f"Without torque the arm falls; hold it and confirm with '{TORQUE_OFF}'.")
        loop = self._alive()
        self.stop("its torque was switched off")
        self._wait_for_standstill(loop)
        with loop.lock:
            loop.live = False
        for number in range(1, len(ARM.joint_names) + 1):
            self._controller.enable(number, False)
        self._wait_for_drives(on=False)

    def take_interventions(self) -> list[Intervention]:
        loop = self._running()
        with loop.lock:
            taken, loop.interventions = loop.interventions, []
        return taken

    def differing_settings(self) -> list[str]:
        """Settings that `connect` would change, one phrase each; for a look with `read_only`."""
        self._running()
        found, wanted = self._controller.push(), self._controller.wanted_push()
        return [] if found == wanted else [f"the push of the state: {wanted}, not {found}"]

    def close(self) -> None:
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        with loop.lock:
            self._gate.stop(self._clock.now_ns(), "its driver was closed")
        self._wait_for_standstill(loop)
        loop.finish()
        self._errands.finish()
        if self._heart is not None:
            heart, self._heart = self._heart, None
            try:
                self._controller.stop()
                heart.close(stopped=True)
            except WorldFailure:
                heart.close(stopped=False)
        self._controller.close()

    def _start_heart(self) -> Heart:
        silence = self._clock.real(self._spec.guard_ms / 1e3)
        stale = self._gate.settings.stale_hold / 1e9 + GRACE_S
        return Heart(self._controller.address, self._spec.port, silence, stale)

    def _wait_for_standstill(self, loop: Loop) -> None:
        def stands() -> bool:
            with loop.lock:
                return loop.standing or loop.failure is not None

        self._comes_true(stands, BRAKE_S)

    def _wait_for_drives(self, on: bool = True) -> None:
        if not self._comes_true(lambda: all(each == on for each in self._senses.newest.enabled)):
            word = "on" if on else "off"
            raise ControllerFailure(f"The drives of the arm at {self._controller.name} do not go {word}.")

    def _comes_true(self, condition: Callable[[], bool], seconds: float = ANSWER_S) -> bool:
        end = self._clock.now() + seconds
        while not condition():
            if self._clock.now() > end:
                return False
            self._clock.sleep(0.005)
        return True

    def _running(self) -> Loop:
        if self._loop is None:
            raise UsageError("The arm is not connected; call connect first.")
        return self._loop

    def _alive(self) -> Loop:
        loop = self._running()
        if loop.failure:
            raise loop.failure
        return loop

    def _writing(self, what: str) -> None:
        if self._spec.read_only:
            raise UsageError(f"The arm was opened read-only and cannot be {what}; open it without read_only.")
