"""python -m sim_twin.plant --robot wx250s --link SOCKET: the twin moves what emulated motors want moved."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from sim_twin.plant.bench import Plant
from sim_twin.plant.physics import Physics
from sim_twin.plant.server import Server
from touchstone.cameras import DEFAULT_PRESET
from touchstone.clock import Clock
from touchstone.data.frame_files import discard_left, ring_path
from touchstone.errors import TouchstoneError, WorldFailure
from touchstone.robots.base import arm as find_arm

END_S = 10.0


def main() -> int:
    arguments = _arguments()
    stopping = False

    def stop(*_) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server = eye = None
    try:
        arm, clock = find_arm(arguments.robot), Clock(arguments.time_scale)
        physics = Physics(arm, Plant.named(arguments.world), clock)
        server = Server(arguments.link, physics, len(arm.joint_names), clock)
        eye = _start_eye(arguments)

        def stopped() -> bool:
            if eye is not None and eye.poll() is not None and not stopping:
                raise WorldFailure(f"The process that renders ended with {eye.returncode}; start the plant again.")
            return stopping

        print(f"{arm.title} simulated on {arguments.link}", flush=True)
        server.run(stopped, lambda sentence: print(sentence, file=sys.stderr, flush=True))
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        if server is not None:
            server.close()
        if eye is not None:
            _end(eye)
            # an eye that was killed could not take its ring away
            discard_left(ring_path(arguments.frames))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Steps the twin's physics at 100 Hz for emulated motors.")
    parser.add_argument("--robot", required=True)
    parser.add_argument("--link", type=Path, required=True, help="Unix socket for motors, stage and eye")
    parser.add_argument("--world", default="twin", help="twin, or shadow:...")
    parser.add_argument("--time-scale", type=float, default=1.0, help="seconds of its clock in a real second")
    parser.add_argument("--frames", help="name of a ring in shared memory to which a process of its own renders")
    parser.add_argument("--camera", default=DEFAULT_PRESET, help="preset or calibration.yaml, with --frames")
    parser.add_argument("--fps", type=float, default=10.0, help="pictures in a second of its clock, with --frames")
    return parser.parse_args()


def _start_eye(arguments: argparse.Namespace) -> subprocess.Popen | None:
    if arguments.frames is None:
        return None
    command = [sys.executable, "-m", "sim_twin.plant.eye", "--link", arguments.link, "--frames", arguments.frames]
    command += ["--camera", arguments.camera, "--fps", arguments.fps]
    # one thread for the renderer: the others want a core, too
    return subprocess.Popen([str(each) for each in command], env=os.environ | {"LP_NUM_THREADS": "1"})


def _end(eye: subprocess.Popen) -> None:
    eye.terminate()
    try:
        eye.wait(END_S)
    except subprocess.TimeoutExpired:
        eye.kill()
        eye.wait()


if __name__ == "__main__":
    sys.exit(main())
