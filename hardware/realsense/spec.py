"""How to reach one RealSense camera and what to ask of it: its connection spec."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from touchstone.errors import UsageError


@dataclass(frozen=True)
class RealSenseSpec:
    """serial: of the camera on USB, None for the only one there. file: a recording (.bag, .db3) instead. frames: an
    emulated camera instead, fed by the frame ring of this name (touchstone/data/frame_ring.py).

    width, height [px], fps: of colour and, with `depth`, of depth too. exposure, gain, white_balance: of the colour
    sensor, in the camera's own units (white balance in kelvin); None leaves that to the camera. start_s: longest wait
    for the first picture; patience_s: longest time without a new one before the camera counts as gone, in seconds of
    the clock. read_only: no setting is written to the camera.
    """

    serial: str | None = None
    file: Path | None = None
    frames: str | None = None
    width: int = 640
    height: int = 480
    fps: int = 30
    depth: bool = True
    exposure: float | None = None
    gain: float | None = None
    white_balance: float | None = None
    start_s: float = 10.0
    patience_s: float = 1.0
    read_only: bool = False

    def __post_init__(self) -> None:
        if sum(source is not None for source in (self.serial, self.file, self.frames)) > 1:
            raise UsageError("A camera is a serial number, a recording or emulated frames; give one of them.")
        if min(self.width, self.height, self.fps) < 1:
            raise UsageError(f"The camera mode is {self.width}x{self.height} at {self.fps} Hz; give positive numbers.")
        if self.gain is not None and self.exposure is None:
            raise UsageError("The gain is the camera's own as long as the exposure is; give an exposure with it.")
        if not all(math.isfinite(value) and value > 0 for value in (self.start_s, self.patience_s)):
            raise UsageError("The camera's start_s and patience_s are times to wait; give seconds over 0.")
