"""The RealSense driver through librealsense: a writer's process, shared memory, a software device, a pipeline."""

from __future__ import annotations

import re
import threading
from uuid import uuid4

import numpy as np
import pytest

pytest.importorskip("pyrealsense2", exc_type=ImportError)


from hardware.emulators.realsense.control import TestPictures
from hardware.emulators.realsense.pattern import pattern
from hardware.realsense.driver import RealSense
from hardware.realsense.spec import RealSenseSpec
from tests.hardware.cameras.samples import CALIBRATION, until
from tests.hardware.cameras.writing import PATIENT, SIZE, K, Writer, number_of
from touchstone.clock import REAL_TIME, Clock
from touchstone.data.frame_ring import FrameWriter, ring_path
from touchstone.errors import UsageError, WorldFailure


@pytest.fixture
def name():
    name = f"test-{uuid4().hex}"
    yield name
    assert not ring_path(name).exists()


@pytest.fixture
def shown(name):
    """A process that writes test pictures, and a camera that sees them."""
    with TestPictures(name, "--fps", "20") as pictures:
        camera = RealSense(RealSenseSpec(frames=name, fps=20, start_s=PATIENT, patience_s=PATIENT), CALIBRATION)
        camera.connect()
        yield pictures, camera
        camera.close()


def expect_failure(camera: RealSense, match: str) -> None:
    said = []

    def failed() -> bool:
        try:
            camera.frame()
        except WorldFailure as failure:
            said.append(str(failure))
            return True
        return False

    assert until(failed)
    assert match in said[-1]
    with pytest.raises(WorldFailure, match=re.escape(said[-1])):
        camera.next(REAL_TIME.now_ns(), PATIENT)


def test_pictures_come_through_pixel_for_pixel(shown):
    _, camera = shown
    stamp, numbers = 0, []
    for _ in range(15):
        frame = camera.next(stamp, PATIENT)
        stamp = frame.stamp_ns
        numbers.append(number_of(frame.image))
        colour, depth = pattern(numbers[-1], *SIZE)
        assert (frame.image == colour).all() and frame.image.dtype == np.uint8
        assert frame.depth is not None and (frame.depth == depth).all() and frame.depth.dtype == np.uint16
        assert frame.depth_scale == 0.001 and frame.clock == "monotonic" and not frame.stale
    assert numbers == sorted(set(numbers))
    assert np.allclose(camera.model.K, K, atol=1e-3) and camera.model.width == 640
    assert camera.model.base_from_camera.to_list() == list(CALIBRATION.base_from_camera)
    assert camera.health().frames >= 15 and camera.health().rate_hz > 0


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_stamps_are_those_of_the_capture_on_the_emulated_clock(name, scale):
    clock, fps = Clock(scale), 10
    with Writer(name, fps, clock) as writer:
        camera = RealSense(RealSenseSpec(frames=name, fps=fps, start_s=PATIENT, patience_s=PATIENT), CALIBRATION, clock)
        camera.connect()
        stamp, stamps = 0, []
        for _ in range(8):
            frame = camera.next(stamp, PATIENT)
            stamps.append(stamp := frame.stamp_ns)
            assert abs(stamp - writer.stamps[number_of(frame.image)]) < 1e9 / fps / 2
            assert stamp <= clock.now_ns()
        assert stamps == sorted(set(stamps))
        camera.close()


def test_a_frozen_camera_is_stale_until_it_moves_again(shown):
    pictures, camera = shown
    pictures.fault(frozen=True)
    assert until(lambda: camera.frame().stale and camera.health().frozen >= 3)
    one = camera.frame()
    other = camera.next(one.stamp_ns, PATIENT)
    assert (one.image == other.image).all() and other.stamp_ns > one.stamp_ns
    pictures.fault()
    assert until(lambda: not camera.frame().stale and camera.health().frozen == 0)


def test_a_covered_lens_is_black_and_not_frozen(shown):
    pictures, camera = shown
    pictures.fault(black=True)
    assert until(lambda: camera.health().black >= 4)
    frame = camera.frame()
    assert frame.image.max() <= 1 and frame.depth.max() == 0 and not frame.stale
    pictures.fault()
    assert until(lambda: camera.health().black == 0 and camera.frame().image.max() > 100)


def test_lost_pictures_are_counted(shown):
    pictures, camera = shown
    before = camera.health()
    pictures.fault(drop=7)
    assert until(lambda: camera.health().dropped >= before.dropped + 7)
    last = camera.frame().stamp_ns
    assert number_of(camera.next(last, PATIENT).image)


def test_late_pictures_keep_their_stamps(name):
    with Writer(name, 10) as writer:
        camera = RealSense(RealSenseSpec(frames=name, fps=10, start_s=PATIENT, patience_s=PATIENT), CALIBRATION)
        camera.connect()
        writer.ring.fault(delay_s=0.6)
        after = REAL_TIME.now_ns()
        frame = camera.next(after, PATIENT)
        assert REAL_TIME.now_ns() - frame.stamp_ns > 550_000_000
        assert abs(frame.stamp_ns - writer.stamps[number_of(frame.image)]) < 50_000_000
        camera.close()


def test_far_below_its_nominal_rate_colour_still_comes_with_its_depth(name):
    with FrameWriter(name, SIZE, K, 30, depth_scale=0.001) as ring:
        stop = threading.Event()

        def write():
            number = 0
            while not stop.wait(0.6):
                number += 1
                ring.write(*_with_stamp(number))

        thread = threading.Thread(target=write)
        thread.start()
        camera = RealSense(RealSenseSpec(frames=name, start_s=PATIENT, patience_s=PATIENT), CALIBRATION)
        camera.connect()
        stamp = 0
        for _ in range(4):
            frame = camera.next(stamp, PATIENT)
            stamp = frame.stamp_ns
            colour, depth = pattern(number_of(frame.image), *SIZE)
            assert (frame.image == colour).all() and (frame.depth == depth).all()
        camera.close()
        stop.set()
        thread.join()


def test_a_still_scene_is_not_a_frozen_camera(name):
    with Writer(name, 20, still=True):
        camera = RealSense(RealSenseSpec(frames=name, fps=20, start_s=PATIENT, patience_s=PATIENT), CALIBRATION)
        camera.connect()
        stamp, still = 0, pattern(0, *SIZE)[0].astype(int)
        for _ in range(6):
            frame = camera.next(stamp, PATIENT)
            stamp = frame.stamp_ns
            assert not frame.stale
            assert np.abs(frame.image - still).sum() <= 1  # the noise of one pixel, one grey level
        camera.close()


def test_an_unplugged_camera_says_so_and_comes_back_when_connected_again(shown):
    pictures, camera = shown
    pictures.fault(unplugged=True)
    expect_failure(camera, "was unplugged; plug it in and connect again")
    camera.close()
    pictures.fault()
    camera.connect()
    assert number_of(camera.frame().image)


def test_a_killed_renderer_is_one_sentence(name):
    with TestPictures(name, "--fps", "20") as pictures:
        camera = RealSense(RealSenseSpec(frames=name, fps=20, start_s=PATIENT, patience_s=PATIENT), CALIBRATION)
        camera.connect()
        pictures.process.kill()
        expect_failure(camera, f"The process that renders the frames '{name}' has ended; start it again.")
        camera.close()


def test_a_silent_camera_is_gone_after_its_patience(name):
    with TestPictures(name, "--fps", "20") as pictures:
        camera = RealSense(RealSenseSpec(frames=name, fps=20, start_s=PATIENT, patience_s=0.5), CALIBRATION)
        camera.connect()
        pictures.fault(drop=10**6)
        said = []

        def silent() -> bool:
            try:
                camera.frame()
            except WorldFailure as failure:
                said.append(str(failure))
            return bool(said)

        assert until(silent) and "has given no picture for" in said[0]
        camera.close()


def test_colour_alone(name):
    with Writer(name, 20, depth_scale=None):
        with pytest.raises(UsageError, match="gives no colour and depth of one size and rate; do without depth"):
            RealSense(RealSenseSpec(frames=name, fps=20), CALIBRATION).connect()
        camera = RealSense(RealSenseSpec(frames=name, fps=20, depth=False, start_s=PATIENT), CALIBRATION)
        camera.connect()
        frame = camera.next(0, PATIENT)
        assert frame.depth is None and frame.depth_scale is None
        assert (frame.image == pattern(number_of(frame.image), *SIZE)[0]).all()
        camera.close()


@pytest.mark.parametrize(
    ("spec", "calibration", "said"),
    [
        ({"fps": 30}, {}, "gives no colour and depth of 640x480 at 30 Hz; choose one of: 640x480 at 20 Hz"),
        ({"exposure": 100.0}, {}, "has no exposure to set; leave out exposure"),
        ({}, {"K": (612.0, 0.0, 319.5, 0.0, 612.0, 239.5, 0.0, 0.0, 1.0)}, "The calibration is not of this lens"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_camera_let_go(name, spec, calibration, said):
    with Writer(name, 20):
        chosen = {"frames": name, "fps": 20, "start_s": PATIENT, **spec}
        camera = RealSense(RealSenseSpec(**chosen), CALIBRATION.model_copy(update=calibration))
        with pytest.raises(UsageError, match=said):
            camera.connect()
        with pytest.raises(UsageError, match="not connected"):
            camera.frame()
        camera.close()
        assert not [thread for thread in threading.enumerate() if thread.name in ("realsense", "emulated-camera")]


def test_another_time_scale_is_refused(name):
    with Writer(name, 20), pytest.raises(UsageError, match=r"lives at 1 of real time and this process at 0\.5"):
        RealSense(RealSenseSpec(frames=name, fps=20), CALIBRATION, Clock(0.5)).connect()


def test_no_renderer_is_one_sentence(name):
    with pytest.raises(UsageError, match="start the process that renders them"):
        RealSense(RealSenseSpec(frames=name, start_s=0.1), CALIBRATION).connect()


def test_a_renderer_that_never_renders_is_one_sentence(name):
    with FrameWriter(name, SIZE, K, 20, depth_scale=0.001):
        camera = RealSense(RealSenseSpec(frames=name, fps=20, start_s=0.3), CALIBRATION)
        with pytest.raises(UsageError, match=r"gave no new picture within 0\.3 s"):
            camera.connect()


def test_connecting_twice_is_refused_and_closing_twice_is_not(shown):
    _, camera = shown
    with pytest.raises(UsageError, match="is connected already"):
        camera.connect()
    camera.close()
    camera.close()


def test_closing_wakes_whoever_waits(name):
    with FrameWriter(name, SIZE, K, 20, depth_scale=0.001) as ring:
        started = threading.Timer(0.2, lambda: ring.write(*_with_stamp(1)))
        started.start()
        camera = RealSense(RealSenseSpec(frames=name, fps=20, start_s=PATIENT), CALIBRATION)
        camera.connect()
        said = []

        def wait():
            try:
                camera.next(REAL_TIME.now_ns(), 3600)
            except WorldFailure as failure:
                said.append(str(failure))

        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: False, 0.1)
        camera.close()
        waiting.join(PATIENT)
        assert said and "was closed" in said[0]


def _with_stamp(number):
    colour, depth = pattern(number, *SIZE)
    return colour, REAL_TIME.now_ns(), depth
