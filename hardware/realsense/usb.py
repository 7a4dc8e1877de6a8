"""What the kernel knows of RealSense cameras: librealsense does not even list one that it may not open."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

VENDOR = "8086"
SYSTEM = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")


@dataclass(frozen=True)
class Plugged:
    """A camera on USB. node: its file, open_to_us: whether this user may read and write it."""

    product: str
    node: Path
    open_to_us: bool


def plugged_in(system: Path = SYSTEM, nodes: Path = NODES) -> list[Plugged]:
    """Every RealSense on USB, in the order of its port."""
    found = []
    for device in sorted(system.glob("*/idVendor")):
        product = _read(device.parent / "product")
        if _read(device) != VENDOR or "realsense" not in product.lower():
            continue
        bus, number = (_read(device.parent / name) for name in ("busnum", "devnum"))
        node = nodes / bus.zfill(3) / number.zfill(3)
        found.append(Plugged(product, node, os.access(node, os.R_OK | os.W_OK)))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
