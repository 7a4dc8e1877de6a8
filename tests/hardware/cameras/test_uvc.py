"""The UVC driver on a video file, and on a stand-in for OpenCV's V4L2: no camera is here."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from hardware.uvc import capture as capturing
from hardware.uvc.capture import AUTOMATIC_EXPOSURE, MANUAL_EXPOSURE, Capture
from hardware.uvc.driver import UVC
from hardware.uvc.spec import UVCSpec
from tests.hardware.cameras.samples import CALIBRATION, until
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError, WorldFailure

ROOT = Path(__file__).parents[3]
PATIENT = 30.0
FRAMES = 12
FPS = 20.0


def grey(number: int) -> int:
    return 20 + 15 * number


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """12 pictures, each a shade of red that tells its number."""
    path = tmp_path_factory.mktemp("uvc") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (640, 480))
    for number in range(FRAMES):
        picture = np.zeros((480, 640, 3), np.uint8)
        picture[..., 2] = grey(number)
        writer.write(picture)
    writer.release()
    return path


def spec(path, **more) -> UVCSpec:
    return UVCSpec(str(path), fps=FPS, start_s=PATIENT, **{"patience_s": PATIENT, **more})


def test_a_film_is_read_as_a_camera_would_be(film):
    camera = UVC(spec(film), CALIBRATION)
    camera.connect()
    assert (camera.model.K == CALIBRATION.model().K).all()
    stamp, reds, stamps = 0, [], []
    with pytest.raises(WorldFailure, match="has ended; connect again"):
        while True:
            frame = camera.next(stamp, PATIENT)
            stamp = frame.stamp_ns
            stamps.append(stamp)
            reds.append(frame.image[..., 0].mean())
            assert frame.image[..., 2].max() < 20  # red, not blue: RGB
            assert frame.depth is None and frame.clock == "monotonic" and not frame.stale
    numbers = [round((red - grey(0)) / 15) for red in reds]
    assert numbers == sorted(set(numbers)) and numbers[-1] == FRAMES - 1
    assert stamps == sorted(set(stamps))
    assert camera.health().frames == FRAMES
    camera.close()
    camera.close()


def test_a_film_plays_at_its_own_rate_on_a_slow_clock(film):
    clock = Clock(0.5)
    camera = UVC(spec(film), CALIBRATION, clock)
    began, began_ns = time.monotonic(), clock.now_ns()
    camera.connect()
    camera.next(began_ns + round(6e9 / FPS), PATIENT)
    assert time.monotonic() - began >= 6 / FPS / 0.5
    camera.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fps": 30.0}, "gives 640x480 at 20 Hz in MJPG instead of 640x480 at 30 Hz in MJPG"),
        ({"fourcc": "YUYV"}, "instead of 640x480 at 20 Hz in YUYV"),
        ({"exposure": 100.0}, "does not let its exposure be set to 100; leave out exposure"),
    ],
)
def test_what_a_film_does_not_give_is_refused(film, changes, said):
    camera = UVC(UVCSpec(str(film), **{"fps": FPS, **changes}), CALIBRATION)
    with pytest.raises(UsageError, match=said):
        camera.connect()


def test_another_size_than_the_calibrations_is_refused(film):
    with pytest.raises(UsageError, match="is of 640x480 and the camera gives 320x240"):
        UVC(spec(film, width=320, height=240), CALIBRATION).connect()


def test_nothing_there_and_nothing_to_see(tmp_path):
    with pytest.raises(UsageError, match="There is no camera /dev/video99; there is"):
        UVC(UVCSpec(99), CALIBRATION).connect()
    text = tmp_path / "text.avi"
    text.write_text("hello")
    with pytest.raises(UsageError, match="cannot be opened: it is no video"):
        UVC(UVCSpec(str(text)), CALIBRATION).connect()


@pytest.mark.parametrize("wrong", [{"width": 0}, {"fps": float("inf")}, {"fourcc": "MJPEG"}, {"patience_s": -1}])
def test_a_nonsensical_spec_is_refused(wrong):
    with pytest.raises(UsageError):
        UVCSpec(**wrong)


class Driver:
    """Answers as OpenCV's V4L2 backend does. fixed: properties that keep their value; missing: those it has not."""

    def __init__(self, fixed=(), missing=(), opened=True):
        self.fixed, self.missing, self.opened = dict(fixed), set(missing), opened
        self.values = {cv2.CAP_PROP_POS_MSEC: 0.0}
        self.grabs, self.age_s = True, 0.01
        self.released = False

    def __call__(self, path, backend):
        self.path, self.backend = path, backend
        return self

    def isOpened(self):
        return self.opened

    def set(self, what, value):
        if what in self.missing:
            return False
        self.values[what] = float(self.fixed.get(what, value))
        return True

    def get(self, what):
        return -1.0 if what in self.missing else self.values.get(what, 0.0)

    def grab(self):
        time.sleep(0.01)
        self.values[cv2.CAP_PROP_POS_MSEC] = (time.monotonic() - self.age_s) * 1e3 if self.age_s is not None else 0.0
        return self.grabs

    def retrieve(self):
        return True, np.random.default_rng().integers(0, 256, (480, 640, 3), np.uint8)

    def release(self):
        self.released = True


@pytest.fixture
def plugged(monkeypatch, tmp_path):
    """Puts a driver behind a device node."""

    def plug(driver):
        node = tmp_path / "video0"
        node.touch()
        monkeypatch.setattr(capturing.cv2, "VideoCapture", driver)
        monkeypatch.setattr(capturing, "_is_recording", lambda path: False)
        return node

    return plug


def test_a_driver_that_sets_another_mode_is_refused_and_let_go(plugged):
    driver = Driver(fixed={cv2.CAP_PROP_FRAME_WIDTH: 1280, cv2.CAP_PROP_FRAME_HEIGHT: 720})
    node = plugged(driver)
    with pytest.raises(UsageError, match=r"gives 1280x720 at 30 Hz in MJPG instead of 640x480 .*v4l2-ctl"):
        Capture(UVCSpec(str(node)), REAL_TIME)
    assert driver.released and driver.backend == cv2.CAP_V4L2


def test_a_camera_that_cannot_be_opened_may_be_in_use(plugged):
    with pytest.raises(UsageError, match="is in use by another program, or is no camera"):
        Capture(UVCSpec(str(plugged(Driver(opened=False)))), REAL_TIME)


def test_settings_are_locked_or_left_to_the_camera(plugged):
    driver = Driver()
    Capture(UVCSpec(str(plugged(driver)), exposure=120, white_balance=4600), REAL_TIME)
    assert driver.values[cv2.CAP_PROP_AUTO_EXPOSURE] == MANUAL_EXPOSURE
    assert driver.values[cv2.CAP_PROP_EXPOSURE] == 120
    assert driver.values[cv2.CAP_PROP_AUTO_WB] == 0 and driver.values[cv2.CAP_PROP_WB_TEMPERATURE] == 4600
    assert driver.values[cv2.CAP_PROP_AUTOFOCUS] == 1 and cv2.CAP_PROP_FOCUS not in driver.values
    Capture(UVCSpec(driver.path), REAL_TIME)
    assert driver.values[cv2.CAP_PROP_AUTO_EXPOSURE] == AUTOMATIC_EXPOSURE
    assert driver.values[cv2.CAP_PROP_AUTO_WB] == 1


def test_a_look_writes_no_setting(plugged):
    driver = Driver()
    Capture(UVCSpec(str(plugged(driver)), exposure=120, read_only=True), REAL_TIME)
    assert not {cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_AUTO_WB} & set(driver.values)


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        (Driver(missing={cv2.CAP_PROP_EXPOSURE}), "does not let its exposure be set to 120; leave out exposure"),
        (Driver(missing={cv2.CAP_PROP_AUTO_EXPOSURE}), "does not let its exposure be set to 120; leave out exposure"),
        (Driver(fixed={cv2.CAP_PROP_EXPOSURE: 156}), "kept exposure at 156 instead of 120; give one it takes"),
    ],
)
def test_a_setting_that_is_not_taken_is_refused(plugged, driver, said):
    with pytest.raises(UsageError, match=said):
        Capture(UVCSpec(str(plugged(driver)), exposure=120), REAL_TIME)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_kernels_stamp_is_taken(plugged, scale):
    driver, clock = Driver(), Clock(scale)
    capture = Capture(UVCSpec(str(plugged(driver))), clock)
    driver.age_s = 0.5
    _, stamp, measured = capture.read()
    assert measured and 0.5 * scale <= (clock.now_ns() - stamp) / 1e9 < 0.5 * scale + PATIENT


@pytest.mark.parametrize("age_s", [None, -5.0, 60.0])
def test_without_a_sensible_kernels_stamp_arrival_less_the_latency_counts(plugged, age_s):
    driver = Driver()
    driver.age_s = age_s
    camera = UVC(UVCSpec(str(plugged(driver)), start_s=PATIENT), CALIBRATION.model_copy(update={"latency_s": 0.25}))
    began = REAL_TIME.now_ns()
    camera.connect()
    assert began - 250_000_000 <= camera.next(0, PATIENT).stamp_ns <= REAL_TIME.now_ns() - 250_000_000
    camera.close()


def test_an_unplugged_camera_says_so_and_a_stalled_one_is_given_time(plugged):
    driver = Driver()
    node = plugged(driver)
    camera = UVC(UVCSpec(str(node), start_s=PATIENT, patience_s=PATIENT), CALIBRATION)
    camera.connect()
    driver.grabs = False
    before = camera.frame().stamp_ns
    driver.grabs = True
    assert camera.next(before, PATIENT).stamp_ns > before
    driver.grabs = False
    node.unlink()
    said = []

    def gone() -> bool:
        try:
            camera.frame()
        except WorldFailure as failure:
            said.append(str(failure))
        return bool(said)

    assert until(gone)
    assert said == [f"The camera {node} was unplugged; plug it in and connect again."]
    camera.close()
    assert driver.released


def test_the_command_looks_and_says_what_is_wrong(film):
    command = [sys.executable, "-m", "hardware.uvc"]
    looked = subprocess.run(
        [*command, str(film), "--fps", "20", "--seconds", "0.2"], capture_output=True, text=True, cwd=ROOT
    )
    assert looked.returncode == 0, looked.stderr
    assert "pictures of 640x480" in looked.stdout
    missing = subprocess.run([*command, "99"], capture_output=True, text=True, cwd=ROOT)
    assert missing.returncode == 2 and missing.stderr.startswith("There is no camera /dev/video99;")
