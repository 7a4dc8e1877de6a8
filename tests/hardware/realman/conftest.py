"""An emulated RM75 and a driver in front of it, patient with a busy machine."""

from __future__ import annotations

import importlib.util
import time

import numpy as np
import pytest

from hardware.emulators.realman.control import EmulatedController, free_udp_port
from hardware.realman.driver import Realman
from hardware.realman.spec import RealmanSpec
from touchstone.robots.rm75 import ARM
from touchstone.safety.readings import Target
from touchstone.safety.settings import MS, GateSettings

WITH_THE_SDK = {"test_faults", "test_guard", "test_realman", "test_refusals", "test_sdk_traps", "test_time_scale"}
READY = np.array(ARM.ready)
TURNED = READY + np.array([0.4, 0, 0, 0, 0, 0, 0.2])
# a busy machine that lets neither this process nor the emulator run is no fault of the arm's
PATIENT = GateSettings(stale_stop=60_000 * MS, stale_hold=30_000 * MS, reading_age=3000 * MS)
GUARD_MS = 5000
#: one for all drivers of this process, since RealMan's SDK keeps every port, and takes five at most
UDP_PORT = free_udp_port()

needs_sdk = pytest.mark.skipif(importlib.util.find_spec("Robotic_Arm") is None, reason="RealMan's SDK is not installed")


def spec_of(emulated, **changes) -> RealmanSpec:
    return RealmanSpec(emulated.host, emulated.port, emulated.udp_port, **{"guard_ms": GUARD_MS, **changes})


def until(condition, seconds: float = 20.0) -> bool:
    """Waits for something to become true; the time is only there to end a broken test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def target(joints, **changes) -> Target:
    now = time.monotonic_ns()
    return Target(np.array(joints), now, now + 5_000_000_000, **changes)


def commands(emulated, name: str = "") -> list[tuple[float, int, str]]:
    """What came over TCP: (s, number of the connection, line); name: only this command."""
    return [tuple(each) for each in emulated.ask("commands")["commands"] if f'"{name}' in each[2]]


@pytest.fixture(scope="module")
def process():
    with EmulatedController(udp_port=UDP_PORT) as emulated:
        yield emulated


@pytest.fixture
def emulated(process):
    process.ask("reset", pose="ready", generation=3)
    return process


@pytest.fixture
def drivers(emulated):
    """`drivers(settings=..., **spec)` is a driver that is closed at the end."""
    made = []

    def make(settings=PATIENT, of=emulated, **spec) -> Realman:
        made.append(Realman(spec_of(of, **spec), settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def arm(drivers):
    arm = drivers()
    arm.connect()
    return arm


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """RealMan's SDK keeps every port of a process and takes five at most: beside other tests, in processes that share
    them out anew each time, it may run out. `make test-long` runs these one after the other."""
    for item in items:
        if item.path.parent.name == "realman" and item.path.stem in WITH_THE_SDK:
            item.add_marker(pytest.mark.long)
