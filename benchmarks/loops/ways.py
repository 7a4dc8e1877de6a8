"""The ways to command an arm: ours, ours with a camera, and the vendor's SDK with nothing around it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hardware.arm import ArmDriver
from hardware.camera import Camera
from hardware.emulators.process import EmulatorProcess
from touchstone.errors import TouchstoneError, WorldFailure
from touchstone.robots.base import arm as find_arm
from touchstone.safety.readings import Target
from touchstone.safety.states import State

OURS, WITH_CAMERA, PLAIN = "touchstone", "touchstone, camera", "SDK alone"
DOES = {
    OURS: "driver and gate: a thread reads, checks and commands at 100 Hz; the loop gives targets and takes states",
    WITH_CAMERA: "the same, and the newest picture of an emulated RealSense, 640x480 at 30 Hz",
    PLAIN: "dynamixel-sdk: sync read of nine motors, sync write of six goals; Robotic_Arm: rm_get_joint_degree, "
    "rm_movej_canfd; in the loop itself, no thread, no check, nothing set up but torque",
}
EXPIRY_NS = 400_000_000
TRIES = 8
CAMERA = "grinningface"


class Way(Protocol):
    """pids: of processes that belong to it, by name."""

    pids: dict[str, int]

    def prepare(self) -> None:
        """Before each loop."""

    def read(self) -> np.ndarray | None:
        """Joints float64[n] [rad], None where they are not known."""

    def frame_ns(self) -> int | None:
        """When the newest picture was captured."""

    def write(self, joints: np.ndarray) -> None: ...

    def notes(self) -> dict[str, Any]:
        """What it counted itself."""


class Ours:
    def __init__(self, driver: ArmDriver, camera: Camera | None, pids: dict[str, int]) -> None:
        self._driver, self._camera, self.pids = driver, camera, pids
        self.stops = 0

    def prepare(self) -> None:
        """Re-arms what a busy machine has stopped, and counts it."""
        for _ in range(TRIES):
            with contextlib.suppress(TouchstoneError):
                if self._driver.state().gate != State.STOPPED:
                    return
                self.stops += 1
                self._driver.rearm("the benchmark")
            time.sleep(0.2)

    def read(self) -> np.ndarray | None:
        with contextlib.suppress(WorldFailure):
            return self._driver.state().joints.position
        return None

    def frame_ns(self) -> int | None:
        return None if self._camera is None else self._camera.frame().stamp_ns

    def write(self, joints: np.ndarray) -> None:
        now = time.monotonic_ns()
        self._driver.servo(Target(joints, now, now + EXPIRY_NS))

    def notes(self) -> dict[str, Any]:
        try:
            state = self._driver.state()
        except WorldFailure as failure:  # a busy machine: it is told, and the next loop re-arms the arm
            return {"stops": self.stops, "failure": str(failure)}
        return {"io_rate_hz": state.rate_hz, "io_missed": state.missed, "stops": self.stops, "gate": dict(state.counts)}


class PlainDynamixel:
    def __init__(self, port: str) -> None:
        import dynamixel_sdk as sdk

        from hardware.dynamixel import registers as reg
        from hardware.dynamixel.units import radians, ticks
        from hardware.widowx.motors import MASTERS, MOTORS

        self.pids: dict[str, int] = {}
        self._radians, self._ticks, self._masters = radians, ticks, MASTERS
        self._port, packets = sdk.PortHandler(port), sdk.PacketHandler(2.0)
        self._port.baudrate = 1_000_000
        self._port.openPort()
        for motor in MOTORS:
            packets.write1ByteTxRx(self._port, motor.id, reg.BUS_WATCHDOG.address, 0)
            packets.write1ByteTxRx(self._port, motor.id, reg.TORQUE_ENABLE.address, 1)
        self._reading = sdk.GroupSyncRead(self._port, packets, reg.PRESENT_CURRENT.address, 10)
        self._writing = sdk.GroupSyncWrite(self._port, packets, reg.GOAL_POSITION.address, 4)
        self._at = reg.PRESENT_POSITION.address
        for motor in MOTORS:
            self._reading.addParam(motor.id)

    def prepare(self) -> None:
        pass

    def read(self) -> np.ndarray:
        self._reading.txRxPacket()
        return np.array([self._radians(self._reading.getData(each.id, self._at, 4)) for each in self._masters])

    def frame_ns(self) -> int | None:
        return None

    def write(self, joints: np.ndarray) -> None:
        self._writing.clearParam()
        for motor, angle in zip(self._masters, joints, strict=True):
            self._writing.addParam(motor.id, list(self._ticks(angle).to_bytes(4, "little", signed=True)))
        self._writing.txPacket()

    def notes(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self._port.closePort()


class PlainRealman:
    def __init__(self, host: str, port: int) -> None:
        from hardware.realman import sdk

        self.pids: dict[str, int] = {}
        # the SDK's threads exist once in a process: started as our driver starts them
        self._arm = sdk.robotic_arm(host, port, self._ignore)
        self._forget = lambda: sdk.forget(host, self._ignore)

    def _ignore(self, state) -> None:
        pass

    def prepare(self) -> None:
        pass

    def read(self) -> np.ndarray:
        _, degrees = self._arm.rm_get_joint_degree()
        return np.radians(degrees[:7])

    def frame_ns(self) -> int | None:
        return None

    def write(self, joints: np.ndarray) -> None:
        self._arm.rm_movej_canfd(np.degrees(joints).tolist(), True)

    def notes(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self._forget()
        self._arm.rm_delete_robot_arm()


@contextlib.contextmanager
def emulator(arm: str) -> Iterator[EmulatorProcess]:
    """The arm's wire, in real time."""
    from hardware.emulators.dynamixel.control import EmulatedBus
    from hardware.emulators.realman.control import EmulatedController

    with EmulatedController() if arm == "rm75" else EmulatedBus("ready") as there:
        yield there


@contextlib.contextmanager
def opened(name: str, arm: str, there: EmulatorProcess) -> Iterator[Way]:
    """A way, connected and armed."""
    there.ask("reset", pose="ready")
    if name == PLAIN:
        plain = PlainRealman(there.host, there.port) if arm == "rm75" else PlainDynamixel(there.port)
        try:
            yield plain
        finally:
            plain.close()
        return
    with contextlib.ExitStack() as stack:
        camera, pids = (None, {}) if name == OURS else stack.enter_context(_camera(arm))
        before = _children()
        driver = _driver(arm, there)
        stack.callback(driver.close)
        _connect(driver)
        pids |= dict(zip(("guard",), _children() - before, strict=False))
        yield Ours(driver, camera, pids)


def _connect(driver: ArmDriver) -> None:
    """On a busy machine motors may answer too late to be believed; then again."""
    for left in reversed(range(TRIES)):
        try:
            driver.connect()
            return driver.rearm("the benchmark")
        except TouchstoneError:
            driver.close()
            if not left:
                raise
            time.sleep(0.5)


def _driver(arm: str, there: Any) -> ArmDriver:
    if arm == "rm75":
        from hardware.realman.driver import Realman
        from hardware.realman.spec import RealmanSpec

        return Realman(RealmanSpec(there.host, there.port, there.udp_port))
    from hardware.widowx.driver import WidowX
    from hardware.widowx.spec import WidowXSpec

    return WidowX(WidowXSpec(there.port))


@contextlib.contextmanager
def _camera(arm: str) -> Iterator[tuple[Camera, dict[str, int]]]:
    from hardware.emulators.realsense.control import TestPictures
    from hardware.realsense.driver import RealSense
    from hardware.realsense.spec import RealSenseSpec
    from touchstone.calibration import for_camera

    frames = f"control-loop-{os.getpid()}"
    with TestPictures(frames, "--fps", "30", "--no-depth") as pictures:
        spec = RealSenseSpec(frames=frames, fps=30, depth=False, start_s=60.0, patience_s=10.0)
        camera = RealSense(spec, for_camera(CAMERA, arm).cameras["scene"])
        camera.connect()
        try:
            yield camera, {"pictures": pictures.process.pid}
        finally:
            camera.close()


def _children() -> set[int]:
    """Processes that this one has started."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has ended meanwhile
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def ready(arm: str) -> np.ndarray:
    """Joints float64[n] [rad] from which the loop steps."""
    return np.array(find_arm(arm).ready)
