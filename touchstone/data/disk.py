"""Files that survive a crash: whole or absent, and on the disk before anything points to them."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from pathlib import Path

from touchstone.errors import TouchstoneError, UsageError


@contextmanager
def told_in_one_sentence(folder: Path):
    """Turns a failing disk (full, gone, read-only) into one sentence."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise TouchstoneError(
            f"The journal in {folder} cannot be written ({why}); make room and run the same command again to resume."
        ) from error


def writable_folder(folder: Path) -> None:
    """Makes `folder` if need be. Raises UsageError if it is not a folder or cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"OUT {folder} is not a folder; choose another OUT.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"OUT {folder} cannot be written ({why}); choose another OUT.") from error


def lock(path: Path):
    """An open file that holds the folder's lock until it is closed or the process dies.

    Raises UsageError if another run holds it.
    """
    stream = path.open("w")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise UsageError(
            f"Another run is writing to {path.parent}; wait until it ends, or choose another OUT."
        ) from None
    return stream


def replace_whole(path: Path, data: bytes) -> None:
    """Writes `data` so that a crash leaves the old file or the new one."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    sync(path.parent)


def append_line(path: Path, line: str) -> None:
    """Appends `line` and its newline, and waits until it is on the disk."""
    with path.open("ab") as stream:
        stream.write(line.encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def sync(path: Path) -> None:
    """Waits until a file or a folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
