"""A graph of a test's own with the stand-in on it; skipped with a reason where its messages cannot be built."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore_glob = []
if find_spec("rclpy") is None or find_spec("dynamixel_sdk") is None:
    collect_ignore_glob += ["test_*.py"]
else:
    from eval.domains import own_domain
    from eval.processes import environment
    from robot_bridge.interbotix.driver import Interbotix
    from robot_bridge.interbotix.spec import InterbotixSpec

    from hardware.emulators.dynamixel.control import EmulatedBus
    from tests.ros.interbotix import messages
    from touchstone.environment import clean_environment
    from touchstone.safety.settings import MS, GateSettings

    # a busy machine that lets nobody run is no fault of the arm's
    PATIENT = GateSettings(tip_clearance=0.002, stale_stop=60_000 * MS, stale_hold=30_000 * MS, reading_age=2000 * MS)

ROOT = Path(__file__).parents[3]
NAME = "wx250s"


@pytest.fixture(scope="session")
def built(request) -> Path:
    """The folder with `interbotix_xs_msgs`."""
    reason = messages.missing()
    if reason:
        pytest.skip(f"Interbotix's messages cannot be built: {reason}")
    return messages.built_in(request.config.cache.mkdir("interbotix_xs_msgs"))


@pytest.fixture
def world(built, tmp_path, monkeypatch) -> Iterator[dict[str, str]]:
    """The environment of a graph that nobody else is on; this process is on it, too."""
    monkeypatch.syspath_prepend(str(built))
    with own_domain({}) as domain:
        env = {**clean_environment(os.environ), **environment(tmp_path, domain)}
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(built), env.get("PYTHONPATH", "")]))
        for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", "FASTDDS_DEFAULT_PROFILES_FILE", "ROS_LOG_DIR"):
            monkeypatch.setenv(name, env[name])
        yield env


@pytest.fixture
def start(world) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts `python -m MODULE ARGUMENTS` on the graph and waits for the line that it prints when it is up."""
    with ExitStack() as stack:

        def begin(module: str, *arguments: str) -> subprocess.Popen:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], env=world, cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            stack.callback(process.stdout.close)
            assert process.stdout.readline().strip()
            return process

        yield begin


@pytest.fixture
def bus() -> Iterator[EmulatedBus]:
    with EmulatedBus(pose="ready") as bus:
        yield bus


@pytest.fixture
def sdk(bus, start) -> subprocess.Popen:
    """As Interbotix's launch file starts it: the arm holds."""
    return start("tests.ros.interbotix.standin", bus.port, NAME)


@pytest.fixture
def arm(sdk) -> Iterator[Interbotix]:
    arm = Interbotix(InterbotixSpec(NAME, watchdog_ms=2000), PATIENT)
    arm.connect()
    yield arm
    arm.close()
