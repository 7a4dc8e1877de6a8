"""When a frame was captured, on our clock.

librealsense stamps a frame in one of three domains (rs2_timestamp_domain):

- global: the camera's clock, which librealsense relates to the wall clock all the time; the default of the D400s.
  Mapped through the wall clock.
- system: the wall clock when the frame reached this computer, without a camera's clock. Mapped likewise, then set back
  by the calibration's latency.
- hardware: the camera's own clock, with an unknown start. So are the stamps of a recording, whatever they were. The
  smallest difference between arrival and stamp over the last frames, where a frame was held up least, relates it to
  ours; then set back by the latency.

Where the frame says so, the stamp is moved from the start of its readout to the middle of its exposure.
"""

from __future__ import annotations

from collections import deque

from hardware.realsense.sdk import rs
from hardware.wall_time import from_wall
from touchstone.clock import Clock

WINDOW = 300  # frames that relate the clocks, 10 s at 30 Hz; crystals drift by some 0.1 ms in that time
LONGEST_READOUT_US = 100_000  # a larger difference between the metadata is none


class CaptureTimes:
    """latency_s: from exposure to arrival. recorded: the frames come from a file."""

    def __init__(self, clock: Clock, latency_s: float, recorded: bool) -> None:
        self._clock, self._latency_ns, self._recorded = clock, int(latency_s * 1e9), recorded
        self._offsets: deque[int] = deque(maxlen=WINDOW)

    def of(self, frame: rs.frame, arrived_ns: int) -> int:
        """Nanoseconds of our clock when `frame`, which came at `arrived_ns`, was captured."""
        milliseconds = frame.get_timestamp() - _since_exposure_ms(frame)
        domain = frame.get_frame_timestamp_domain()
        if self._recorded or domain == rs.timestamp_domain.hardware_clock:
            theirs = int(milliseconds * 1e6 * self._clock.scale)
            self._offsets.append(arrived_ns - theirs)
            return theirs + min(self._offsets) - self._latency_ns
        stamp = from_wall(milliseconds, self._clock)
        return stamp if domain == rs.timestamp_domain.global_time else stamp - self._latency_ns


def _since_exposure_ms(frame: rs.frame) -> float:
    """Milliseconds from the middle of the exposure to the frame's stamp; 0 where the frame does not say."""
    stamp, middle = rs.frame_metadata_value.frame_timestamp, rs.frame_metadata_value.sensor_timestamp
    if not (frame.supports_frame_metadata(stamp) and frame.supports_frame_metadata(middle)):
        return 0.0
    microseconds = frame.get_frame_metadata(stamp) - frame.get_frame_metadata(middle)
    return microseconds / 1e3 if 0 <= microseconds <= LONGEST_READOUT_US else 0.0
