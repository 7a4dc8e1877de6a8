"""python -m sim_twin.plant.eye --link SOCKET --frames NAME: renders what a plant's camera sees into shared memory."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from pathlib import Path

from sim_twin.camera import camera_of
from sim_twin.plant.bench import Bench, Plant
from touchstone.calibration import for_camera
from touchstone.cameras import DEFAULT_PRESET
from touchstone.clock import Clock
from touchstone.data.frame_ring import FrameWriter
from touchstone.errors import TouchstoneError, UsageError, WorldFailure
from touchstone.plant import PlantClient
from touchstone.robots.base import arm as find_arm
from touchstone.spec import Placement

SLOWEST, FASTEST = 1.0, 60.0  # [fps]
YIELD = 5  # of priority: of all processes of a bench, this one may be late


class Eye:
    """A bench that is posed like the plant's, and a camera on it. A picture's stamp is the moment of that posture."""

    def __init__(self, link: Path, frames: str, camera: str, fps: float) -> None:
        if not (math.isfinite(fps) and SLOWEST <= fps <= FASTEST):
            raise UsageError(f"The camera gives {fps} pictures a second; choose {SLOWEST:g} to {FASTEST:g}.")
        self._plant = PlantClient(link)
        there = self._plant.ask("describe")
        arm, self._clock = find_arm(there["robot"]), Clock(there["time_scale"])
        model = camera_of(for_camera(camera, arm.name), camera)
        self._arm, self._bench = arm, Bench(arm, Plant.named(there["world"]).shifts, model)
        self._generation, self._fault_number, self._period = 0, 0, 1 / fps
        # the first picture compiles shaders for seconds
        self._bench.picture()
        self._writer = FrameWriter(frames, (model.width, model.height), model.K, fps, clock=self._clock)

    def run(self, stopped) -> None:
        """Until `stopped()`. Raises WorldFailure when the plant is gone."""
        due, last_ns = self._clock.now(), 0
        while not stopped():
            seen = self._plant.ask("look")
            if seen["fault_number"] != self._fault_number:
                self._writer.fault(**seen["faults"])
                self._fault_number = seen["fault_number"]
            if seen["generation"] != self._generation:
                self._lay_out()
                continue
            if seen["stamp_ns"] > last_ns:
                self._bench.pose_like(seen["posture"])
                self._writer.write(self._bench.picture(), seen["stamp_ns"])
                last_ns = seen["stamp_ns"]
            due = max(due + self._period, self._clock.now())
            self._clock.sleep(due - self._clock.now())

    def close(self) -> None:
        self._writer.close()

    def _lay_out(self) -> None:
        there = self._plant.ask("layout")
        layout = tuple(Placement.model_validate(each) for each in there["layout"])
        self._bench.build(layout, self._bench.drives.positions(), 1.0)
        self._generation = there["generation"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Renders a plant's camera into shared memory.")
    parser.add_argument("--link", type=Path, required=True, help="Unix socket of the plant")
    parser.add_argument("--frames", required=True, help="name of the ring in shared memory")
    parser.add_argument("--camera", default=DEFAULT_PRESET, help="preset or calibration.yaml")
    parser.add_argument("--fps", type=float, default=10.0, help="pictures in a second of the plant's clock")
    arguments = parser.parse_args()
    stopping = False

    def stop(*_) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    os.nice(YIELD)
    eye = None
    try:
        eye = Eye(arguments.link, arguments.frames, arguments.camera, arguments.fps)
        eye.run(lambda: stopping)
    except TouchstoneError as error:
        if isinstance(error, WorldFailure) and stopping:
            return 0
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        if eye is not None:
            eye.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
