"""The emulated bus as a process of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hardware.emulators.process import EmulatorProcess


class EmulatedBus(EmulatorProcess):
    """`with EmulatedBus() as bus:` has a port at `bus.port` until the block ends. pose: sleep, ready or home.

    time_scale: of its clock. plant: socket of a simulator that moves the arm, or None for the kinematic one.
    """

    def __init__(self, pose: str = "sleep", time_scale: float = 1.0, plant: Path | None = None) -> None:
        folder = tempfile.TemporaryDirectory(prefix="dynamixel-")
        self.port = str(Path(folder.name) / "port")
        options = ["--link", self.port, "--pose", pose, "--time-scale", str(time_scale)]
        options += [] if plant is None else ["--plant", str(plant)]
        super().__init__("hardware.emulators.dynamixel", "The Dynamixel emulator", options, folder)

    def motors(self) -> dict[int, dict[str, Any]]:
        """A snapshot of every motor's registers, by id."""
        return {int(id): motor for id, motor in self.ask("state")["motors"].items()}
