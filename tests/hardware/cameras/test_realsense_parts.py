"""The parts of the RealSense driver that need no pictures: stamps, lens, settings, sentences."""

from __future__ import annotations

import runpy
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("pyrealsense2", exc_type=ImportError)

import cv2
import pyrealsense2 as rs

from hardware.realsense import resolving, sdk, usb
from hardware.realsense.controls import read_controls, set_controls
from hardware.realsense.lens import AS_OPENCV, TOLERANCE_PX, model_of
from hardware.realsense.sentences import explain
from hardware.realsense.spec import RealSenseSpec
from hardware.realsense.stamps import CaptureTimes
from tests.hardware.cameras.samples import CALIBRATION, HandClock
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import MissingPart, UsageError

MS = 1_000_000
CLOSE = 20 * MS  # the two clocks are read one after the other, on a machine with other work


def frame(milliseconds, domain, **metadata):
    known = {getattr(rs.frame_metadata_value, name): value for name, value in metadata.items()}
    return SimpleNamespace(
        get_timestamp=lambda: milliseconds,
        get_frame_timestamp_domain=lambda: domain,
        supports_frame_metadata=lambda what: what in known,
        get_frame_metadata=lambda what: known[what],
    )


def lens(**changes):
    intrinsics = rs.intrinsics()
    intrinsics.width, intrinsics.height = CALIBRATION.width, CALIBRATION.height
    intrinsics.fx, intrinsics.fy = CALIBRATION.K[0], CALIBRATION.K[4]
    intrinsics.ppx, intrinsics.ppy = CALIBRATION.K[2], CALIBRATION.K[5]
    intrinsics.model, intrinsics.coeffs = rs.distortion.brown_conrady, [0.0] * 5
    for name, value in changes.items():
        setattr(intrinsics, name, value)
    return intrinsics


@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_a_global_stamp_is_the_wall_clocks(scale):
    clock = Clock(scale)
    times = CaptureTimes(clock, latency_s=0.5, recorded=False)
    stamp = times.of(frame(time.time() * 1e3 - 100, rs.timestamp_domain.global_time), clock.now_ns())
    assert abs(clock.now_ns() - stamp - 100 * MS * scale) < CLOSE


def test_a_system_stamp_is_of_arrival_and_set_back_by_the_latency():
    times = CaptureTimes(REAL_TIME, latency_s=0.3, recorded=False)
    stamp = times.of(frame(time.time() * 1e3, rs.timestamp_domain.system_time), REAL_TIME.now_ns())
    assert abs(REAL_TIME.now_ns() - stamp - 300 * MS) < CLOSE


def test_a_hardware_clock_is_related_by_the_frames_that_were_held_up_least():
    clock = HandClock(at=(100_000 * MS,))
    times = CaptureTimes(clock, latency_s=0.02, recorded=False)
    captured = [1000.0 + 33 * k for k in range(10)]
    delays = [9, 7, 5, 30, 5, 80, 6, 5, 40, 9]  # milliseconds on the way
    began = 50_000 * MS
    stamps = [
        times.of(frame(at, rs.timestamp_domain.hardware_clock), began + round((at + late) * MS))
        for at, late in zip(captured, delays, strict=True)
    ]
    # from the third on, 5 ms is the least delay that was seen
    assert np.allclose(stamps[2:], [began + (at + 5 - 20) * MS for at in captured[2:]], atol=1000)


def test_a_recordings_stamps_are_moved_to_today_whatever_their_domain():
    clock = HandClock(at=(5_000 * MS,))
    times = CaptureTimes(clock, latency_s=0.0, recorded=True)
    yesterday = time.time() * 1e3 - 86_400_000
    first = times.of(frame(yesterday, rs.timestamp_domain.global_time), 5_000 * MS)
    second = times.of(frame(yesterday + 33, rs.timestamp_domain.global_time), 5_040 * MS)
    assert first == 5_000 * MS and abs(second - 5_033 * MS) < 1000


def test_a_stamp_is_moved_to_the_middle_of_the_exposure():
    clock = HandClock(at=(0,))
    times = CaptureTimes(clock, latency_s=0.0, recorded=True)
    plain = times.of(frame(1000.0, rs.timestamp_domain.hardware_clock), 10**9)
    metadata = {"frame_timestamp": 500_000, "sensor_timestamp": 488_000}
    moved = times.of(frame(1100.0, rs.timestamp_domain.hardware_clock, **metadata), 2 * 10**9)
    assert moved - plain == 88 * MS
    nonsense = {"frame_timestamp": 500_000, "sensor_timestamp": 700_000}
    left = times.of(frame(1200.0, rs.timestamp_domain.hardware_clock, **nonsense), 2 * 10**9)
    assert left - plain == 200 * MS


def test_the_devices_lens_is_taken_when_it_is_the_calibrations():
    model = model_of(lens(fx=CALIBRATION.K[0] + 2), CALIBRATION, "The camera")
    assert model.K[0, 0] == pytest.approx(CALIBRATION.K[0] + 2, abs=1e-4)
    assert model.base_from_camera.to_list() == list(CALIBRATION.base_from_camera)


@pytest.mark.parametrize(
    "changes",
    [
        {"fx": 612.0, "fy": 612.0},  # a D435 where the preset was meant
        {"ppx": CALIBRATION.K[2] + 1.5 * TOLERANCE_PX},
        {"coeffs": [0.3, 0.0, 0.0, 0.0, 0.0]},
        {"coeffs": [-0.3, 0.0, 0.0, 0.0, 0.0], "model": rs.distortion.inverse_brown_conrady},
    ],
)
def test_another_lens_is_refused_in_one_sentence(changes):
    with pytest.raises(UsageError, match=r"^The calibration is not of this lens: The camera says f .*; calibrate"):
        model_of(lens(**changes), CALIBRATION, "The camera")


@pytest.mark.parametrize("model", AS_OPENCV)
def test_librealsense_projects_as_opencv_does(model):
    device = lens(fx=612.0, fy=612.0, coeffs=[-0.055, 0.066, 0.001, -0.0005, -0.021], model=model)
    own = model_of(device, None, "The camera")
    rays = np.array([[x, y, 1.0] for x in np.linspace(-0.5, 0.5, 7) for y in np.linspace(-0.35, 0.35, 7)])
    opencv, _ = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), own.K, own.distortion)
    theirs = [rs.rs2_project_point_to_pixel(device, list(ray)) for ray in rays]
    assert np.abs(opencv[:, 0] - theirs).max() < 0.05
    plain, _ = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), own.K, np.zeros(5))
    assert np.abs(plain[:, 0] - theirs).max() > 1


def test_a_lens_that_says_it_has_none_has_no_distortion():
    assert not model_of(lens(coeffs=[0.3] * 5, model=rs.distortion.none), CALIBRATION, "The camera").distortion.any()


def test_a_fisheye_is_refused():
    fish = lens(coeffs=[0.1] * 5, model=rs.distortion.kannala_brandt4)
    with pytest.raises(UsageError, match="which no twin renders"):
        model_of(fish, CALIBRATION, "The camera")


def test_another_size_than_the_calibrations_is_refused():
    with pytest.raises(UsageError, match="gives 320x240 and its calibration is of 640x480"):
        model_of(lens(width=320, height=240), CALIBRATION, "The camera")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("xioctl(VIDIOC_S_FMT) failed, errno=16 Last Error: Device or resource busy", "is in use by another program"),
        ("open(...) failed. Software device is streaming!", "is in use by another program"),
        ("failed to set power state", "is in use by another program"),
        ("failed to open usb interface: 0, error: RS2_USB_STATUS_ACCESS", "udev rule of docs/cameras.md"),
        ("Cannot open '/dev/video2', errno=13 Last Error: Permission denied", "udev rule of docs/cameras.md"),
        ("Device disconnected. Failed to reconnect: No device connected5000", "was unplugged"),
        ("hwmon command 0x4f failed", "says librealsense: hwmon command 0x4f failed"),
    ],
)
def test_librealsenses_errors_become_one_sentence(text, said):
    sentence = str(explain(RuntimeError(text), "The D435 123"))
    assert sentence.startswith("The D435 123 ") and said in sentence and sentence.endswith(".")


def sensor_with(**ranges):
    device = rs.software_device()
    sensor = device.add_sensor("RGB Camera")
    for name, (low, high, step, value) in ranges.items():
        bounds = rs.option_range()
        bounds.min, bounds.max, bounds.step, bounds.default = low, high, step, value
        sensor.add_option(getattr(rs.option, name), bounds, True)
        sensor.set_option(getattr(rs.option, name), value)
    return device, sensor


@pytest.fixture
def d435():
    return sensor_with(
        enable_auto_exposure=(0, 1, 1, 1),
        enable_auto_white_balance=(0, 1, 1, 1),
        exposure=(1, 10000, 1, 156),
        gain=(0, 128, 1, 64),
        white_balance=(2800, 6500, 10, 4600),
    )


def test_locked_settings_are_set_and_the_rest_is_automatic(d435):
    _, sensor = d435
    set_controls(sensor, RealSenseSpec(exposure=200, gain=32), "The camera")
    assert sensor.get_option(rs.option.enable_auto_exposure) == 0
    assert sensor.get_option(rs.option.enable_auto_white_balance) == 1
    assert read_controls(sensor) == {"exposure": 200, "gain": 32, "white_balance": 4600}
    set_controls(sensor, RealSenseSpec(white_balance=5000), "The camera")
    assert sensor.get_option(rs.option.enable_auto_exposure) == 1
    assert sensor.get_option(rs.option.enable_auto_white_balance) == 0
    assert read_controls(sensor)["white_balance"] == 5000


def test_settings_out_of_range_or_not_there_are_refused(d435):
    with pytest.raises(UsageError, match="takes exposure from 1 to 10000, not 20000"):
        set_controls(d435[1], RealSenseSpec(exposure=20000), "The camera")
    _, bare = sensor_with()
    assert read_controls(bare) == {}
    set_controls(bare, RealSenseSpec(), "The camera")
    with pytest.raises(UsageError, match="has no white balance to set; leave out white_balance"):
        set_controls(bare, RealSenseSpec(white_balance=5000), "The camera")


class Fake:
    """A device of a context's list."""

    def __init__(self, serial, link="3.2"):
        said = {
            rs.camera_info.serial_number: serial,
            rs.camera_info.name: "Intel RealSense D435",
            rs.camera_info.usb_type_descriptor: link,
        }
        self.supports, self.get_info = said.__contains__, said.__getitem__
        self.connected = True

    def is_connected(self):
        return self.connected


@pytest.fixture
def bus(monkeypatch, tmp_path):
    """Plugs cameras in: devices that librealsense lists, and those that the kernel knows."""
    devices: list[Fake] = []
    system, nodes = tmp_path / "devices", tmp_path / "nodes"

    def plug(number, openable, vendor="8086", product="Intel(R) RealSense(TM) Depth Camera 435"):
        folder, node = system / f"2-{number}", nodes / "002" / f"{number:03}"
        folder.mkdir(parents=True)
        node.parent.mkdir(parents=True, exist_ok=True)
        for name, text in {"idVendor": vendor, "product": product, "busnum": "2", "devnum": str(number)}.items():
            (folder / name).write_text(text + "\n")
        if openable:
            node.touch()

    monkeypatch.setattr(resolving.rs, "context", lambda: SimpleNamespace(query_devices=lambda: devices))
    monkeypatch.setattr(resolving.usb, "plugged_in", lambda: _plugged(system, nodes))
    return SimpleNamespace(devices=devices, plug=plug)


_plugged = usb.plugged_in


@pytest.mark.parametrize(
    ("serials", "wanted", "said"),
    [
        ([], None, "There is no RealSense camera; none is plugged in."),
        ([], "1", "There is no RealSense camera with serial number 1; none is plugged in."),
        (["2", "3"], "1", "There is no RealSense camera with serial number 1; there is 2, 3."),
        (["2", "3"], None, "There are 2 RealSense cameras, 2, 3; say which by its serial number."),
    ],
)
def test_a_camera_that_is_not_there(bus, serials, wanted, said):
    bus.devices += [Fake(serial) for serial in serials]
    with pytest.raises(UsageError) as refused:
        resolving.resolve_device(RealSenseSpec(serial=wanted), REAL_TIME)
    assert str(refused.value) == said


def test_a_camera_that_may_not_be_opened(bus):
    bus.plug(3, openable=False)
    bus.plug(4, openable=False, vendor="046d", product="Some RealSense lookalike")
    with pytest.raises(
        UsageError, match=r"Camera 435 is plugged in, but .*/002/003 may not be opened; install the udev"
    ):
        resolving.resolve_device(RealSenseSpec(), REAL_TIME)


def test_the_camera_with_the_serial_number_is_taken_and_its_unplugging_noticed(bus):
    bus.devices += [Fake("2"), Fake("3")]
    source = resolving.resolve_device(RealSenseSpec(serial="3"), REAL_TIME)
    assert source.device is bus.devices[1] and source.gone() is None and not source.recorded
    bus.devices[1].connected = False
    assert source.gone() == "Intel RealSense D435 3 was unplugged; plug it in and connect again."


def test_a_slow_link_is_refused(bus):
    bus.devices.append(Fake("2", link="2.1"))
    with pytest.raises(UsageError, match=r"is on a USB 2\.1 link, too slow for it; use a USB 3 port and cable"):
        resolving.resolve_device(RealSenseSpec(), REAL_TIME)


def test_a_missing_sdk_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrealsense2", None)
    with pytest.raises(MissingPart, match=r"need pyrealsense2 .* install it with .*libusb-1\.0-0"):
        runpy.run_path(sdk.__file__)


@pytest.mark.parametrize(
    "wrong",
    [{"serial": "1", "frames": "x"}, {"fps": 0}, {"gain": 3.0}, {"patience_s": 0}, {"start_s": float("nan")}],
)
def test_a_nonsensical_spec_is_refused(wrong):
    with pytest.raises(UsageError):
        replace(RealSenseSpec(), **wrong)
