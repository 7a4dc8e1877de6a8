"""Starts the emulator as a process of its own and talks to its control socket."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from touchstone.errors import WorldFailure

START_S = 30.0
ANSWER_S = 10.0


class EmulatedBus:
    """`with EmulatedBus() as bus:` has a port at `bus.port` until the block ends. pose: sleep, ready or home."""

    def __init__(self, pose: str = "sleep") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dynamixel-")
        self.port = str(Path(self._folder.name) / "port")
        control = str(Path(self._folder.name) / "control")
        command = [sys.executable, "-m", "hardware.emulators.dynamixel"]
        self.process = subprocess.Popen(
            [*command, "--link", self.port, "--control", control, "--pose", pose], stdout=subprocess.PIPE, text=True
        )
        if not self.process.stdout.readline():
            raise WorldFailure("The Dynamixel emulator did not start; its message is above.")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(control)
        self._lines = self._socket.makefile("r")

    def ask(self, operation: str, **arguments) -> dict[str, Any]:
        """Carries out an operation of `faults.Faults`. Raises ValueError with the emulator's sentence if it cannot."""
        self._socket.sendall(json.dumps({"op": operation, **arguments}).encode() + b"\n")
        answer = json.loads(self._lines.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def motors(self) -> dict[int, dict[str, Any]]:
        """A snapshot of every motor's registers, by id."""
        return {int(id): motor for id, motor in self.ask("state")["motors"].items()}

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._lines.close()
            self._socket.close()
        self.process.terminate()
        self.process.wait(START_S)
        self.process.stdout.close()
        self._folder.cleanup()

    def __enter__(self) -> EmulatedBus:
        return self

    def __exit__(self, *_) -> None:
        self.close()
