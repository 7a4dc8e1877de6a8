"""Which driver stands behind a node's parameters: arms by their robot, cameras by their device."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from hardware.arm import ArmDriver
from hardware.bench.dry_run import DryRun
from hardware.camera import Camera
from touchstone.calibration import CameraCalibration
from touchstone.clock import Clock
from touchstone.errors import TouchstoneError, UsageError
from touchstone.geometry import Pose
from touchstone.robots.base import arm as find_arm
from touchstone.safety.settings import GateSettings

TRY_S = 0.2  # between two tries to connect

#: where an arm rests: Interbotix's sleep pose, from which a WidowX does not fall far; an RM75 has brakes and stays home
SLEEP = {"wx250s": (0.0, -1.80, 1.55, 0.0, 0.8, 0.0)}

#: device word -> what may follow its colon
CAMERAS = {
    "realsense": "nothing, or a serial number",
    "uvc": "a device such as /dev/video0",
    "file": "a recording of a RealSense",
    "frames": "the shared memory in which an emulated camera finds its pictures",
}


@dataclass(frozen=True)
class ArmAsked:
    """One arm.

    driver: `vendor`, or `interbotix` for a WidowX behind a running xs_sdk, called `name`. port: serial port; host:
    NAME[:TCP PORT]; empty for what it does not have. udp_port: of this computer, to which a Realman pushes its state.
    read_only: nothing is ever written to it. dry_run: nothing either, but everything before it runs. speed: part of
    the joints' speed.
    """

    robot: str
    driver: str = "vendor"
    name: str = "wx250s"
    port: str = ""
    host: str = ""
    udp_port: int = 8089
    read_only: bool = False
    dry_run: bool = False
    speed: float = 1.0


def open_arm(asked: ArmAsked, table: Pose, clock: Clock) -> ArmDriver:
    """The driver, not connected yet. table: pose of the table top in the base frame. Raises UsageError when there is
    none for the robot, or when it has another kind of address."""
    drivers = {("wx250s", "vendor"): _widowx, ("wx250s", "interbotix"): _interbotix, ("rm75", "vendor"): _realman}
    make = drivers.get((asked.robot, asked.driver))
    if make is None:
        known = ", ".join(f"{driver} of {robot}" for robot, driver in drivers)
        raise UsageError(f"There is no driver '{asked.driver}' of {asked.robot}; choose one of: {known}.")
    driver, settings = make(asked, table, clock)
    return DryRun(driver, find_arm(asked.robot), settings, table, clock) if asked.dry_run else driver


#: for a setting that is left to the camera
OWN_CHOICE = -1.0


@dataclass(frozen=True)
class CameraAsked:
    """One camera. device: a word of `CAMERAS`. exposure, gain (a RealSense's), white_balance, focus (a USB camera's):
    in its own units, or `OWN_CHOICE`."""

    device: str
    fps: int = 30
    exposure: float = OWN_CHOICE
    gain: float = OWN_CHOICE
    white_balance: float = OWN_CHOICE
    focus: float = OWN_CHOICE

    def settings(self, *names: str) -> dict[str, float | None]:
        """Those settings, None for what is left to the camera."""
        return {name: None if getattr(self, name) < 0 else getattr(self, name) for name in names}


def open_camera(asked: CameraAsked, calibration: CameraCalibration, clock: Clock) -> Camera:
    """The camera, not connected yet. Raises UsageError for a word that names none."""
    kind, _, where = asked.device.partition(":")
    if kind not in CAMERAS or (not where and kind != "realsense"):
        words = "; ".join(f"{word}: and then {rest}" for word, rest in CAMERAS.items())
        raise UsageError(f"'{asked.device}' is no camera device; write one of {words}.")
    if kind == "uvc":
        from hardware.uvc.driver import UVC
        from hardware.uvc.spec import UVCSpec

        locked = asked.settings("exposure", "white_balance", "focus")
        return UVC(UVCSpec(where, calibration.width, calibration.height, asked.fps, **locked), calibration, clock)
    # imported here, because the vendor's library is not needed for another camera
    from hardware.realsense.driver import RealSense
    from hardware.realsense.spec import RealSenseSpec

    spec = RealSenseSpec(
        serial=where if kind == "realsense" and where else None,
        file=Path(where) if kind == "file" else None,
        frames=where if kind == "frames" else None,
        width=calibration.width,
        height=calibration.height,
        fps=asked.fps,
        depth=False,  # the graph does not carry it
        **asked.settings("exposure", "gain", "white_balance"),
    )
    return RealSense(spec, calibration, clock)


def connect(device: ArmDriver | Camera, limit_s: float) -> None:
    """Connects, again and again for `limit_s` [s]: in an emulated world, what stands behind it may still be starting.
    Raises what the last try raises."""
    end = time.monotonic() + limit_s
    while True:
        try:
            return device.connect()
        except TouchstoneError:
            if time.monotonic() >= end:
                raise
            time.sleep(TRY_S)


def _widowx(asked: ArmAsked, table: Pose, clock: Clock) -> tuple[ArmDriver, GateSettings]:
    # imported here, because the vendor's library of another arm is not needed
    from hardware.widowx.driver import SETTINGS, WidowX
    from hardware.widowx.spec import WidowXSpec

    settings = replace(SETTINGS, speed=asked.speed)
    spec = WidowXSpec(_given(asked.port, "port", "/dev/ttyDXL", asked.robot), read_only=_silent(asked))
    return WidowX(spec, settings, table, clock), settings


def _interbotix(asked: ArmAsked, table: Pose, clock: Clock) -> tuple[ArmDriver, GateSettings]:
    from hardware.widowx.driver import SETTINGS
    from robot_bridge.interbotix.driver import Interbotix
    from robot_bridge.interbotix.spec import InterbotixSpec

    settings = replace(SETTINGS, speed=asked.speed)
    return Interbotix(InterbotixSpec(asked.name, read_only=_silent(asked)), settings, table, clock), settings


def _realman(asked: ArmAsked, table: Pose, clock: Clock) -> tuple[ArmDriver, GateSettings]:
    from hardware.realman.driver import Realman
    from hardware.realman.spec import RealmanSpec

    settings = GateSettings(speed=asked.speed)
    host, _, port = _given(asked.host, "host", "192.168.1.18", asked.robot).partition(":")
    where = {"port": _tcp_port(port)} if port else {}
    return Realman(
        RealmanSpec(host, udp_port=asked.udp_port, read_only=_silent(asked), **where), settings, table, clock
    ), settings


def _silent(asked: ArmAsked) -> bool:
    return asked.read_only or asked.dry_run


def _given(value: str, word: str, example: str, robot: str) -> str:
    if not value:
        raise UsageError(f"Nobody said where the {robot} is; give its {word}, such as {word}={example}.")
    return value


def _tcp_port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise UsageError(f"'{text}' is no TCP port; give a number of 1..65535 after the host's colon.")
    return int(text)
