"""One driver at a time on a serial port."""

from __future__ import annotations

import os

from hardware.lock import Lock


class PortLock(Lock):
    """The lock of one port, by whichever of its names."""

    def __init__(self, port: str) -> None:
        super().__init__(os.path.realpath(port).strip("/").replace("/", "-"), port)
