"""Runs the long commands: one line a stage with its time, their output in a log file, its end shown on failure."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .problems import SetupProblem

POLL_S = 0.25
HEARTBEAT_S = 20.0
TAIL_LINES = 15
#: how the lines of pip and apt begin that say what is going on
TELLING = ("Collecting", "Downloading", "Processing", "Building", "Installing", "Get:", "Unpacking", "Setting up")


class Progress:
    """`stage` names what runs now; every command's output is appended to `log`.

    lock: a file that the commands keep open, so that one that outlives a killed set-up still holds it.
    """

    def __init__(self, log: Path, lock: int | None = None) -> None:
        self.log = log
        self._inherited = () if lock is None else (lock,)
        self._stage = ""
        self._stage_started = time.monotonic()
        self._live = sys.stdout.isatty()

    def say(self, line: str) -> None:
        print(line, flush=True)

    def stage(self, name: str) -> None:
        self._stage, self._stage_started = name, time.monotonic()
        if not self._live:
            self.say(f"  {name} ...")

    def done(self) -> None:
        took = time.monotonic() - self._stage_started
        self.say(f"{self._wipe()}  {self._stage}: done in {took:.0f} s")

    def run(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
        """The command's output. Raises CommandFailed if it does not end with 0."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as sink:
            sink.write(f"\n$ {' '.join(command)}\n".encode())
            sink.flush()
            start = sink.tell()
            process = subprocess.Popen(
                command,
                stdout=sink,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=env,
                pass_fds=self._inherited,
            )
            try:
                self._watch(process, start)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        output = self._output(start)
        if process.returncode:
            raise CommandFailed(self._wipe(), self._stage, self.log, output)
        return output

    def _watch(self, process: subprocess.Popen, start: int) -> None:
        told = time.monotonic()
        while process.poll() is None:
            time.sleep(POLL_S)
            now = time.monotonic()
            if self._live:
                print(f"{self._wipe()}  {self._status(now, start)}", end="", flush=True)
            elif now - told >= HEARTBEAT_S:
                told = now
                self.say(f"    {self._status(now, start)}")

    def _status(self, now: float, start: int) -> str:
        lines = [line.strip() for line in self._output(start).splitlines()]
        last = next((line for line in reversed(lines) if line.startswith(TELLING)), "")
        if last.startswith("Installing collected"):
            last = f"installing {last.count(',') + 1} packages"
        return f"{self._stage}: {now - self._stage_started:.0f} s  {last}"[:100]

    def _output(self, start: int) -> str:
        with self.log.open("rb") as source:
            source.seek(start)
            return source.read().decode(errors="replace")

    def _wipe(self) -> str:
        return "\r\033[K" if self._live else ""


class CommandFailed(SetupProblem):
    """A command ended with an error; `output` is what it printed."""

    def __init__(self, wipe: str, stage: str, log: Path, output: str) -> None:
        tail = "\n".join(f"    {line}" for line in output.splitlines()[-TAIL_LINES:])
        super().__init__(
            f"{wipe}{tail}\n'{stage}' failed; the whole log is {log}, and the same command tries again from here."
        )
        self.output = output
