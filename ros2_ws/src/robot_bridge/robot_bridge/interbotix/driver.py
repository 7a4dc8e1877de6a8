"""The WidowX-250S behind a running xs_sdk, as an `ArmDriver` (hardware/arm.py)."""

from __future__ import annotations

import threading
from contextlib import suppress

from sensor_msgs.msg import JointState

from hardware.arm import TORQUE_OFF, ArmState
from hardware.dynamixel import registers as reg
from hardware.dynamixel.registers import Register
from hardware.lock import Lock
from hardware.widowx.driver import SETTINGS
from hardware.widowx.motors import MASTERS, MOTORS, Motor
from robot_bridge.interbotix.checks import check_arm, holding, wrong_modes
from robot_bridge.interbotix.loop import Loop, goals_of
from robot_bridge.interbotix.rounds import EVERY_S, Rounds
from robot_bridge.interbotix.sensing import Senses
from robot_bridge.interbotix.setup import Wish, leave, look, profiles, start_torque
from robot_bridge.interbotix.spec import InterbotixSpec
from robot_bridge.interbotix.xs_sdk import FIND_S, SdkFailure, XsSdk
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import TouchstoneError, UsageError, WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.safety.clearance import NOMINAL_TABLE
from touchstone.safety.codes import Intervention
from touchstone.safety.gate import Gate
from touchstone.safety.readings import Target
from touchstone.safety.settings import GateSettings

FRESH_NS = 500_000_000  # [ns]; an older state is no state
BRAKE_S = 2.0  # longest that `close` and `torque_off` wait for a standstill
#: a motor's move to a set-point, in periods of them: half a period longer, so that it never waits for the next one
MOVE_PERIODS = 1.5


class Interbotix:
    """One arm behind one xs_sdk. settings (None: those of the driver on the bus), table: the gate's.

    Nothing moves before `rearm`. Raises MissingPart where Interbotix's messages are not installed. clock: real time.
    """

    def __init__(
        self,
        spec: InterbotixSpec,
        settings: GateSettings | None = None,
        table: Pose = NOMINAL_TABLE,
        clock: Clock = REAL_TIME,
    ) -> None:
        if clock.scale != 1:
            raise UsageError("An xs_sdk lives in real time; leave the time scale out.")
        self._spec, self._clock = spec, clock
        self._sdk = XsSdk(spec)
        self._lock_file = Lock("interbotix-" + spec.name.replace("/", "-"), f"The xs_sdk under {self._sdk.name}")
        self._gate = Gate(ARM, settings or SETTINGS, table)
        self._lock = threading.Lock()
        self._senses, self._seen = Senses(), threading.Event()
        self._rounds = Rounds(self._sdk, self._note)
        self._loop: Loop | None = None
        self._found: list[Wish] | None = None
        #: held while torque is being switched
        self._switching = threading.Lock()

    def connect(self) -> None:
        """Checks the arm and starts to listen, without torque. Raises UsageError or WorldFailure, in one sentence."""
        if self._loop is not None:
            raise UsageError(f"The arm behind {self._sdk.name} is connected already; close it first.")
        if not self._spec.read_only:
            self._lock_file.take()
        try:
            self._senses, self._seen, self._found = Senses(), threading.Event(), None
            self._rounds = Rounds(self._sdk, self._note)
            self._sdk.open(self._heard, EVERY_S, self._rounds.step)
            self._refuse_company()
            check_arm(self._sdk)
            if not self._seen.wait(FIND_S):
                raise UsageError(
                    f"{self._sdk.name}/joint_states tells nothing of a wx250s; look at the arm's power and at the "
                    "xs_sdk's log, and let its motor_configs publish joint_states."
                )
            self._look()
        except BaseException:
            self._sdk.close()
            self._lock_file.release()
            raise
        self._loop = Loop(self._sdk, self._gate, self._senses, self._lock, self._spec, self._clock)
        self._rounds.go()
        self._loop.start()

    def state(self) -> ArmState:
        loop = self._running()
        with loop.lock:
            if loop.failure:
                raise loop.failure
            age = self._clock.now_ns() - self._senses.stamp_ns
            if age > FRESH_NS:
                raise WorldFailure(
                    f"The xs_sdk under {self._sdk.name} has told nothing of the arm for {age / 1e9:.1f} s"
                    + (f" ({', '.join(self._senses.missing)} missing)" if self._senses.missing else "")
                    + "; look whether it runs, and at cable and power."
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
                missed=loop.late + self._senses.unreadable,
                voltages=self._senses.voltages(),
                counts={code.value: n for code, n in self._gate.counts.items()},
            )

    def rearm(self, operator: str) -> None:
        self._writing("re-armed")
        loop = self._alive()
        with self._switching:
            self._arm(loop, operator)

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
        self._wait_for_standstill(loop)
        with self._switching:
            with loop.lock:
                loop.live = False
            self._rounds.rest()
            try:
                self._sdk.torque(False)
                self._look()
            finally:
                self._rounds.go()
        limp = self._senses.limp
        if len(limp) < len(MOTORS):
            raise SdkFailure(f"Only {', '.join(limp) or 'no motor'} let go; switch the arm's power off.")

    def take_interventions(self) -> list[Intervention]:
        loop = self._running()
        with loop.lock:
            taken, loop.interventions = loop.interventions, []
        return taken

    def close(self) -> None:
        """Brakes and leaves the arm, holding, to the xs_sdk, with the profiles that it had and without watchdogs."""
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        with loop.lock:
            self._gate.stop(self._clock.now_ns(), "its driver was closed")
        self._wait_for_standstill(loop)
        loop.finish()
        # one that is gone is not waited for
        if self._found is not None and self._clock.now_ns() - self._senses.stamp_ns < FRESH_NS:
            self._rounds.rest()
            with suppress(WorldFailure):
                leave(self._sdk, self._found)
        self._sdk.close()
        self._lock_file.release()

    # in the caller's thread

    def _arm(self, loop: Loop, operator: str) -> None:
        self._refuse_company()
        for _, name, motors, said in wrong_modes(self._sdk):
            if len(motors) > 1 and holding(self._sdk, motors):
                raise UsageError(
                    f"The arm holds itself, and its group '{name}' is in {said}; it would fall while that is changed: "
                    "hold it, switch its torque off, and re-arm it again."
                )
        self._rounds.rest()
        try:
            self._look()
            held = self._held(loop)
            with loop.lock:
                self._gate.rearm(self._clock.now_ns(), self._senses.reading(), operator, held)
            try:
                self._found = self._found or profiles(self._sdk)
                start_torque(self._sdk, self._spec, round(1e3 * MOVE_PERIODS / self._spec.rate_hz))
                self._look()
            except TouchstoneError as failure:
                with loop.lock:
                    self._gate.stop(self._clock.now_ns(), str(failure).rstrip("."))
                raise
            with loop.lock:
                loop.follow()
        finally:
            self._rounds.go()

    def _look(self) -> None:
        for motor, register, value in look(self._sdk):
            self._note(motor, register, value)

    def _held(self, loop: Loop) -> bool:
        """Whether the motors hold what they were told last: somebody else may have told them something since."""
        if not self._senses.torque or self._senses.tripped or loop.decision is None or loop.decision.joints is None:
            return False
        return [self._sdk.read(motor, reg.GOAL_POSITION) for motor in MASTERS] == goals_of(loop.decision)

    def _refuse_company(self) -> None:
        others = self._sdk.commanders()
        if others and not self._spec.read_only:
            raise UsageError(
                f"The node {', '.join(others)} may command the arm behind {self._sdk.name}, too; end it first."
            )
        if self._sdk.speakers() > 1:
            raise UsageError(f"Several nodes publish {self._sdk.name}/joint_states; end all but the one xs_sdk.")

    def _wait_for_standstill(self, loop: Loop) -> None:
        end = self._clock.now() + BRAKE_S
        while loop.live and loop.failure is None and self._clock.now() < end:
            with loop.lock:
                if loop.standing:
                    return
            self._clock.sleep(0.01)

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

    # in the bridge's ROS thread

    def _heard(self, message: JointState) -> None:
        with self._lock:
            if self._senses.take(message, self._clock.now_ns()):
                self._seen.set()

    def _note(self, motor: Motor, register: Register, value: int | None) -> None:
        with self._lock:
            self._senses.note(motor, register, value)
