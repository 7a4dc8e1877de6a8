"""Looks at a camera for a while and says what it gives; read-only."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hardware.camera import Camera
from touchstone.clock import Clock


class Described(Camera, Protocol):
    """A camera that can tell about itself."""

    def about(self) -> dict[str, str]:
        """Name, lens and settings, in words."""


def look(camera: Described, seconds: float, clock: Clock) -> str:
    """Takes every picture of a connected camera for `seconds` of the clock. Raises WorldFailure."""
    first, ages, depths = camera.health(), [], []
    began = clock.now()
    stamp = camera.frame().stamp_ns
    while clock.now() - began < seconds:
        frame = camera.next(stamp, timeout_s=2.0)
        stamp = frame.stamp_ns
        ages.append((clock.now_ns() - stamp) / 1e6)
        if frame.depth is not None:
            depths.append(np.count_nonzero(frame.depth) / frame.depth.size)
    health, took = camera.health(), clock.now() - began
    lines = [f"{what + ':':10} {words}" for what, words in camera.about().items()]
    model = camera.model
    lines.append(
        f"{health.frames - first.frames} pictures of {model.width}x{model.height} in {took:.1f} s "
        f"({(health.frames - first.frames) / took:.1f} Hz); "
        f"{health.dropped - first.dropped} dropped, {health.frozen} frozen, {health.black} black"
    )
    lines.append(f"capture to here: median {np.median(ages):.1f} ms, longest {max(ages):.1f} ms")
    if depths:
        lines.append(f"depth with {len(depths)} of them; {100 * np.mean(depths):.0f} % of the pixels have one")
    return "\n".join(lines)
