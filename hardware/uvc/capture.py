"""A camera or a video file that OpenCV has opened, in the mode that was asked for."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import cv2
import numpy as np

from hardware.uvc.spec import UVCSpec
from touchstone.clock import Clock
from touchstone.errors import UsageError

#: V4L2_EXPOSURE_MANUAL and V4L2_EXPOSURE_APERTURE_PRIORITY, which OpenCV hands through
MANUAL_EXPOSURE, AUTOMATIC_EXPOSURE = 1, 3
#: control -> (its property, the property that makes it automatic, values of that for locked and automatic)
CONTROLS = {
    "exposure": (cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL_EXPOSURE, AUTOMATIC_EXPOSURE),
    "white_balance": (cv2.CAP_PROP_WB_TEMPERATURE, cv2.CAP_PROP_AUTO_WB, 0, 1),
    "focus": (cv2.CAP_PROP_FOCUS, cv2.CAP_PROP_AUTOFOCUS, 0, 1),
}
RATE_HZ = 0.5  # drivers round rates
KERNEL_S = 2.0  # a kernel's stamp that is further from now is of another clock


class Capture:
    """Opens the spec's device. Raises UsageError: no such camera, no permission, in use, mode or setting not taken."""

    def __init__(self, spec: UVCSpec, clock: Clock) -> None:
        self._path, self._clock = spec.path, clock
        self.recorded = _is_recording(self._path)
        self.name = f"The recording {self._path}" if self.recorded else f"The camera {self._path}"
        self._opened = cv2.VideoCapture(self._path, cv2.CAP_ANY if self.recorded else cv2.CAP_V4L2)
        if not self._opened.isOpened():
            self._opened.release()
            what = "is no video" if self.recorded else "is in use by another program, or is no camera"
            raise UsageError(f"{self.name} cannot be opened: it {what}; give another one or end that program.")
        self._due: float | None = None
        try:
            self._set_mode(spec)
            if not spec.read_only:
                self._set_controls(spec)
        except BaseException:
            self._opened.release()
            raise
        self._period_s = 1 / spec.fps

    def read(self) -> tuple[np.ndarray, int, bool] | None:
        """The next picture, uint8[H,W,3] RGB, when it was captured [ns] and whether the kernel says so; None if none
        comes."""
        if self.recorded:
            self._wait_for_its_time()
        if not self._opened.grab():
            return None
        arrived = self._clock.now_ns()
        # a recording has its position there
        kernel = None if self.recorded else self._kernel_stamp()
        got, image = self._opened.retrieve()
        if not got:
            return None
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB), arrived if kernel is None else kernel, kernel is not None

    def gone(self) -> str | None:
        """A sentence once no more pictures can come, else None; asked after `read` gave none."""
        if self.recorded:
            return f"{self.name} has ended; connect again to play it once more."
        return None if os.path.exists(self._path) else f"{self.name} was unplugged; plug it in and connect again."

    def settings(self) -> dict[str, float]:
        """What the driver says of exposure, white balance and focus; without those it does not have."""
        values = {control: self._opened.get(each[0]) for control, each in CONTROLS.items()}
        return {control: value for control, value in values.items() if value >= 0 and not self.recorded}

    def close(self) -> None:
        self._opened.release()

    def _set_mode(self, spec: UVCSpec) -> None:
        # the format first: sizes and rates depend on it
        self._opened.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*spec.fourcc))
        self._opened.set(cv2.CAP_PROP_FRAME_WIDTH, spec.width)
        self._opened.set(cv2.CAP_PROP_FRAME_HEIGHT, spec.height)
        self._opened.set(cv2.CAP_PROP_FPS, spec.fps)
        width, height, fps, code = (
            self._opened.get(what)
            for what in (
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FPS,
                cv2.CAP_PROP_FOURCC,
            )
        )
        fourcc = int(code).to_bytes(4, "little").decode(errors="replace")
        same_rate = abs(fps - spec.fps) <= RATE_HZ
        if (width, height, fourcc, same_rate) != (spec.width, spec.height, spec.fourcc, True):
            raise UsageError(
                f"{self.name} gives {width:g}x{height:g} at {fps:g} Hz in {fourcc} instead of {spec.width}x"
                f"{spec.height} at {spec.fps:g} Hz in {spec.fourcc}; "
                "ask for a mode that `v4l2-ctl --list-formats-ext` names."
            )

    def _set_controls(self, spec: UVCSpec) -> None:
        for control, (option, switch, locked, automatic) in CONTROLS.items():
            value, words = getattr(spec, control), control.replace("_", " ")
            # a camera keeps what an earlier program set until it is unplugged; one without the control says no
            switched = self._opened.set(switch, automatic if value is None else locked)
            if value is None:
                continue
            if not (self._opened.set(option, value) and (switched or control == "focus")):
                raise UsageError(f"{self.name} does not let its {words} be set to {value:g}; leave out {control}.")
            kept = self._opened.get(option)
            if abs(kept - value) > 0.5:
                raise UsageError(f"{self.name} kept {words} at {kept:g} instead of {value:g}; give one it takes.")

    def _kernel_stamp(self) -> int | None:
        """When the kernel got the picture: OpenCV gives V4L2's buffer stamp, which is monotonic time; None if it does
        not."""
        kernel_ns = int(self._opened.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        ago_ns = time.monotonic_ns() - kernel_ns
        return self._clock.now_ns() - int(ago_ns * self._clock.scale) if 0 <= ago_ns <= KERNEL_S * 1e9 else None

    def _wait_for_its_time(self) -> None:
        now = self._clock.now()
        self._due = now if self._due is None else max(self._due + self._period_s, now - self._period_s)
        self._clock.sleep(self._due - now)


def _is_recording(path: str) -> bool:
    """Whether `path` is a recording, not a camera. Raises UsageError if it is nothing, or not ours to open."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        there = ", ".join(sorted(map(str, Path("/dev").glob("video*")))) or "no camera"
        raise UsageError(f"There is no camera {path}; there is {there}.") from error
    if not os.access(path, os.R_OK if stat.S_ISREG(mode) else os.R_OK | os.W_OK):
        raise UsageError(f"{path} may not be opened; join the group `video` and log in again.")
    return stat.S_ISREG(mode)
