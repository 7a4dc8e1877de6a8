"""How to reach one plain USB camera and what to ask of it: its connection spec."""

from __future__ import annotations

import math
from dataclasses import dataclass

from touchstone.errors import UsageError


@dataclass(frozen=True)
class UVCSpec:
    """device: `/dev/video0`, its number, or a video file, which is played once at its own rate.

    width, height [px], fps, fourcc: the mode; at 640x480 and more, USB 2 has room for 30 Hz in MJPG only. exposure
    [100 us], white_balance [K], focus: locked to the driver's values; None leaves them to the camera. start_s: longest
    wait for the first picture; patience_s: longest time without a new one before the camera counts as gone.
    read_only: no setting but the mode is written to the camera.
    """

    device: str | int = 0
    width: int = 640
    height: int = 480
    fps: float = 30.0
    fourcc: str = "MJPG"
    exposure: float | None = None
    white_balance: float | None = None
    focus: float | None = None
    start_s: float = 10.0
    patience_s: float = 1.0
    read_only: bool = False

    @property
    def path(self) -> str:
        """The device's file."""
        return f"/dev/video{self.device}" if str(self.device).isdecimal() else str(self.device)

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1 or not (math.isfinite(self.fps) and self.fps > 0):
            raise UsageError(f"The camera mode is {self.width}x{self.height} at {self.fps} Hz; give positive numbers.")
        if len(self.fourcc) != 4 or not self.fourcc.isascii():
            raise UsageError(f"'{self.fourcc}' is no pixel format; give four letters, MJPG or YUYV.")
        if not all(math.isfinite(value) and value > 0 for value in (self.start_s, self.patience_s)):
            raise UsageError("The camera's start_s and patience_s are times to wait; give seconds over 0.")
