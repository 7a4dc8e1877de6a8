"""What every camera driver can do, whatever it is plugged into. A driver knows its connection spec and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from touchstone.cameras import CameraModel
from touchstone.world import CameraFrame


@dataclass(frozen=True)
class CameraHealth:
    """Since the camera was connected. rate_hz: of the last second. dropped: frames that the device counted and nobody
    got. frozen, black: frames in a row, up to the newest, that repeat the one before, or show nothing."""

    frames: int
    rate_hz: float
    dropped: int
    frozen: int
    black: int


class Camera(Protocol):
    """One camera. Any thread may call any method."""

    def connect(self) -> None:
        """Opens it and waits for the first picture. Raises UsageError: one sentence on what is wrong."""

    @property
    def model(self) -> CameraModel:
        """Of its pictures; valid once connected. The intrinsics are the device's where it knows them."""

    def frame(self) -> CameraFrame:
        """The newest picture; `stale` when it repeats an earlier one. Raises WorldFailure when the camera is gone."""

    def next(self, after_ns: int, timeout_s: float) -> CameraFrame:
        """The first picture that was captured after `after_ns`. Raises WorldFailure when none comes in time."""

    def health(self) -> CameraHealth:
        """What went wrong so far."""

    def close(self) -> None:
        """Lets go of the device; may be called twice."""
