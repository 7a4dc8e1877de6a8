"""The controller through RealMan's SDK, with its results checked and its failures sorted."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardware.lock import Lock
from hardware.realman import sdk
from hardware.realman.reach import check_reach, check_udp_port, own_address
from hardware.realman.spec import RealmanSpec
from hardware.realman.units import SHUT, grip_threshold, gripper_position
from touchstone.errors import UsageError, WorldFailure

OK, LINK_LOST, NO_ANSWER = 0, -1, -2  # of the SDK's return codes
ANSWER_S = 3.0  # [s] for one call; the SDK gives up after 0.5, unless it deadlocks
CONNECT_S = 15.0  # [s] for the eleven requests of a connect
GRIP_SPEED = 500  # of 1..1000
FASTEST_CYCLE = 1  # [5 ms] of the push


class ControllerFailure(WorldFailure):
    """The controller did not answer, or refused."""


class ControllerGone(WorldFailure):
    """The link to the controller is lost."""


@dataclass(frozen=True)
class Identity:
    """What the controller says it is. model as `RM_75`; tip: `B` without a force sensor; generation: 3 or 4."""

    model: str
    tip: str
    generation: int
    firmware: str


@dataclass(frozen=True)
class PushConfig:
    """Whether and whereto the controller pushes its state by UDP; cycle: [5 ms]."""

    enabled: bool
    ip: str
    port: int
    cycle: int

    def __str__(self) -> str:
        return f"every {5 * self.cycle} ms to {self.ip}:{self.port}" if self.enabled else "off"


@dataclass(frozen=True)
class GripperReading:
    """position: 1..1000. grams: grip force. errors: error bits, 0 = healthy. temperature [deg C]."""

    online: bool
    position: int
    grams: int
    errors: int
    temperature: float


class Controller:
    """One controller. Any thread may call any method; setpoints and stops go out while another one waits."""

    def __init__(self, spec: RealmanSpec) -> None:
        self._spec = spec
        self._arm: Any = None
        self._listener: Callable[[Any], None] | None = None
        self._address = spec.host
        self._lock: Lock | None = None
        self._asking = threading.Lock()
        self._stuck = False

    @property
    def name(self) -> str:
        return f"{self._spec.host}:{self._spec.port}"

    @property
    def address(self) -> str:
        """The controller's IP address; of a name, the one it had at `open`."""
        return self._address

    def open(self, listener: Callable[[Any], None]) -> None:
        """Connects; the state push goes to `listener`. Raises UsageError: wrong address, nothing there, in use."""
        self._listener = listener
        self._address = check_reach(self._spec.host, self._spec.port)
        lock = Lock(f"realman-{self._address}-{self._spec.port}", f"The arm at {self.name}")
        lock.take()
        self._lock, self._stuck = lock, False
        try:
            check_udp_port(self._spec.udp_port)
            # one that failed must be deleted, too: the SDK would go on taking this address's pushes for its own
            self._arm = self._bounded(
                lambda: sdk.robotic_arm(self._address, self._spec.port, listener), CONNECT_S, "take a connection"
            )
            if self._arm.handle.contents.id == LINK_LOST:
                raise UsageError(
                    f"{self.name} does not answer as a Realman controller; look at address, port and controller."
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets go of the link, which the SDK never mends by itself: `open` makes a new one."""
        sdk.forget(self._address, self._listener)
        if self._arm is not None and not self._stuck:
            self._arm.rm_delete_robot_arm()
        self._arm = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def identity(self) -> Identity:
        info = self._ask("tell what it is", "rm_get_robot_info")
        software = self._ask("tell its software", "rm_get_arm_software_info")
        return Identity(
            str(info["arm_model"]),
            str(info["force_type"]),
            int(info["robot_controller_version"]),
            software["ctrl_info"]["version"],
        )

    def errors(self) -> tuple[int, ...]:
        """The arm's error codes, none = healthy."""
        return error_codes(self._ask("tell its state", "rm_get_current_arm_state")["err"]["err"])

    def push(self) -> PushConfig:
        """How the controller pushes its state now."""
        config = self._ask("tell where it pushes its state", "rm_get_realtime_push")
        return PushConfig(bool(config["enable"]), str(config["ip"]), int(config["port"]), int(config["cycle"]))

    def wanted_push(self) -> PushConfig:
        """To this computer, as often as it can."""
        return PushConfig(True, own_address(self._address), self._spec.udp_port, FASTEST_CYCLE)

    def set_push(self) -> None:
        """Makes it so; the controller keeps it."""
        wanted = self.wanted_push()
        self._ask(
            "set where it pushes its state",
            "rm_set_realtime_push",
            sdk.push_config(wanted.cycle, wanted.port, wanted.ip),
        )

    def setpoint(self, joints: np.ndarray) -> None:
        """float64[7] [rad], without an answer; one every 10 ms or faster. Raises ControllerGone.

        The first one after a lost link seems to be sent, too.
        """
        if self._arm.rm_movej_canfd(np.degrees(joints).tolist(), True) != OK:
            raise ControllerGone(f"The link to {self.name} is lost; look at cable and power, then connect again.")

    def stop(self) -> None:
        """Stops the arm at once, whatever else is being asked; it holds. The one stop that both generations know.

        Never `rm_set_arm_emergency_stop`: on generation 3 it is refused, and the next `rm_set_realtime_push` deadlocks.
        """
        self._answer("stop", "rm_set_arm_stop")

    def enable(self, joint: int, on: bool) -> None:
        """The drive of a joint, from 1."""
        self._ask(f"switch joint {joint}", "rm_set_joint_en_state", joint, int(on))

    def gripper(self) -> GripperReading:
        state = self._ask("tell its gripper", "rm_get_gripper_state")
        return GripperReading(
            online=bool(state["status"]),
            position=state["actpos"],
            grams=state["current_force"],
            errors=state["error"],
            temperature=float(state["temperature"]),
        )

    def grip(self, opening: float, force: float) -> None:
        """Opens to 0..1, or closes with a force [N]; does not wait for it.

        A force threshold belongs to a full closing only: on the way to any other opening, the gripper's own one holds.
        """
        position = gripper_position(opening)
        # timeout 1: returns with the answer; 0 would sleep for a second
        if position == SHUT:
            threshold = grip_threshold(force)
            self._ask("grip", "rm_set_gripper_pick_on", GRIP_SPEED, threshold, False, 1)
        else:
            self._ask("move its gripper", "rm_set_gripper_position", position, False, 1)

    def _ask(self, what: str, method: str, *arguments) -> Any:
        """As `_answer`, one question after the other: the SDK takes what comes for the answer to the oldest."""
        with self._asking:
            return self._answer(what, method, *arguments)

    def _answer(self, what: str, method: str, *arguments) -> Any:
        """What a method of the SDK gives, without its code. Raises ControllerGone or ControllerFailure."""
        arm = self._arm
        if arm is None:
            raise ControllerGone(f"The link to {self.name} is closed; connect again.")
        result = self._bounded(lambda: getattr(arm, method)(*arguments), ANSWER_S, what)
        code, value = result if isinstance(result, tuple) else (result, None)
        if code == OK:
            return value
        if code == LINK_LOST:
            raise ControllerGone(f"The link to {self.name} is lost; look at cable and power, then connect again.")
        said = "does not answer" if code == NO_ANSWER else f"refuses (code {code})"
        raise ControllerFailure(f"The controller at {self.name} {said} when it is to {what}; look at the controller.")

    def _bounded(self, function: Callable[[], Any], seconds: float, what: str) -> Any:
        """The SDK has calls without a timeout, and a deadlock: none of them may take the driver with it."""
        future: concurrent.futures.Future = concurrent.futures.Future()

        def carry_out() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        if self._stuck:
            raise ControllerFailure(f"RealMan's SDK hangs at {self.name}; end this process and start it again.")
        threading.Thread(target=carry_out, name="realman-call", daemon=True).start()
        try:
            return future.result(timeout=seconds)
        except concurrent.futures.TimeoutError:
            self._stuck = True
            raise ControllerFailure(
                f"RealMan's SDK hangs at {self.name} when it is to {what}; end this process and start it again."
            ) from None


def error_codes(codes) -> tuple[int, ...]:
    """Without the 0 that stands for none."""
    return tuple(code for code in map(int, codes) if code)
