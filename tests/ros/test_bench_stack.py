"""The stacks of a bench: what is started, what follows the colon of a world, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from eval.bench_options import EMULATED, REAL, parse, written
from eval.private_place import PREFIX, private_place
from eval.processes import LEADER
from eval.stack import describe

from tests.ros.runs import Run, wait_until
from touchstone.calibration import nominal, save
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig

CONFIG = SessionConfig(
    task="touch-emoji", world="emulated", robot="wx250s", policy="card-matcher", protocol="val", seed=7, trials=3
)


def emulated(tmp_path, robot="wx250s", world="emulated"):
    return describe(CONFIG.model_copy(update={"robot": robot, "world": world}), tmp_path, 5, tmp_path)


def real(tmp_path, world, robot="wx250s", camera=None, operator="Ada"):
    if camera is None:
        camera = tmp_path / "calibration.yaml"
        save(nominal(robot), camera)
    config = CONFIG.model_copy(update={"robot": robot, "world": world, "camera": str(camera), "operator": operator})
    return describe(config, tmp_path, 5, tmp_path)


def parameters(stack) -> dict[str, dict]:
    return {node.name: node.parameters for node in stack.nodes}


@pytest.mark.parametrize(("robot", "module", "word"), [("wx250s", "dynamixel", "port"), ("rm75", "realman", "host")])
def test_an_emulated_bench_is_an_emulator_a_plant_and_an_eye_on_one_clock(tmp_path, robot, module, word):
    stack = emulated(tmp_path, robot, "emulated:time_scale=0.4")
    programs = {program.name: program.arguments for program in stack.programs}
    assert list(programs) == ["policy_server", "plant", "eye", "emulator"]
    assert f"hardware.emulators.{module}" in programs["emulator"]
    for name in ("plant", "emulator"):
        assert programs[name][programs[name].index("--time-scale") + 1] == "0.4"
    nodes = parameters(stack)
    assert list(nodes) == ["arm_node", "camera_node", "policy_node", LEADER]
    assert nodes["arm_node"]["time_scale"] == nodes["camera_node"]["time_scale"] == 0.4
    link = programs["plant"][programs["plant"].index("--link") + 1]
    assert nodes["arm_node"]["stage"] == f"plant:{link}" and link in programs["eye"] and link in programs["emulator"]
    ring = programs["eye"][programs["eye"].index("--frames") + 1]
    assert nodes["camera_node"]["device"] == f"frames:{ring}"
    assert str(nodes["arm_node"][word]).split(":")[-1] in programs["emulator"]
    # an arm is slow to its start, and a slowed one slower
    assert nodes[LEADER]["reset_s"] > 150 / 0.4 - 1


def test_a_real_bench_has_an_arm_and_a_camera_and_nothing_in_their_place(tmp_path):
    stack = real(tmp_path, "real:port=/dev/ttyDXL,speed=0.1,device=uvc:/dev/video0,exposure=156")
    assert [program.name for program in stack.programs] == ["policy_server"]
    nodes = parameters(stack)
    assert nodes["arm_node"]["port"] == "/dev/ttyDXL" and nodes["arm_node"]["speed"] == 0.1
    assert nodes["arm_node"]["operator"] == nodes[LEADER]["operator"] == "Ada"
    assert nodes["camera_node"]["device"] == "uvc:/dev/video0" and nodes["camera_node"]["exposure"] == 156
    assert "time_scale" not in nodes["arm_node"] and "rearm" not in nodes["arm_node"]


@pytest.mark.parametrize(
    ("world", "robot", "preset", "words"),
    [
        ("real", "wx250s", False, ["real:port=/dev/ttyDXL"]),
        ("real", "rm75", False, ["real:host=192.168.1.18"]),
        ("real:host=10.0.0.1", "wx250s", False, ["real:port=/dev/ttyDXL"]),
        ("real:port=/dev/ttyDXL", "wx250s", True, ["grinningface", "calibration.yaml"]),
        ("real:port", "wx250s", False, ["'port'", "NAME=VALUE"]),
        ("real:time_scale=0.5", "wx250s", False, ["time_scale"]),
        ("real:speed=fast", "wx250s", False, ["speed=fast", "number"]),
        ("real:dry_run=maybe", "wx250s", False, ["dry_run=maybe", "true or false"]),
    ],
)
def test_a_real_bench_that_is_not_described_is_refused(tmp_path, world, robot, preset, words):
    with pytest.raises(UsageError) as refused:
        real(tmp_path, world, robot, "grinningface" if preset else None)
    assert all(word in str(refused.value) for word in words), refused.value


@pytest.mark.parametrize("variant", ["time_scale=2", "time_scale=nan", "fps=ten", "x"])
def test_an_emulated_bench_that_makes_no_sense_is_refused(tmp_path, variant):
    with pytest.raises(UsageError):
        emulated(tmp_path, world=f"emulated:{variant}")


def test_a_real_bench_that_is_not_there_is_one_sentence_and_code_2(tmp_path):
    calibration = tmp_path / "calibration.yaml"
    save(nominal("wx250s"), calibration)
    options = ("--camera", str(calibration), "--operator", "Ada", "--operator-port", "0")
    with Run(tmp_path / "out", "real:port=/dev/not-there", "card-matcher", 1, *options) as run:
        code, _, stderr = run.end()
    assert code == 2
    sentence = stderr.strip().splitlines()[-1]
    assert "There is no port /dev/not-there" in sentence or "There is no RealSense camera" in sentence


def test_a_real_bench_without_a_person_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--operator"):
        real(tmp_path, "real:port=/dev/ttyDXL", operator=None)


def test_an_emulated_bench_is_armed_by_nobody_when_a_person_stands_beside_it(tmp_path):
    assert parameters(emulated(tmp_path))["arm_node"]["rearm"] is True
    config = CONFIG.model_copy(update={"operator": "Ada"})
    nodes = parameters(describe(config, tmp_path, 5, tmp_path))
    assert nodes["arm_node"]["rearm"] is False and nodes["arm_node"]["operator"] == "Ada"


@pytest.mark.parametrize("own", [{"shader": "rt"}, {"overlay": "photo.jpg"}, {"pictures": False}])
def test_what_only_a_twin_can_do_is_refused(tmp_path, own):
    with pytest.raises(UsageError):
        describe(CONFIG.model_copy(update=own), tmp_path, 5, tmp_path)


def test_what_is_written_is_parsed_and_silence_is_the_default():
    given = {"port": "/dev/ttyDXL", "speed": "0.1", "host": "", "fps": "15"}
    world = written("real", given)
    name, _, variant = world.partition(":")
    found = parse(name, variant)
    assert (found["port"], found["speed"], found["fps"], found["host"]) == ("/dev/ttyDXL", 0.1, 15, "")
    assert written("emulated", {"time_scale": ""}) == "emulated"
    assert parse("emulated", None) == {name: default for name, (default, _) in EMULATED.items()}
    assert {name for name, (default, _) in REAL.items() if default is None} == set()


def test_the_worlds_of_the_stacks_are_registered():
    assert {"twin-ros", "emulated", "real"} <= {point.name for point in entry_points(group="touchstone.stacks")}


def test_a_place_is_gone_with_its_run_and_its_shared_memory_too():
    with private_place() as place:
        ring = Path("/dev/shm") / f"touchstone-frames-{place.name}"
        ring.touch()
        (place / "socket").touch()
        with private_place() as other:
            assert place.exists() and other != place
    assert not place.exists() and not ring.exists()


def test_what_a_killed_run_left_is_taken_away_by_the_next(tmp_path):
    program = (
        "import time; from eval.private_place import private_place\n"
        "with private_place() as place: print(place, flush=True); time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as killed:
        left = Path(killed.stdout.readline().strip())
        assert left.parent == Path(tempfile.gettempdir()) and left.name.startswith(PREFIX)
        with private_place():
            assert left.exists()
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    assert left.exists()
    with private_place():
        wait_until(lambda: not left.exists(), 5.0)
