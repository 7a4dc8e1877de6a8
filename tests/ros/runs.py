"""Starting, watching and killing whole runs, as a user would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from touchstone.data.mcap_log import read_episode, read_images
from touchstone.environment import clean_environment

#: far over what a loaded machine needs, so that only a hang fails [s]
LIMIT = 150.0


class Run:
    """`touchstone eval touch-emoji` in a process of its own."""

    def __init__(self, out: Path, world: str, policy: str, trials: int, *options: str) -> None:
        self.out = out
        command = ["eval", "touch-emoji", "--world", world, "--policy", policy, "--trials", str(trials), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "touchstone.cli", *command, "--out", str(out)],
            env={**clean_environment(os.environ), "COLUMNS": "400"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a test run in the background of a shell inherits an ignored Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.pids: dict[int, str] = {}

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self, limit: float = LIMIT) -> tuple[int, str, str]:
        """Exit code, stdout and stderr, once it has ended by itself."""
        stdout, stderr = self.process.communicate(timeout=limit)
        return self.process.returncode, stdout, stderr

    def error_line(self, begins: str) -> str:
        """The first line on stderr that begins so."""
        for line in self.process.stderr:
            if line.startswith(begins):
                return line.strip()
        raise AssertionError(f"nothing on stderr begins with {begins!r}")

    def until_in_episode(self, index: int, limit: float = LIMIT) -> None:
        """Waits until `index` episodes are in the journal and the next one is being recorded."""

        def in_it() -> bool:
            assert self.process.poll() is None, self.process.communicate()[1]
            return finished(self.out) >= index and any((self.out / "episodes").glob(f"*{index:04d}*.part"))

        wait_until(in_it, limit)
        self.pids = descendants(self.process.pid)

    def pid_of(self, word: str) -> int:
        """The one process of the run whose command line has `word` in it."""
        (pid,) = [pid for pid, command in self.pids.items() if word in command]
        return pid

    def kill(self, word: str) -> None:
        os.kill(self.pid_of(word), signal.SIGKILL)

    def orphans(self) -> dict[int, str]:
        """Those of its processes that still run; waits a moment for the kernel to take them down."""
        with suppress(AssertionError):
            wait_until(lambda: not self._alive(), 5.0)
        return self._alive()

    def _alive(self) -> dict[int, str]:
        return {pid: command for pid, command in self.pids.items() if command_of(pid) == command}


def complete(out: Path, world: str, policy: str, trials: int, *options: str, limit: float = LIMIT) -> str:
    """Runs to the end and returns what was printed."""
    with Run(out, world, policy, trials, *options) as run:
        code, stdout, stderr = run.end(limit)
    assert code == 0, stderr
    return stdout


def finished(out: Path) -> int:
    lines = out / "episodes.jsonl"
    return lines.read_text().count("\n") if lines.exists() else 0


def logs(out: Path) -> dict[str, tuple]:
    """Episode -> what must not depend on where it ran: spec, facts, events, actions, pictures, verdict."""
    found = {}
    for path in sorted((out / "episodes").glob("*.mcap")):
        log = read_episode(path)
        actions = [(chunk.t0_ns, chunk.kind, chunk.actions.tolist(), chunk.gripper.tolist()) for chunk in log.chunks]
        pictures = [zlib.crc32(picture) for picture in read_images(path)]
        found[path.stem] = (log.spec, log.facts, log.events, actions, pictures, log.verdict)
    return found


def wait_until(true: Callable[[], bool], limit: float = LIMIT) -> None:
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.005)


def command_of(pid: int) -> str:
    """Its command line; empty if there is no such process or it is dead already."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def descendants(root: int) -> dict[int, str]:
    """Process id -> command line of everything that `root` started, and what that started."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, new = set(), {root}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - found
        found |= new
    return {pid: command_of(pid) for pid in found}
