"""python -m hardware.realsense: lists the cameras and looks at one of them; no setting is written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hardware.looking import look
from hardware.realsense.driver import RealSense
from hardware.realsense.resolving import info, on_usb
from hardware.realsense.sdk import rs
from hardware.realsense.spec import RealSenseSpec
from touchstone.clock import Clock
from touchstone.errors import TouchstoneError


def main() -> int:
    parser = argparse.ArgumentParser(description="Lists RealSense cameras and shows what one of them gives; read-only.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--serial", help="of the camera; not needed if there is one")
    source.add_argument("--file", type=Path, help="a recording instead")
    source.add_argument("--frames", metavar="NAME", help="an emulated camera instead")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("W", "H"))
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--no-depth", action="store_true", help="colour only")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to look")
    parser.add_argument("--time-scale", type=float, default=1.0, help="of an emulated camera")
    arguments = parser.parse_args()
    camera: RealSense | None = None
    try:
        clock = Clock(arguments.time_scale)
        if arguments.file is None and arguments.frames is None:
            _list()
        spec = RealSenseSpec(
            serial=arguments.serial,
            file=arguments.file,
            frames=arguments.frames,
            width=arguments.size[0],
            height=arguments.size[1],
            fps=arguments.fps,
            depth=not arguments.no_depth,
            read_only=True,
        )
        camera = RealSense(spec, None, clock)
        camera.connect()
        print(look(camera, arguments.seconds, clock))
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        if camera is not None:
            camera.close()
    return 0


def _list() -> None:
    for serial, device in on_usb(rs.context()).items():
        about = [info(device, what) for what in (rs.camera_info.firmware_version, rs.camera_info.usb_type_descriptor)]
        print(f"{info(device, rs.camera_info.name)}, serial {serial}, firmware {about[0]}, USB {about[1]}")


if __name__ == "__main__":
    sys.exit(main())
