"""librealsense's Python package, or a sentence on how to get it."""

from __future__ import annotations

from touchstone.errors import MissingPart

try:
    import pyrealsense2 as rs
except ImportError as error:
    # the wheel brings librealsense, and takes libusb and libudev from the system
    raise MissingPart(
        f"RealSense cameras need pyrealsense2 ({error}); install it with `.venv/bin/pip install pyrealsense2 -c "
        "constraints.txt`, and libusb-1.0-0 and libudev1 with apt."
    ) from error

__all__ = ["rs"]
