"""Starts an emulator as a process of its own and talks to its control socket."""

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


class EmulatorProcess:
    """`with` it, the emulator runs until the block ends. module: python -m of it; options: after `--control SOCKET`.

    folder: temporary, for what the emulator makes; it is gone at the end.
    """

    def __init__(self, module: str, title: str, options: list[str], folder: tempfile.TemporaryDirectory) -> None:
        self._folder = folder
        control = str(Path(folder.name) / "control")
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--control", control, *options], stdout=subprocess.PIPE, text=True
        )
        #: the first line that it printed
        self.said = self.process.stdout.readline()
        if not self.said:
            self.process.stdout.close()
            self.process.wait(START_S)
            folder.cleanup()
            raise WorldFailure(f"{title} did not start; its message is above.")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(control)
        self._lines = self._socket.makefile("r")

    def ask(self, operation: str, **arguments) -> dict[str, Any]:
        """Carries out an operation of its fault API. Raises ValueError with the emulator's sentence if it cannot."""
        self._socket.sendall(json.dumps({"op": operation, **arguments}).encode() + b"\n")
        answer = json.loads(self._lines.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._lines.close()
            self._socket.close()
        self.process.terminate()
        self.process.wait(START_S)
        self.process.stdout.close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()
