"""What every camera driver can do, whatever it is plugged into. A driver knows its connection spec and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from touchstone.cameras import CameraModel
from touchstone.errors import WorldFailure
from touchstone.world import CameraFrame

#: pictures in a row that repeat the one before, or show nothing, after which nobody may act on them
BLIND = 2


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


def check_sight(camera: Camera) -> None:
    """Raises WorldFailure when a camera has repeated its picture, or shown nothing, `BLIND` times in a row."""
    health = camera.health()
    if health.frozen >= BLIND:
        raise WorldFailure(f"The camera has repeated its picture {health.frozen} times; look at its cable and restart.")
    if health.black >= BLIND:
        raise WorldFailure(f"The camera has shown nothing {health.black} times; uncover it, look at its exposure.")
