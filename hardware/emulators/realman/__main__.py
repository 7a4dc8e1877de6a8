"""python -m hardware.emulators.realman --port PORT --control SOCKET: a Realman RM75 that is not there."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from hardware.emulators.realman.controller import UDP_PORT, Controller
from hardware.emulators.realman.plant import POSES, KinematicPlant, simulated
from hardware.emulators.realman.server import Server
from touchstone.clock import Clock
from touchstone.errors import TouchstoneError


def main() -> int:
    parser = argparse.ArgumentParser(description="Emulates the controller of a Realman RM75 with an Inspire gripper.")
    parser.add_argument("--host", default="127.0.0.1", help="address, any of 127.0.0.0/8")
    parser.add_argument("--port", type=int, default=8080, help="TCP port, 0: any free one; it is printed")
    parser.add_argument("--control", type=Path, required=True, help="Unix socket for faults, JSON lines")
    parser.add_argument(
        "--udp-port", type=int, default=UDP_PORT, help="where the state is pushed until a client says else"
    )
    parser.add_argument("--generation", type=int, choices=(3, 4), default=3, help="of the controller")
    parser.add_argument("--pose", choices=POSES, default="ready", help="where the arm is at the start")
    parser.add_argument("--plant", type=Path, help="Unix socket of a simulator that moves the arm, in place of --pose")
    parser.add_argument("--time-scale", type=float, default=1.0, help="seconds of the emulated world in a real second")
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
        controller = Controller(arguments.generation, plant, arguments.udp_port)
        server = Server(controller, arguments.host, arguments.port, arguments.control, clock)
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    where = f"{server.host}:{server.port}"
    print(f"RM75, generation {arguments.generation}, emulated on {where}, faults on {arguments.control}")
    sys.stdout.flush()
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
