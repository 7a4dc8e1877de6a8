"""The plant and its eye as processes: sockets, shared memory, pictures, and every way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sim_twin.world import TwinWorld
from touchstone.data.frame_files import ring_path
from touchstone.data.frame_ring import FrameReader
from touchstone.plant import PlantClient
from touchstone.robots.wx250s import ARM
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import WorldRequest

# each process loads the simulator, and the eye compiles its shaders
pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
FRAMES = f"test-plant-{os.getpid()}"
SPEC = TouchEmoji().plan("val", 0, 0, ARM).model_copy(update={"start": ARM.ready})
START_S = 300.0


def start(link: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "sim_twin.plant", "--robot", "wx250s", "--link", str(link), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(condition, seconds: float = START_S) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def newest(reader: FrameReader):
    return reader.read(reader.newest)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    link = tmp_path_factory.mktemp("plant") / "link"
    process = start(link, "--frames", FRAMES, "--camera", "grinningface@320x240", "--time-scale", "0.5")
    client = PlantClient(link, START_S)
    reader = FrameReader(FRAMES, START_S)
    yield process, client, reader
    client.close()
    reader.close()
    process.terminate()
    process.communicate()


def test_the_eye_shows_what_the_twin_shows(plant):
    _, client, reader = plant
    client.ask("reset", spec=SPEC.model_dump(mode="json"))
    after = client.ask("state")["stamp_ns"]
    assert until(lambda: reader.newest and newest(reader).stamp_ns > after + 2e9)
    twin = TwinWorld(WorldRequest("wx250s", "grinningface@320x240"))
    twin.reset(SPEC.model_copy(update={"camera": "grinningface@320x240"}))
    expected = twin.observe().cameras["scene"].image.astype(int)
    twin.close()
    difference = np.abs(newest(reader).colour.astype(int) - expected)
    assert difference.mean() < 0.5 and (difference.max(axis=2) > 20).mean() < 0.005
    assert reader.format.time_scale == 0.5


def test_stamps_go_up_and_a_fault_reaches_the_ring(plant):
    _, client, reader = plant
    first = reader.newest
    assert until(lambda: reader.newest > first + 5)
    stamps = [reader.read(number).stamp_ns for number in range(reader.oldest, reader.newest + 1)]
    assert (np.diff(stamps) > 0).all()
    client.ask("camera", frozen=True)
    assert until(lambda: reader.faults.frozen)
    client.ask("camera")
    assert until(lambda: not reader.faults.frozen)


def test_it_ends_cleanly_and_a_second_one_takes_its_place(tmp_path):
    link, frames = tmp_path / "link", f"{FRAMES}-2"
    for _ in range(2):
        process = start(link, "--frames", frames, "--camera", "grinningface@320x240")
        assert process.stdout.readline()
        assert until(lambda: ring_path(frames).exists())
        process.terminate()
        assert process.wait(60) == 0
        assert not link.exists() and not ring_path(frames).exists()
        process.communicate()


def test_an_eye_that_is_killed_ends_the_plant_with_one_sentence(tmp_path):
    link, frames = tmp_path / "link", f"{FRAMES}-3"
    process = start(link, "--frames", frames, "--camera", "grinningface@320x240")
    assert process.stdout.readline()
    assert until(lambda: ring_path(frames).exists())
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1 and "The process that renders ended" in told and "Traceback" not in told
    assert not ring_path(frames).exists() and not link.exists()


def test_a_plant_that_is_killed_takes_its_eye_along(tmp_path):
    link, frames = tmp_path / "link", f"{FRAMES}-4"
    process = start(link, "--frames", frames, "--camera", "grinningface@320x240")
    assert process.stdout.readline()
    assert until(lambda: ring_path(frames).exists())
    process.kill()
    process.wait()
    assert until(lambda: not ring_path(frames).exists(), 60)
    process.communicate()


def test_wrong_words_are_one_sentence(tmp_path):
    for options in (["--world", "moon"], ["--time-scale", "0"], ["--link", str(tmp_path / "no" / "where")]):
        process = start(tmp_path / "link", *options)
        _, told = process.communicate(timeout=START_S)
        assert process.returncode == 2 and "Traceback" not in told, told
        assert told.strip().endswith(".")
