"""The set-up from beginning to end. Everything that is already there is skipped, so a second run starts at once."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from touchstone.environment import clean_environment, underlays

from . import machine as machines
from . import ros_packages, system_parts
from .problems import SetupProblem
from .progress import Progress
from .venv import Venv


def main(root: Path) -> int:
    """0 when everything is there, 2 with one sentence (and a line to paste) when something stands in the way."""
    started = time.monotonic()
    try:
        with _only_one(root) as lock:
            worked = _set_up(root, Progress(root / ".setup" / "setup.log", lock))
    except SetupProblem as problem:
        sys.stdout.flush()
        print(problem, file=sys.stderr)
        if problem.paste:
            print(problem.paste, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 130
    if worked:
        print(f"Set up in {time.monotonic() - started:.0f} s.")
    return 0


def _set_up(root: Path, progress: Progress) -> bool:
    machine = machines.look()
    machines.check(machine)
    venv = Venv(root)
    lacking = system_parts.missing(machine, also=venv.packages())
    wheels_ready = venv.ready()
    if not wheels_ready:
        venv.announce(machine, progress)
    if lacking:
        system_parts.install(machine, lacking, progress)
    env = _environment(progress, quiet=wheels_ready)
    if not wheels_ready:
        venv.install(machine, env, progress)
    packages = ros_packages.changed(venv)
    if packages:
        ros_packages.install(venv, packages, env, progress)
    return bool(lacking or packages or not wheels_ready)


def _environment(progress: Progress, quiet: bool) -> dict[str, str]:
    found = underlays(os.environ)
    if found and not quiet:
        progress.say(f"    leaving out the sourced ROS installation {', '.join(found)}")
    return {**clean_environment(os.environ), "PIP_USER": "0"}


@contextmanager
def _only_one(root: Path):
    """Two set-ups of one checkout wait for each other (`make -j lint test`); yields the lock's descriptor."""
    folder = root / ".setup"
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as problem:
        raise SetupProblem(f"{root} cannot be written ({problem.strerror}); clone into a folder of yours.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another set-up of this folder to end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()
