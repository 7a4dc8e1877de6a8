"""python -m hardware.emulators.dynamixel --link PORT --control SOCKET: a WidowX-250S that is not there."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from hardware.emulators.dynamixel.bus import Bus
from hardware.emulators.dynamixel.plant import POSES, KinematicPlant, simulated
from hardware.emulators.dynamixel.server import Server
from touchstone.clock import Clock
from touchstone.errors import TouchstoneError


def main() -> int:
    parser = argparse.ArgumentParser(description="Emulates the Dynamixel bus of a WidowX-250S on a pseudo-terminal.")
    parser.add_argument("--link", type=Path, required=True, help="where the port appears, a symlink to the pty")
    parser.add_argument("--control", type=Path, required=True, help="Unix socket for faults, JSON lines")
    parser.add_argument("--pose", choices=POSES, default="sleep", help="where the arm is at the start")
    parser.add_argument("--plant", type=Path, help="Unix socket of a simulator that moves the arm, in place of --pose")
    parser.add_argument("--time-scale", type=float, default=1.0, help="seconds of the bus in a real second")
    arguments = parser.parse_args()
    stopping = False

    def stop(*_) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        clock = Clock(arguments.time_scale)
        plant = KinematicPlant(POSES[arguments.pose]) if arguments.plant is None else simulated(arguments.plant, clock)
        server = Server(Bus(plant), arguments.link, arguments.control, clock)
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"WidowX-250S emulated on {arguments.link}, faults on {arguments.control}", flush=True)
    try:
        server.run(lambda: stopping)
    except TouchstoneError as error:  # the simulator behind it is gone
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
