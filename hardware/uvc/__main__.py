"""python -m hardware.uvc DEVICE: looks at a plain USB camera; no setting but the mode is written."""

from __future__ import annotations

import argparse
import sys

from hardware.looking import look
from hardware.uvc.driver import UVC
from hardware.uvc.spec import UVCSpec
from touchstone.calibration import CameraCalibration
from touchstone.cameras import DEFAULT_PRESET, preset, scaled
from touchstone.clock import REAL_TIME
from touchstone.errors import TouchstoneError


def main() -> int:
    parser = argparse.ArgumentParser(description="Shows what a plain USB camera gives; read-only.")
    parser.add_argument("device", nargs="?", default="0", help="/dev/video0, its number, or a video file")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("W", "H"))
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--fourcc", default="MJPG", help="pixel format, MJPG or YUYV")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to look")
    arguments = parser.parse_args()
    camera: UVC | None = None
    try:
        width, height = arguments.size
        spec = UVCSpec(arguments.device, width, height, arguments.fps, arguments.fourcc, read_only=True)
        # its lens is not looked at
        any_lens = CameraCalibration(**scaled(preset(DEFAULT_PRESET), width, height).to_json())
        camera = UVC(spec, any_lens)
        camera.connect()
        print(look(camera, arguments.seconds, REAL_TIME))
    except TouchstoneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        if camera is not None:
            camera.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
