"""The driver's side of the guard process (hardware/realman/guard.py): starts it, beats, and hears what it says."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time

from hardware.realman.guard import ALIVE, BEAT, GOODBYE, MOVING, READY, STANDING, STOPPED
from touchstone.errors import UsageError

START_S = 10.0
#: the guard asks the controller four times a second, and says so when it is answered
QUIET_S = 2.0
END_S = 2.0


class Heart:
    """Beats from the thread that commands the arm, and from nowhere else."""

    def __init__(self, address: str, port: int, silence: float, stale: float) -> None:
        """silence, stale: as of `guard.Guard`. Raises UsageError if the guard gets no link of its own."""
        options = ["--silence", f"{silence:.4f}", "--stale", f"{stale:.4f}"]
        # a session of its own: what ends the driver's process group leaves it alone
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hardware.realman.guard", address, str(port), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        os.set_blocking(self.process.stdin.fileno(), False)
        os.set_blocking(self.process.stdout.fileno(), False)
        self._rest = b""
        self._heard = time.monotonic()
        select.select([self.process.stdout], [], [], START_S)
        if READY not in self._lines():
            self.process.kill()
            self._end()
            raise UsageError(
                f"The guard process gets no link of its own to {address}:{port}; look whether the controller takes a "
                "second client."
            )

    def beat(self, moving: bool, age: float) -> None:
        """moving: whether the arm is told to; age: of the newest target [s]."""
        self._send(MOVING if moving else STANDING, age)

    def stopped(self) -> str | None:
        """Why the guard has stopped the arm, if it has; told once."""
        reason = None
        for line in self._lines():
            word, _, why = line.partition(" ")
            if word == ALIVE:
                self._heard = time.monotonic()
            elif word == STOPPED:
                reason = f"its guard process stopped it, since {why}"
        return reason

    def unguarded(self) -> str | None:
        """Why nobody guards the arm."""
        if self.process.poll() is not None:
            return "its guard process has ended"
        if time.monotonic() - self._heard > QUIET_S:
            return "its guard process gets no answer from the controller"
        return None

    def close(self, stopped: bool) -> None:
        """stopped: the controller has said that the arm stands; otherwise the guard goes on stopping it by itself."""
        if stopped:
            self._send(GOODBYE, 0.0)
            self._end()
        else:
            self.process.stdin.close()
            self.process.stdout.close()

    def _send(self, kind: int, age: float) -> None:
        # a guard that is gone or full is told by `unguarded`
        with contextlib.suppress(OSError, ValueError):
            os.write(self.process.stdin.fileno(), BEAT.pack(kind, age))

    def _lines(self) -> list[str]:
        with contextlib.suppress(BlockingIOError):
            self._rest += os.read(self.process.stdout.fileno(), 65536)
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode() for line in lines]

    def _end(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
