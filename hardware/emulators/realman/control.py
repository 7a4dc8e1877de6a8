"""The emulated controller as a process of its own."""

from __future__ import annotations

import random
import re
import socket
import tempfile
from pathlib import Path

from hardware.emulators.process import EmulatorProcess


class EmulatedController(EmulatorProcess):
    """`with EmulatedController() as controller:` listens at `host`:`port` until the block ends.

    pose: ready or home. generation: 3 or 4. time_scale: of its clock. plant: socket of a simulator that moves the arm,
    or None for the kinematic one. udp_port: where it pushes to, None = any free one.

    Each has a loopback address of its own, as arms have theirs: RealMan's SDK tells them apart by it.
    """

    def __init__(
        self,
        pose: str = "ready",
        generation: int = 3,
        time_scale: float = 1.0,
        plant: Path | None = None,
        udp_port: int | None = None,
    ) -> None:
        self.udp_port = udp_port or free_udp_port()
        self.host = "127." + ".".join(str(random.randint(1, 254)) for _ in range(3))
        options = {
            "--host": self.host,
            "--port": 0,
            "--udp-port": self.udp_port,
            "--generation": generation,
            "--pose": pose,
            "--time-scale": time_scale,
        } | ({} if plant is None else {"--plant": plant})
        words = [str(word) for option in options.items() for word in option]
        folder = tempfile.TemporaryDirectory(prefix="realman-")
        super().__init__("hardware.emulators.realman", "The Realman emulator", words, folder)
        self.port = int(re.search(r":(\d+),", self.said).group(1))


def free_udp_port() -> int:
    """A UDP port that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
