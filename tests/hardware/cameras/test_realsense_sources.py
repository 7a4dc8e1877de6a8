"""Other sources than the emulated camera's: depth from beside the colour, recordings, and the command."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

pytest.importorskip("pyrealsense2", exc_type=ImportError)

import pyrealsense2 as rs

from hardware.emulators.realsense.control import TestPictures
from hardware.emulators.realsense.device import SoftwareDevice
from hardware.emulators.realsense.pattern import pattern
from hardware.realsense.driver import RealSense
from hardware.realsense.resolving import Source
from hardware.realsense.spec import RealSenseSpec
from hardware.realsense.stream import Stream
from tests.hardware.cameras.samples import CALIBRATION
from tests.hardware.cameras.writing import PATIENT, SIZE, K, number_of
from touchstone.clock import REAL_TIME
from touchstone.data.frame_ring import RingFormat, RingFrame, ring_path
from touchstone.errors import UsageError, WorldFailure

ROOT = Path(__file__).parents[3]


class ApartDevice(SoftwareDevice):
    """Its depth sensor sits 50 mm beside the colour sensor, as a D400's does."""

    def __init__(self, ring: RingFormat):
        super().__init__("apart", ring, REAL_TIME)
        beside = rs.extrinsics()
        beside.rotation, beside.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [0.05, 0, 0]
        self._depth_profile.register_extrinsics_to(self._colour_profile, beside)


def test_depth_is_aligned_to_colour():
    """A plane at 1 m, seen by a depth sensor 50 mm to the left, moves by f * 0.05 / 1 pixels."""
    device = ApartDevice(RingFormat(*SIZE, K, np.zeros(5), 20, 0.001))
    stop = threading.Event()
    box = np.full((SIZE[1], SIZE[0]), 1000, np.uint16)
    box[:, 300:] = 0

    def show():
        number = 0
        while not stop.wait(0.05):
            number += 1
            device.show(RingFrame(number, REAL_TIME.now_ns(), pattern(number, *SIZE)[0], box))

    thread = threading.Thread(target=show)
    thread.start()
    try:
        source = Source(device.device, "The camera", gone=lambda: None)
        stream = Stream(source, RealSenseSpec(fps=20, start_s=PATIENT), CALIBRATION, REAL_TIME)
        depth = stream.pictures.next(0, PATIENT).depth
        shift = K[0, 0] * 0.05
        row = depth[240]
        inside = row[round(shift) + 2 : 300 + round(shift) - 2]
        assert np.mean(inside == 1000) > 0.9  # aligning leaves holes where it rounds
        assert not row[: round(shift) - 2].any() and not row[300 + round(shift) + 2 :].any()
        stream.close()
    finally:
        stop.set()
        thread.join()


RECORD = """
import sys, threading, time
import numpy as np
import pyrealsense2 as rs
from hardware.emulators.realsense.device import SoftwareDevice
from hardware.emulators.realsense.pattern import pattern
from touchstone.clock import REAL_TIME
from touchstone.data.frame_ring import RingFormat, RingFrame, ring_path
from tests.hardware.cameras.samples import CALIBRATION

size = (CALIBRATION.width, CALIBRATION.height)
device = SoftwareDevice("recorded", RingFormat(*size, CALIBRATION.model().K, np.zeros(5), 20, 0.001), REAL_TIME)
recorder = rs.recorder(sys.argv[1], device.device)
pipeline, config, queue = rs.pipeline(), rs.config(), rs.frame_queue(50)
pipeline.set_device(recorder)
config.enable_stream(rs.stream.color, -1, *size, rs.format.rgb8, 20)
config.enable_stream(rs.stream.depth, -1, *size, rs.format.z16, 20)
pipeline.start(config, queue)
for number in range(1, 21):
    colour, depth = pattern(number, *size)
    device.show(RingFrame(number, REAL_TIME.now_ns(), colour, depth))
    time.sleep(0.05)
time.sleep(0.5)
pipeline.stop()
"""


def test_a_recording_is_played_as_if_it_were_now(tmp_path):
    path = tmp_path / "recorded.db3"
    subprocess.run([sys.executable, "-c", RECORD, str(path)], check=True, cwd=ROOT, timeout=120)
    camera = RealSense(RealSenseSpec(file=path, fps=20, start_s=PATIENT, patience_s=PATIENT), CALIBRATION)
    began = REAL_TIME.now_ns()
    camera.connect()
    seen, stamp = [], 0
    with pytest.raises(WorldFailure, match="has ended; connect again"):
        while True:
            frame = camera.next(stamp, PATIENT)
            stamp = frame.stamp_ns
            seen.append(number_of(frame.image))
            assert (frame.image == pattern(seen[-1], *SIZE)[0]).all()
            assert began <= stamp <= REAL_TIME.now_ns()
    assert len(seen) >= 5 and seen == sorted(set(seen))
    camera.close()


def test_nonsensical_faults_end_the_writer_in_one_sentence():
    name = f"test-{uuid4().hex}"
    command = [sys.executable, "-m", "hardware.emulators.realsense", name]
    for line in ('{"frozn": true}', "frozen"):
        told = subprocess.run(command, input=line + "\n", capture_output=True, text=True, cwd=ROOT, timeout=120)
        assert told.returncode == 2 and told.stderr.count("\n") == 1
        assert told.stderr.startswith(f"'{line}' says no faults")
    assert not ring_path(name).exists()


def test_what_is_no_recording_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="There is no recording"):
        RealSense(RealSenseSpec(file=tmp_path / "none.db3"), CALIBRATION).connect()
    (tmp_path / "text.db3").write_text("hello")
    with pytest.raises(UsageError, match="is no RealSense recording"):
        RealSense(RealSenseSpec(file=tmp_path / "text.db3"), CALIBRATION).connect()


def test_the_command_looks_at_a_camera_and_says_what_is_wrong():
    name = f"test-{uuid4().hex}"
    command = [sys.executable, "-m", "hardware.realsense"]
    with TestPictures(name, "--fps", "20"):
        looked = subprocess.run(
            [*command, "--frames", name, "--fps", "20", "--seconds", "1"], capture_output=True, text=True, cwd=ROOT
        )
    assert looked.returncode == 0, looked.stderr
    assert "f 350.8 350.8" in looked.stdout and "pictures of 640x480" in looked.stdout
    missing = subprocess.run([*command, "--serial", "0"], capture_output=True, text=True, cwd=ROOT)
    assert missing.returncode == 2 and missing.stdout == ""
    assert missing.stderr.startswith("There is no RealSense camera with serial number 0;")
    assert missing.stderr.count("\n") == 1
