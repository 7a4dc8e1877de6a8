"""A running pipeline and the thread that empties it."""

from __future__ import annotations

import contextlib
import threading

import numpy as np

from hardware.frames import Pictures
from hardware.realsense.controls import read_controls, set_controls
from hardware.realsense.lens import describe, model_of
from hardware.realsense.resolving import Source, info
from hardware.realsense.sdk import rs
from hardware.realsense.sentences import explain
from hardware.realsense.spec import RealSenseSpec
from hardware.realsense.stamps import CaptureTimes
from touchstone.calibration import CameraCalibration
from touchstone.clock import Clock
from touchstone.errors import UsageError, WorldFailure

QUEUE = 2  # frames that wait for the thread; an older one is dropped, and counted
WAIT_MS = 100  # real; how often the thread looks whether the camera is gone
SAME_PLACE_M = 1e-6  # closer than that, two of the device's sensors are one


class Stream:
    """Starts the camera and waits for its first picture. Raises UsageError, with the camera stopped but not let go."""

    def __init__(
        self, source: Source, spec: RealSenseSpec, calibration: CameraCalibration | None, clock: Clock
    ) -> None:
        self.name, self._source, self._clock = source.name, source, clock
        self.pictures = Pictures(source.name, spec.patience_s, clock)
        self._times = CaptureTimes(clock, calibration.latency_s if calibration else 0.0, source.recorded)
        self._pipeline, self._queue = rs.pipeline(), rs.frame_queue(QUEUE)
        self._half_period_ms = 500.0 / spec.fps
        self._last_number: int | None = None
        sensor = _colour_sensor(source)
        try:
            # before the start: through libusb, settings of a camera that streams have been reported to fail
            if not spec.read_only:
                set_controls(sensor, spec, self.name)
            settings = read_controls(sensor)
        except RuntimeError as error:
            raise explain(error, self.name) from error
        profile = self._start(spec)
        try:
            colour = profile.get_stream(rs.stream.color).as_video_stream_profile()
            self.model = model_of(colour.get_intrinsics(), calibration, self.name)
            self._align = rs.align(rs.stream.color) if spec.depth and not _aligned(profile) else None
            self._depth_scale = _depth_scale(profile.get_device()) if spec.depth else None
            self.about = self._describe(source.device, settings)
        except RuntimeError as error:
            self._pipeline.stop()
            raise explain(error, self.name) from error
        except BaseException:
            self._pipeline.stop()
            raise
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="realsense", daemon=True)
        self._thread.start()
        try:
            self.pictures.next(0, spec.start_s)
        except WorldFailure as failure:
            self._finish()
            raise UsageError(str(failure)) from failure
        except BaseException:
            self._finish()
            raise

    def close(self) -> None:
        """Stops the camera and lets go of it; whoever waits for a picture is told."""
        self.pictures.fail(f"{self.name} was closed.")
        self._finish()
        self._source.close()

    def _start(self, spec: RealSenseSpec) -> rs.pipeline_profile:
        config = rs.config()
        config.enable_stream(rs.stream.color, -1, spec.width, spec.height, rs.format.rgb8, spec.fps)
        if spec.depth:
            config.enable_stream(rs.stream.depth, -1, spec.width, spec.height, rs.format.z16, spec.fps)
        self._pipeline.set_device(self._source.device)
        try:
            if not config.can_resolve(self._pipeline):
                raise UsageError(_no_mode(self._source.device, spec, self.name))
            return self._pipeline.start(config, self._queue)
        except RuntimeError as error:
            raise explain(error, self.name) from error

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                arrived, frame = self._queue.try_wait_for_frame(WAIT_MS)
                if arrived:
                    self._take(frame.as_frameset(), self._clock.now_ns())
                elif reason := self._source.gone():
                    self.pictures.fail(reason)
                    return
        except RuntimeError as error:
            self.pictures.fail(str(explain(error, self.name)))

    def _take(self, frames: rs.composite_frame, arrived_ns: int) -> None:
        colour = frames.get_color_frame()
        if not colour or colour.get_frame_number() == self._last_number:
            return
        number, last = colour.get_frame_number(), self._last_number
        self._last_number = number
        depth = self._depth_of(frames, colour)
        self.pictures.put(
            np.array(colour.get_data()),
            self._times.of(colour, arrived_ns),
            self.model,
            depth,
            self._depth_scale,
            # a recording that starts again, or a camera that does, counts from the beginning
            lost=max(0, number - last - 1) if last is not None else 0,
        )

    def _depth_of(self, frames: rs.composite_frame, colour: rs.video_frame) -> np.ndarray | None:
        """Depth of the same moment, None when there is none."""
        if self._depth_scale is None:
            return None
        raw = frames.get_depth_frame()
        if not raw or abs(raw.get_timestamp() - colour.get_timestamp()) > self._half_period_ms:
            return None
        aligned = raw if self._align is None else self._align.process(frames).get_depth_frame()
        return np.array(aligned.get_data()) if aligned else None

    def _finish(self) -> None:
        self._stopping.set()
        self._thread.join()
        # a camera that was unplugged cannot be stopped
        with contextlib.suppress(RuntimeError):
            self._pipeline.stop()

    def _describe(self, device: rs.device, settings: dict[str, float]) -> dict[str, str]:
        said = [f"{control.replace('_', ' ')} {value:g}" for control, value in settings.items()]
        return {
            "camera": self.name,
            "firmware": info(device, rs.camera_info.firmware_version),
            "USB": info(device, rs.camera_info.usb_type_descriptor),
            "lens": describe(self.model),
            "depth": f"{self._depth_scale:g} m a step" if self._depth_scale else "none",
            "settings": ", ".join(said) or "none",
        }


def _colour_sensor(source: Source) -> rs.sensor:
    """The sensor with the colour stream; on some models that is the depth sensor."""
    for sensor in source.device.query_sensors():
        if any(profile.stream_type() == rs.stream.color for profile in sensor.get_stream_profiles()):
            return sensor
    raise UsageError(f"{source.name} has no colour sensor; use another camera.")


def _depth_scale(device: rs.device) -> float:
    """Metres in a step, without the digits that librealsense's float32 adds."""
    return float(f"{device.first_depth_sensor().get_depth_scale():.6g}")


def _aligned(profile: rs.pipeline_profile) -> bool:
    """Whether depth comes through the colour's own lens; aligning would only spoil it by rounding."""
    colour, depth = (profile.get_stream(kind).as_video_stream_profile() for kind in (rs.stream.color, rs.stream.depth))
    one, other = colour.get_intrinsics(), depth.get_intrinsics()
    lenses = [(lens.fx, lens.fy, lens.ppx, lens.ppy, lens.model, *lens.coeffs) for lens in (one, other)]
    between = depth.get_extrinsics_to(colour)
    return (
        lenses[0] == lenses[1]
        and np.allclose(np.reshape(between.rotation, (3, 3)), np.eye(3), atol=1e-6)
        and np.allclose(between.translation, 0, atol=SAME_PLACE_M)
    )


def _no_mode(device: rs.device, spec: RealSenseSpec, name: str) -> str:
    wanted = f"{spec.width}x{spec.height} at {spec.fps} Hz"
    modes: dict[rs.stream, set[tuple[int, int, int]]] = {rs.stream.color: set(), rs.stream.depth: set()}
    for sensor in device.query_sensors():
        for profile in sensor.get_stream_profiles():
            form = {rs.stream.color: rs.format.rgb8, rs.stream.depth: rs.format.z16}.get(profile.stream_type())
            if profile.format() == form:
                video = profile.as_video_stream_profile()
                modes[profile.stream_type()].add((video.width(), video.height(), profile.fps()))
    usable = modes[rs.stream.color] & modes[rs.stream.depth] if spec.depth else modes[rs.stream.color]
    what = "colour and depth" if spec.depth else "colour"
    if not usable:
        without = "; do without depth" if modes[rs.stream.color] else ""
        return f"{name} gives no {what} of one size and rate{without}."
    listed = ", ".join(f"{width}x{height} at {fps} Hz" for width, height, fps in sorted(usable))
    return f"{name} gives no {what} of {wanted}; choose one of: {listed}."
