"""The WidowX-250S as an `ArmDriver` (hardware/arm.py)."""

from __future__ import annotations

from hardware.arm import TORQUE_OFF, ArmState
from hardware.dynamixel import registers as reg
from hardware.dynamixel.bus import Bus
from hardware.widowx.checks import check_motors, wrong_settings
from hardware.widowx.loop import Loop
from hardware.widowx.motors import MOTORS
from hardware.widowx.sensing import Senses
from hardware.widowx.setup import configure, start_torque
from hardware.widowx.spec import WidowXSpec
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError, WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.safety.clearance import NOMINAL_TABLE
from touchstone.safety.codes import Intervention
from touchstone.safety.gate import Gate
from touchstone.safety.readings import Target
from touchstone.safety.settings import GateSettings

FRESH_NS = 500_000_000  # [ns]; an older state is no state
#: goals are rounded to encoder ticks of 1.5 mrad, which may lower a fingertip by 0.9 mm; it shall stay 1 mm up
SETTINGS = GateSettings(tip_clearance=0.002)
BRAKE_S = 2.0  # longest that `close` waits for a standstill


class WidowX:
    """One arm behind one port. settings (None: `SETTINGS`), table: the gate's. Nothing moves before `rearm`.

    clock: of every rate, limit and stamp; a slowed one belongs before an emulator on the same.
    """

    def __init__(
        self,
        spec: WidowXSpec,
        settings: GateSettings | None = None,
        table: Pose = NOMINAL_TABLE,
        clock: Clock = REAL_TIME,
    ) -> None:
        self._spec, self._clock = spec, clock
        self._bus = Bus(spec.port, spec.baud, clock)
        self._gate = Gate(ARM, settings or SETTINGS, table)
        self._senses = Senses()
        self._loop: Loop | None = None

    def connect(self) -> None:
        """Checks the arm and starts to read it, without torque. Raises UsageError or WorldFailure, in one sentence."""
        if self._loop is not None:
            raise UsageError(f"The arm on {self._spec.port} is connected already; close it first.")
        self._bus.open()
        try:
            check_motors(self._bus, self._spec.port, self._clock)
            if not self._spec.read_only:
                configure(self._bus)
            self._senses.read_all_slow(self._bus)
            if not self._senses.read_fast(self._bus, self._clock.now_ns()):
                raise WorldFailure(f"The motors on {self._spec.port} do not answer together; look at the cables.")
        except BaseException:
            self._bus.close()
            raise
        self._loop = Loop(self._bus, self._gate, self._senses, self._spec, self._clock)
        self._loop.start()

    def state(self) -> ArmState:
        loop = self._running()
        with loop.lock:
            if loop.failure:
                raise loop.failure
            age = self._clock.now_ns() - self._senses.stamp_ns
            quiet = loop.silent
            if age > FRESH_NS and not quiet:
                raise WorldFailure(
                    f"The arm on {self._spec.port} has not answered for {age / 1e9:.1f} s"
                    + (f" ({', '.join(self._senses.missing)} missing)" if self._senses.missing else "")
                    + "; look at cable and power."
                )
            decision = loop.decision
            return ArmState(
                stamp_ns=self._senses.stamp_ns,
                joints=self._senses.joints(),
                gripper=self._senses.gripper(),
                motors=self._senses.motors(),
                gate=self._gate.state,
                why=self._gate.why,
                commanded=None if decision is None or decision.joints is None else tuple(map(float, decision.joints)),
                torque=self._senses.torque,
                rate_hz=loop.rate_hz,
                missed=loop.missed,
                voltages=self._senses.voltages(),
                counts={code.value: n for code, n in self._gate.counts.items()},
            )

    def rearm(self, operator: str) -> None:
        self._writing("re-armed")
        loop = self._running()

        def arm() -> None:
            if not self._senses.read_fast(self._bus, self._clock.now_ns()):
                raise WorldFailure("The arm does not answer; look at cable and power.")
            self._senses.read_all_slow(self._bus)
            held = self._senses.torque and not self._senses.tripped
            with loop.lock:
                self._gate.rearm(self._clock.now_ns(), self._senses.reading(), operator, held)
            try:
                if not held:
                    start_torque(self._bus, 1e3 / self._spec.rate_hz, self._spec.watchdog_ms)
                self._senses.read_all_slow(self._bus)
            except WorldFailure as failure:
                with loop.lock:
                    self._gate.stop(self._clock.now_ns(), str(failure).rstrip("."))
                raise
            loop.follow()

        loop.call(arm)

    def servo(self, target: Target) -> Intervention | None:
        loop = self._alive()
        with loop.lock:
            return self._gate.command(target, self._clock.now_ns())

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
        """Lets the arm fall: someone must hold it. Raises UsageError unless `confirm` is `TORQUE_OFF`."""
        self._writing("let go")
        if confirm != TORQUE_OFF:
            raise UsageError(f"Without torque the arm falls; hold it and confirm with '{TORQUE_OFF}'.")
        loop = self._running()
        self.stop("its torque was switched off")

        def let_go() -> None:
            loop.live = False
            for motor in MOTORS:
                self._bus.write(motor.id, reg.TORQUE_ENABLE, 0)
            self._senses.read_all_slow(self._bus)

        loop.call(let_go)

    def take_interventions(self) -> list[Intervention]:
        loop = self._running()
        with loop.lock:
            taken, loop.interventions = loop.interventions, []
        return taken

    def differing_settings(self) -> list[str]:
        """Motor settings that `connect` would change, one phrase each; for a look with `read_only`."""
        wrong = self._running().call(lambda: wrong_settings(self._bus))
        return [
            f"{motor.name}: {register.name} should be {value}"
            for motor, each in wrong.items()
            for register, value in each.items()
        ]

    def close(self) -> None:
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        with loop.lock:
            self._gate.stop(self._clock.now_ns(), "its driver was closed")
        end = self._clock.now() + BRAKE_S
        while loop.live and loop.failure is None and self._clock.now() < end and not self._standing(loop):
            self._clock.sleep(0.01)
        loop.finish()
        self._bus.close()

    def _standing(self, loop: Loop) -> bool:
        with loop.lock:
            return loop.decision is None or loop.decision.velocity is None or not loop.decision.velocity.any()

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
