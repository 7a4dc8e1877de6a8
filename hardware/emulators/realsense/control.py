"""Starts the process that writes test pictures, and sets its faults."""

from __future__ import annotations

import json
import subprocess
import sys

from touchstone.data.frame_files import discard_left, ring_path
from touchstone.errors import WorldFailure

END_S = 30.0


class TestPictures:
    """`with TestPictures(name) as pictures:` writes `pattern`s into the frame ring `name` until the block ends."""

    __test__ = False  # for pytest, which takes every `Test...` for its own

    def __init__(self, name: str, *options: str) -> None:
        """options: of `python -m hardware.emulators.realsense`, as `"--fps", "10"`."""
        self._name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hardware.emulators.realsense", name, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if not self.process.stdout.readline():
            self.close()
            raise WorldFailure(f"Nothing writes frames '{name}'; the process's message is above.")

    def fault(self, **faults) -> None:
        """As `FrameWriter.fault`; returns when it is set."""
        self.process.stdin.write(json.dumps(faults) + "\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise WorldFailure(f"Nothing writes frames '{self._name}' any more; the process's message is above.")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(END_S)
        self.process.stdin.close()
        self.process.stdout.close()
        # it may have been killed
        discard_left(ring_path(self._name))

    def __enter__(self) -> TestPictures:
        return self

    def __exit__(self, *_) -> None:
        self.close()
