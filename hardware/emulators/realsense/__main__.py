"""python -m hardware.emulators.realsense NAME: writes moving test pictures for an emulated camera."""

from __future__ import annotations

import argparse
import json
import select
import signal
import sys

from hardware.emulators.realsense.pattern import pattern
from touchstone.cameras import pinhole
from touchstone.clock import Clock
from touchstone.data.frame_ring import FrameWriter
from touchstone.errors import TouchstoneError, UsageError

FOV = 1.2  # [rad], vertical; as the GrinningFace preset's


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Writes moving test pictures into the frame ring NAME. A line of JSON on standard input sets the "
        'faults, as in FrameWriter.fault: {"frozen": true}, {"drop": 5}, {} for none.'
    )
    parser.add_argument("name", help="of the ring, for hardware.realsense --frames NAME")
    parser.add_argument("--fps", type=float, default=30.0, help="pictures in a second of the clock")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("W", "H"))
    parser.add_argument("--no-depth", action="store_true", help="colour only")
    parser.add_argument("--time-scale", type=float, default=1.0, help="seconds of the clock in a real second")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        clock = Clock(arguments.time_scale)
        depth_scale = None if arguments.no_depth else 0.001
        K = pinhole(*arguments.size, FOV)
        with FrameWriter(
            arguments.name, tuple(arguments.size), K, arguments.fps, depth_scale=depth_scale, clock=clock
        ) as writer:
            print(f"writing frames '{arguments.name}'", flush=True)
            _write(writer, arguments, clock)
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        pass
    return 0


def _write(writer: FrameWriter, arguments: argparse.Namespace, clock: Clock) -> None:
    number, due, listening = 0, clock.now(), True
    while True:
        number += 1
        colour, depth = pattern(number, *arguments.size)
        writer.write(colour, clock.now_ns(), None if arguments.no_depth else depth)
        due = max(due + 1 / arguments.fps, clock.now())
        while listening and select.select([sys.stdin], [], [], max(0.0, clock.real(due - clock.now())))[0]:
            line = sys.stdin.readline()
            # without anybody at the other end it simply goes on
            listening = bool(line)
            if line.strip():
                _set(writer, line.strip())
        clock.sleep(due - clock.now())


def _set(writer: FrameWriter, line: str) -> None:
    try:
        writer.fault(**json.loads(line))
    except (json.JSONDecodeError, TypeError) as error:
        raise UsageError(f"'{line}' says no faults ({error}); write them as {{\"black\": true}}.") from error
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
