"""A plain USB camera as a `Camera` (hardware/camera.py)."""

from __future__ import annotations

import threading

from hardware.camera import CameraHealth
from hardware.frames import Pictures
from hardware.uvc.capture import Capture
from hardware.uvc.spec import UVCSpec
from touchstone.calibration import CameraCalibration
from touchstone.cameras import CameraModel
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError, WorldFailure
from touchstone.world import CameraFrame

RETRY_S = 0.05


class UVC:
    """Colour only. calibration: lens and pose; nothing else knows them. clock: of all stamps."""

    def __init__(self, spec: UVCSpec, calibration: CameraCalibration, clock: Clock = REAL_TIME) -> None:
        self._spec, self._calibration, self._clock = spec, calibration, clock
        self._running: _Running | None = None

    def connect(self) -> None:
        """As `Camera.connect`."""
        if self._running is not None:
            raise UsageError(f"The camera {self._spec.path} is connected already; close it first.")
        size = (self._spec.width, self._spec.height)
        if size != (self._calibration.width, self._calibration.height):
            raise UsageError(
                f"The calibration of {self._spec.path} is of {self._calibration.width}x{self._calibration.height} and "
                f"the camera gives {size[0]}x{size[1]}; ask for that size or calibrate this one."
            )
        self._running = _Running(Capture(self._spec, self._clock), self._spec, self._calibration, self._clock)

    @property
    def model(self) -> CameraModel:
        return self._connected().model

    def frame(self) -> CameraFrame:
        return self._connected().pictures.frame()

    def next(self, after_ns: int, timeout_s: float) -> CameraFrame:
        return self._connected().pictures.next(after_ns, timeout_s)

    def health(self) -> CameraHealth:
        """As `Camera.health`; drops are guessed from gaps between stamps, since V4L2's numbers do not come through."""
        return self._connected().pictures.health()

    def about(self) -> dict[str, str]:
        """Name and settings, in words."""
        return self._connected().about

    def close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def _connected(self) -> _Running:
        # one look: another thread may close meanwhile
        running = self._running
        if running is None:
            raise UsageError("The camera is not connected; call connect first.")
        return running


class _Running:
    """An open camera and the thread that empties it. Raises UsageError when no first picture comes."""

    def __init__(self, capture: Capture, spec: UVCSpec, calibration: CameraCalibration, clock: Clock) -> None:
        self._capture, self._clock = capture, clock
        self._latency_ns, self._period_ns = int(calibration.latency_s * 1e9), 1e9 / spec.fps
        self.model = calibration.model()
        self.pictures = Pictures(capture.name, spec.patience_s, clock)
        settings = [f"{control.replace('_', ' ')} {value:g}" for control, value in capture.settings().items()]
        self.about = {"camera": capture.name, "settings": ", ".join(settings) or "none"}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uvc", daemon=True)
        self._thread.start()
        try:
            self.pictures.next(0, spec.start_s)
        except BaseException as error:
            self.close()
            if isinstance(error, WorldFailure):
                raise UsageError(str(error)) from error
            raise

    def close(self) -> None:
        self.pictures.fail(f"{self._capture.name} was closed.")
        self._stopping.set()
        self._thread.join()
        self._capture.close()

    def _run(self) -> None:
        last: int | None = None
        while not self._stopping.is_set():
            picture = self._capture.read()
            if picture is None:
                if reason := self._capture.gone():
                    self.pictures.fail(reason)
                    return
                self._stopping.wait(RETRY_S)
                continue
            image, stamp, measured = picture
            # only arrival is known then
            stamp -= 0 if measured else self._latency_ns
            lost = 0 if last is None else max(0, round((stamp - last) / self._period_ns) - 1)
            last = stamp
            self.pictures.put(image, stamp, self.model, lost=lost)
