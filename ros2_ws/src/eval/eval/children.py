"""Processes that never outlive their parent, each with a log file, stopped gently and then for certain."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

#: how long a process may take to end after SIGINT [s]
GRACE = 5.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Child:
    """A running process. log: the file that takes its stderr, and its stdout too unless `stdout` is a pipe."""

    name: str
    title: str
    log: Path
    process: subprocess.Popen
    log_start: int

    @property
    def code(self) -> int | None:
        """Exit code, -N after signal N, None while it runs."""
        return self.process.poll()

    def complaint(self) -> str:
        """The last line that it wrote to its log in this run; empty if there is none."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            lines = log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def start(
    name: str,
    title: str,
    command: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    piped: bool = False,
    nice: int = 0,
) -> Child:
    """Starts `command` in a session of its own, to be killed by the kernel when this process dies.

    piped: its stdout is read from `Child.process.stdout`. nice: added to its niceness. To be called from the main
    thread.
    """
    parent = os.getpid()

    def tie_to_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.nice(nice)
        if os.getppid() != parent:  # it died before the tie held
            os._exit(1)

    with log.open("ab") as stream:
        stream.write(f"--- {title}, {datetime.now(timezone.utc).isoformat(timespec='seconds')}\n".encode())
        stream.flush()
        log_start = stream.tell()
        process = subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else stream,
            stderr=stream,
            start_new_session=True,
            preexec_fn=tie_to_parent,
        )
    return Child(name, title, log, process, log_start)


def stop(children: Sequence[Child]) -> bool:
    """SIGINT to all, SIGKILL to what is left of their groups after the grace. True if nothing had to be killed."""
    for child in children:
        if child.code is None:
            child.process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + GRACE
    gentle = True
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, deadline - time.monotonic()))
        gentle &= child.code is not None
        # its own children, if it had any, are in its group
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
    return gentle
