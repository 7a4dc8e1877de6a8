"""A whole emulated bench of real processes: plant, eye and motors, with driver, camera and world in this one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hardware.arm import ArmDriver
from hardware.bench.arm_side import ArmSide
from hardware.bench.stage import EmulatedStage
from hardware.bench.world import BenchWorld
from hardware.camera import Camera
from touchstone.calibration import for_camera
from touchstone.clock import Clock
from touchstone.robots.base import arm as find_arm

ROOT = Path(__file__).parents[3]
START_S = 300.0
CAMERA = "grinningface"


@dataclass
class Emulated:
    """world: armed. plant: the process of the physics; link: its socket."""

    world: BenchWorld
    driver: ArmDriver
    plant: subprocess.Popen
    link: Path


@contextlib.contextmanager
def plant_process(robot: str, scale: float, *options: str) -> Iterator[tuple[subprocess.Popen, Path]]:
    """A plant and the path of its socket."""
    with tempfile.TemporaryDirectory(prefix="plant-") as folder:
        link = Path(folder) / "plant"
        command = [sys.executable, "-m", "sim_twin.plant", "--robot", robot, "--link", str(link)]
        command += ["--time-scale", str(scale), *options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline(), "the plant did not start"
            yield process, link
        finally:
            process.terminate()
            process.wait(START_S)
            process.stdout.close()


@contextlib.contextmanager
def emulated_bench(robot: str, scale: float, camera: bool = True, fps: float = 10.0) -> Iterator[Emulated]:
    """A bench of the twin behind the emulated wire."""
    frames = f"test-{os.getpid()}"
    options = ["--frames", frames, "--fps", str(fps), "--camera", CAMERA] if camera else []
    clock = Clock(scale)
    with contextlib.ExitStack() as stack:
        plant, link = stack.enter_context(plant_process(robot, scale, *options))
        driver = stack.enter_context(emulated_arm(robot, link, clock))
        eye = stack.enter_context(emulated_camera(frames, fps, robot, clock)) if camera else None
        side = ArmSide(driver, find_arm(robot), clock)
        side.rearm("a test")
        words = ("twin", "wire")
        world = BenchWorld(side, eye, EmulatedStage(link), CAMERA, words, clock, privileged=True)
        try:
            yield Emulated(world, driver, plant, link)
        finally:
            world.close()


@contextlib.contextmanager
def emulated_arm(robot: str, link: Path, clock: Clock) -> Iterator[ArmDriver]:
    """A connected driver."""
    emulator, driver = _rm75(link, clock) if robot == "rm75" else _wx250s(link, clock)
    with emulator:
        driver.connect()
        try:
            yield driver
        finally:
            driver.close()


def _wx250s(link: Path, clock: Clock):
    from hardware.emulators.dynamixel.control import EmulatedBus
    from hardware.widowx.driver import WidowX
    from hardware.widowx.spec import WidowXSpec

    bus = EmulatedBus(time_scale=clock.scale, plant=link)
    return bus, WidowX(WidowXSpec(bus.port), clock=clock)


def _rm75(link: Path, clock: Clock):
    from hardware.emulators.realman.control import EmulatedController
    from hardware.realman.driver import Realman
    from hardware.realman.spec import RealmanSpec

    there = EmulatedController(time_scale=clock.scale, plant=link)
    return there, Realman(RealmanSpec(there.host, there.port, there.udp_port), clock=clock)


@contextlib.contextmanager
def emulated_camera(frames: str, fps: float, robot: str, clock: Clock) -> Iterator[Camera]:
    """A connected RealSense on a software device."""
    from hardware.realsense.driver import RealSense
    from hardware.realsense.spec import RealSenseSpec

    calibration = for_camera(CAMERA, robot).cameras["scene"]
    spec = RealSenseSpec(frames=frames, fps=round(fps), depth=False, start_s=60.0, patience_s=5.0)
    camera = RealSense(spec, calibration, clock)
    camera.connect()
    try:
        yield camera
    finally:
        camera.close()
