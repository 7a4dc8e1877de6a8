"""Servers and clients as processes of their own: started, driven by lines, measured, ended."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from touchstone.errors import TouchstoneError

BENCHMARKS = Path(__file__).parents[1]
OURS = Path(sys.executable)
PEERS = BENCHMARKS.parent / ".venv-peers/bin/python"
START_S = 60.0  # forty interpreters start on two cores
BLOCK_S = 120.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class DoesNotRun(TouchstoneError):
    """A way that cannot be measured here, and why."""


class Program:
    """A Python program of this folder, its output read line by line, its errors kept for the sentence."""

    def __init__(self, python: Path, arguments: list[str]):
        self._name = " ".join(arguments)
        if not python.exists():
            raise DoesNotRun(f"{python} is not there; run `make peers`.")
        with tempfile.NamedTemporaryFile(prefix="roundtrip-", delete=False) as errors:
            self._errors = Path(errors.name)
            self._process = subprocess.Popen(
                [python, *arguments],
                cwd=BENCHMARKS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )

    def line(self, timeout_s: float) -> str:
        """The next line that it prints. Raises DoesNotRun when none comes in time or it ended."""
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            raise DoesNotRun(f"'{self._name}' said nothing for {timeout_s:g} s.")
        line = self._process.stdout.readline().decode().strip()
        if not line:
            self._process.wait(10)
            raise DoesNotRun(f"'{self._name}' ended: {self._last_words()}")
        return line

    def send(self, order: dict) -> None:
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise DoesNotRun(f"'{self._name}' ended: {self._last_words()}") from None

    def cpu_s(self) -> float:
        """User and system time of all its threads so far, from /proc; in steps of 10 ms."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS_PER_S

    def keep_to(self, core: int) -> None:
        """Keeps all its threads, and those that they start, to one core."""
        for thread in os.listdir(f"/proc/{self._process.pid}/task"):
            os.sched_setaffinity(int(thread), {core})

    def close(self) -> None:
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.unlink(missing_ok=True)

    def _last_words(self) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "without a word."


class Server(Program):
    """`address`: what its line `serving NAME on ADDRESS` says."""

    def __init__(self, python: Path, arguments: list[str]):
        super().__init__(python, arguments)
        try:
            self.address = self.line(START_S).rpartition(" on ")[2]
        except DoesNotRun:
            self.close()
            raise


class Client(Program):
    """Driven by `lines.py`."""

    def connected(self) -> None:
        """Waits until it is. Raises DoesNotRun."""
        self.line(START_S)

    def begin(self, requests: int, at: float) -> None:
        """at: time.monotonic() of the first request."""
        self.send({"requests": requests, "at": at})

    def result(self) -> dict:
        """`ms`, `cpu_s`, `began`, `ended` of the block that was begun."""
        return json.loads(self.line(BLOCK_S))


def soon() -> float:
    """A time at which all clients can have read their line."""
    return time.monotonic() + 0.03
