"""A RealSense camera as a `Camera` (hardware/camera.py)."""

from __future__ import annotations

from hardware.camera import CameraHealth
from hardware.realsense.resolving import resolve_device
from hardware.realsense.spec import RealSenseSpec
from hardware.realsense.stream import Stream
from touchstone.calibration import CameraCalibration
from touchstone.cameras import CameraModel
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError
from touchstone.world import CameraFrame


class RealSense:
    """Colour and depth aligned to it. clock: of all stamps.

    calibration: pose, and a lens that must be the device's. None is for a look at an uncalibrated camera: its model
    then has the device's lens and stands, wrongly, in the arm's base.
    """

    def __init__(self, spec: RealSenseSpec, calibration: CameraCalibration | None, clock: Clock = REAL_TIME) -> None:
        self._spec, self._calibration, self._clock = spec, calibration, clock
        self._stream: Stream | None = None

    def connect(self) -> None:
        """As `Camera.connect`."""
        if self._stream is not None:
            raise UsageError(f"{self._stream.name} is connected already; close it first.")
        source = resolve_device(self._spec, self._clock)
        try:
            self._stream = Stream(source, self._spec, self._calibration, self._clock)
        except BaseException:
            source.close()
            raise

    @property
    def model(self) -> CameraModel:
        return self._connected().model

    def frame(self) -> CameraFrame:
        return self._connected().pictures.frame()

    def next(self, after_ns: int, timeout_s: float) -> CameraFrame:
        return self._connected().pictures.next(after_ns, timeout_s)

    def health(self) -> CameraHealth:
        return self._connected().pictures.health()

    def about(self) -> dict[str, str]:
        """Name, firmware, link, lens and settings, in words."""
        return self._connected().about

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _connected(self) -> Stream:
        # one look: another thread may close meanwhile
        stream = self._stream
        if stream is None:
            raise UsageError("The camera is not connected; call connect first.")
        return stream
