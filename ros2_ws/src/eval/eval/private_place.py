"""A folder for one run's sockets, and the shared memory of its pictures; gone with the run, however it ends."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from touchstone.data.frame_files import ring_path

PREFIX = "touchstone-bench-"
LOCK = "lock"


@contextmanager
def private_place() -> Iterator[Path]:
    """An empty folder with a short name, because a Unix socket's path has at most 107 letters. A ring that is called as
    the folder is taken away with it."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _remove_if_left(left)
    place = Path(tempfile.mkdtemp(prefix=PREFIX))
    with _locked(place):
        try:
            yield place
        finally:
            _remove(place)


def _locked(place: Path) -> TextIO:
    """Locks the folder for as long as the file is open; it has its name only once it is locked."""
    lock = (place / f".{LOCK}").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (place / f".{LOCK}").rename(place / LOCK)
    return lock


def _remove_if_left(place: Path) -> None:
    """Takes away what a run left that was killed: nobody holds its lock."""
    try:
        with (place / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(place)
    except OSError:  # in use, somebody else's, or just being made
        return


def _remove(place: Path) -> None:
    ring_path(place.name).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)
