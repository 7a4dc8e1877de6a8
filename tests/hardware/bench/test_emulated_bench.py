"""Everything but atoms: plant, eye and motors as processes, the vendors' SDKs between them and a session."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("dynamixel_sdk")
pytest.importorskip("pyrealsense2")
pytest.importorskip("Robotic_Arm")
pytest.importorskip("mani_skill")

from hardware.bench.arm_side import ArmSide
from hardware.bench.dry_run import DryRun
from hardware.emulators.dynamixel.control import EmulatedBus
from hardware.widowx.driver import WidowX
from hardware.widowx.spec import WidowXSpec
from policy_server.policies.card_matcher import CardMatcherPolicy
from policy_server.policies.expert import ExpertPolicy
from tests.hardware.bench.emulated import ROOT, emulated_bench, plant_process
from touchstone.errors import WorldFailure
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.session import run_session
from touchstone.plant import PlantClient
from touchstone.robots.base import arm as find_arm
from touchstone.robots.wx250s import ARM
from touchstone.safety.settings import MS, GateSettings
from touchstone.tasks.emoji.touch import TouchEmoji

# five busy processes that keep one clock
pytestmark = pytest.mark.long

SCALE = 0.15
TRIALS = 2


def session(robot: str, policy: str) -> SessionConfig:
    return SessionConfig(
        task="touch-emoji", world="twin", robot=robot, policy=policy, protocol="val", seed=0, trials=TRIALS
    )


@pytest.mark.parametrize("robot", ["wx250s", "rm75"])
def test_a_session_with_pictures_goes_through_every_wire(robot, tmp_path, capsys):
    policy = CardMatcherPolicy()
    with emulated_bench(robot, SCALE) as bench:
        began = time.monotonic()
        run_session(session(robot, "card-matcher"), tmp_path, bench.world, policy)
        took = time.monotonic() - began
        state = bench.driver.state()
        plant = PlantClient(bench.link).ask("state")
        with capsys.disabled():
            print(
                f"\n{robot} at time scale {SCALE}: {TRIALS} episodes in {took:.0f} s, {bench.world.missed} ticks "
                f"missed; arm {state.rate_hz:.0f} Hz, {state.missed} readings missed; physics {plant}"
            )
    lines = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    assert [line["verdict"]["recognition"] for line in lines] == [True] * TRIALS
    run = json.loads((tmp_path / "session.json").read_text())["runs"][0]
    assert (run["plant"], run["path"], run["offer"]["time_scale"]) == ("twin", "wire", SCALE)


def test_a_plant_that_is_killed_ends_the_episode_with_one_sentence():
    spec = TouchEmoji().plan("val", 0, 0, find_arm("wx250s"))
    with emulated_bench("wx250s", SCALE, camera=False) as bench:
        bench.world.reset(spec)
        policy = ExpertPolicy()
        policy.reset(spec.brief())
        seen = bench.world.observe()
        bench.plant.kill()
        with pytest.raises(WorldFailure) as caught:
            for _ in range(60):
                bench.world.command(policy.infer(seen))
                bench.world.advance(seen.stamp_ns + spec.dt_ns)
                seen = bench.world.observe()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_dry_run_of_the_real_driver_writes_nothing_to_a_motor():
    with EmulatedBus("ready") as bus:
        before = bus.motors()
        driver = DryRun(WidowX(WidowXSpec(bus.port, read_only=True)), ARM, GateSettings(reading_age=5000 * MS))
        driver.connect()
        driver.rearm("test")
        side = ArmSide(driver, ARM)
        turned = np.array(ARM.ready) + np.array([0.3, 0, 0, 0, 0, 0])
        side.to_start(turned, 1.0)
        assert np.allclose(driver.state().commanded, turned, atol=0.002)
        assert np.allclose(side.reading().joints.position, ARM.ready, atol=0.002)
        side.close()
        driver.close()
        assert bus.motors() == before and bus.ask("goals")["goals"] == []


def test_motors_without_their_plant_end_with_one_sentence(tmp_path):
    command = [sys.executable, "-m", "hardware.emulators.dynamixel", "--link", str(tmp_path / "port")]
    with plant_process("wx250s", 1.0) as (_, link):
        command += ["--control", str(tmp_path / "control"), "--plant", str(link)]
        motors = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert motors.stdout.readline()
    _, told = motors.communicate(timeout=60)
    assert motors.returncode == 1 and "has ended" in told and "Traceback" not in told
    assert not (tmp_path / "port").is_symlink()
