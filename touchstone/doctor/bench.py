"""What only a bench with an arm needs: vendors' SDKs, serial ports, cameras, USB."""

from __future__ import annotations

import ctypes
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from touchstone.doctor.check import Check
from touchstone.doctor.probe import SET_UP

SDKS = ("dynamixel-sdk", "Robotic_Arm", "pyrealsense2")
SERIAL_PORTS = ("ttyDXL", "ttyUSB*", "ttyACM*")
CAMERAS = ("video*",)
USB_LIBRARY = "libusb-1.0.so.0"


def check_sdks() -> list[Check]:
    """One check for each vendor's SDK."""
    return [_check_sdk(name) for name in SDKS]


def check_serial(devices: Path = Path("/dev")) -> Check:
    return _check_devices("serial ports", devices, SERIAL_PORTS, "dialout")


def check_cameras(devices: Path = Path("/dev")) -> Check:
    return _check_devices("cameras", devices, CAMERAS, "video")


def check_usb() -> Check:
    try:
        ctypes.CDLL(USB_LIBRARY)
    except OSError as error:
        return Check(name="libusb", status="missing", detail=str(error), fix=SET_UP)
    return Check(name="libusb", status="ok", detail=USB_LIBRARY)


def _check_sdk(name: str) -> Check:
    try:
        return Check(name=name, status="ok", detail=version(name))
    except PackageNotFoundError:
        return Check(
            name=name,
            status="not needed here",
            detail="only needed with an arm",
            fix='with an arm: .venv/bin/pip install -e ".[robot]" -c constraints.txt',
        )


def _check_devices(name: str, folder: Path, patterns: tuple[str, ...], group: str) -> Check:
    found = sorted({str(path) for pattern in patterns for path in folder.glob(pattern)})
    closed = [path for path in found if not os.access(path, os.R_OK | os.W_OK)]
    if not found:
        return Check(name=name, status="not needed here", detail="none connected; only needed with an arm")
    if closed:
        return Check(
            name=name,
            status="warning",
            detail=f"{', '.join(closed)}: no permission",
            fix=f"sudo usermod -aG {group} $USER, then log in again",
        )
    return Check(name=name, status="ok", detail=", ".join(found))
