"""A bench of one arm on the kinematic plant: emulator process, real SDK, driver, gate and journal; nothing renders."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hardware.arm import ArmDriver
from hardware.bench.arm_side import ArmSide
from hardware.bench.world import BenchWorld
from hardware.camera import Camera
from hardware.emulators.process import EmulatorProcess
from tests.hardware.bench.paper_arm import TidyStage
from touchstone.calibration import for_camera
from touchstone.clock import Clock
from touchstone.errors import WorldFailure
from touchstone.evaluation.config import SessionConfig
from touchstone.robots.base import Arm
from touchstone.robots.base import arm as find_arm
from touchstone.safety.codes import Intervention
from touchstone.safety.readings import Target

CAMERA = "grinningface"
FPS = 10
ARMS = ("wx250s", "rm75")
#: a program above the driver that hangs for longer is silent, in these benches
PATIENCE_S = 0.5
WAIT_S = 30.0  # longest that anything is waited for, in seconds of the clock


@dataclass
class Watched:
    """A driver whose interventions and targets are kept. told: what the gate did. expiries: [ns] of every target."""

    driver: ArmDriver
    told: list[Intervention] = field(default_factory=list)
    expiries: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.driver, name)

    def servo(self, target: Target) -> Intervention | None:
        self.expiries.append(target.expires_ns)
        return self.driver.servo(target)

    def take_interventions(self) -> list[Intervention]:
        taken = self.driver.take_interventions()
        self.told += taken
        return taken


@dataclass
class Rig:
    """One arm. new_driver: another driver for the same emulator. pictures: the process that writes the camera's."""

    name: str
    arm: Arm
    clock: Clock
    emulator: EmulatorProcess
    new_driver: Callable[[], ArmDriver]
    pictures: Any = None
    camera: Camera | None = None

    def reset(self) -> None:
        """Another arm in its ready pose, without a fault."""
        self.emulator.ask("reset", pose="ready")

    @contextlib.contextmanager
    def bench(self) -> Iterator[tuple[BenchWorld, Watched]]:
        """A world with a connected and armed driver."""
        driver = Watched(self.new_driver())
        driver.connect()
        side = ArmSide(driver, self.arm, self.clock, patience_s=PATIENCE_S)
        world = BenchWorld(side, self.camera, TidyStage(), CAMERA, ("twin", "wire"), self.clock, privileged=True)
        try:
            side.rearm("a test")
            yield world, driver
        finally:
            world.close()
            driver.close()

    def until(self, condition: Callable[[], bool], seconds: float = WAIT_S) -> bool:
        """Waits for something to become true; the time is only there to end a broken test."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            if condition():
                return True
            self.clock.sleep(0.005)
        return False

    def goals(self) -> tuple[np.ndarray, np.ndarray]:
        """What reached the motors: stamps float64[k] [ns of the clock] and joints float64[k,n] [rad]."""
        state = self.emulator.ask("state")
        began = state["at_ns"] - state["now_s"] * 1e9
        sent = self.emulator.ask("goals")["goals"]
        times, joints = dynamixel_rows(sent) if self.name == "wx250s" else realman_rows(sent)
        return began + times * 1e9, joints


def dynamixel_rows(goals: list) -> tuple[np.ndarray, np.ndarray]:
    """Times [s] and joints [rad] of the accepted goals, one row a packet, of the masters."""
    from hardware.dynamixel.units import radians
    from hardware.widowx.motors import MASTERS

    rows: dict[float, dict[int, float]] = {}
    known: dict[int, float] = {}
    for at, id, ticks in goals:
        known[id] = radians(ticks)
        rows[at] = dict(known)
    whole = {at: row for at, row in rows.items() if all(motor.id in row for motor in MASTERS)}
    joints = [[row[motor.id] for motor in MASTERS] for row in whole.values()]
    return np.array(list(whole)), np.array(joints).reshape(-1, len(MASTERS))


def realman_rows(goals: list) -> tuple[np.ndarray, np.ndarray]:
    """Times [s] and joints [rad] of the accepted setpoints."""
    return np.array([at for at, _ in goals]), np.array([joints for _, joints in goals]).reshape(-1, 7)


@contextlib.contextmanager
def rig(name: str, scale: float) -> Iterator[Rig]:
    """An emulator process and how to drive it."""
    clock = Clock(scale)
    emulator, new_driver = _rm75(clock) if name == "rm75" else _wx250s(clock)
    with emulator:
        yield Rig(name, find_arm(name), clock, emulator, new_driver)


@contextlib.contextmanager
def with_camera(rig: Rig) -> Iterator[Rig]:
    """The same with an emulated RealSense whose pictures another process writes."""
    from hardware.emulators.realsense.control import TestPictures
    from hardware.realsense.driver import RealSense
    from hardware.realsense.spec import RealSenseSpec

    frames, calibration = f"faults-{os.getpid()}", for_camera(CAMERA, rig.name).cameras["scene"]
    options = ["--fps", str(FPS), "--no-depth", "--time-scale", str(rig.clock.scale)]
    with TestPictures(frames, *options) as rig.pictures:
        spec = RealSenseSpec(frames=frames, fps=FPS, depth=False, start_s=60.0, patience_s=5.0)
        rig.camera = RealSense(spec, calibration, rig.clock)
        rig.camera.connect()
        try:
            yield rig
        finally:
            rig.camera.close()
            rig.pictures = rig.camera = None


def config(robot: str, trials: int) -> SessionConfig:
    return SessionConfig(
        task="touch-emoji", world="twin", robot=robot, policy="expert", protocol="val", seed=0, trials=trials
    )


def raises_world_failure(function: Callable[[], Any]) -> str | None:
    """The sentence of the WorldFailure that `function` raises, or None."""
    try:
        function()
    except WorldFailure as failure:
        return str(failure)
    return None


def journal(out: Path) -> dict[str, bytes]:
    """Every file of the finished episodes, by name; to see that nothing changes them."""
    kept = {"episodes.jsonl": (out / "episodes.jsonl").read_bytes()}
    for path in sorted((out / "episodes").glob("*")):
        kept[path.name] = path.read_bytes()
    return kept


def _wx250s(clock: Clock) -> tuple[EmulatorProcess, Callable[[], ArmDriver]]:
    from hardware.emulators.dynamixel.control import EmulatedBus
    from hardware.widowx.driver import WidowX
    from hardware.widowx.spec import WidowXSpec

    bus = EmulatedBus("ready", clock.scale)
    return bus, lambda: WidowX(WidowXSpec(bus.port), clock=clock)


def _rm75(clock: Clock) -> tuple[EmulatorProcess, Callable[[], ArmDriver]]:
    from hardware.emulators.realman.control import EmulatedController
    from hardware.realman.driver import Realman
    from hardware.realman.spec import RealmanSpec
    from tests.hardware.realman.conftest import UDP_PORT

    there = EmulatedController(time_scale=clock.scale, udp_port=UDP_PORT)
    return there, lambda: Realman(RealmanSpec(there.host, there.port, there.udp_port), clock=clock)
