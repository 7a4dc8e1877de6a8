"""The files of frame rings: who owns one, and whether its owner still lives."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import re
import time
from pathlib import Path

from touchstone.data.frame_layout import HEADER, MAGIC, VERSION, header
from touchstone.errors import UsageError

FOLDER = Path("/dev/shm")
RETRY_S = 0.01


def ring_path(name: str) -> Path:
    """The file of a ring. Raises UsageError for a bad name."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", name):
        raise UsageError(f"'{name}' is no name for frames in shared memory; use up to 80 of A-Z a-z 0-9 _ . -")
    return FOLDER / f"touchstone-frames-{name}"


def own(path: Path, size: int) -> int:
    """A new file of `size` bytes at `path`, locked until it is closed. What a dead owner left is replaced. Raises
    UsageError."""
    try:
        # it has no name before it is whole and locked, and needs no cleaning up until then
        file = os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        raise UsageError(f"Cannot make shared memory in {path.parent}: {error.strerror}; give access to it.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # otherwise a full /dev/shm would end the process at its first write
        os.posix_fallocate(file, 0, size)
        while True:
            with contextlib.suppress(FileExistsError):
                # with a folder's descriptor, which a full path does not use, Python follows the link in /proc
                os.link(f"/proc/self/fd/{file}", path, src_dir_fd=file, follow_symlinks=True)
                return file
            discard_left(path)
    except OSError as error:
        os.close(file)
        raise UsageError(
            f"Cannot reserve {size / 1e6:.0f} MB of shared memory for {path}: {error.strerror}; make room there."
        ) from error
    except UsageError:
        os.close(file)
        raise


def attach(name: str, wait_s: float) -> tuple[int, mmap.mmap]:
    """File and memory of a ring whose writer lives; waits up to `wait_s` [real s] for it. Raises UsageError."""
    path, deadline = ring_path(name), time.monotonic() + wait_s
    while True:
        with contextlib.suppress(FileNotFoundError):
            file = _open(path)
            if is_owned(file) and os.fstat(file).st_size >= HEADER.itemsize:
                memory = mmap.mmap(file, 0)
                facts = header(memory)
                if facts["magic"] == MAGIC:
                    if facts["version"] == VERSION:
                        return file, memory
                    os.close(file)
                    raise UsageError(
                        f"The frames at {path} have version {facts['version']}, not {VERSION}; run one version of "
                        "Touchstone on both sides."
                    )
            os.close(file)
        if time.monotonic() >= deadline:
            raise UsageError(f"Nobody writes frames called '{name}' ({path}); start the process that renders them.")
        time.sleep(RETRY_S)


def discard_left(path: Path) -> None:
    """Takes away what a dead owner left at `path`. Raises UsageError if the owner lives."""
    with contextlib.suppress(FileNotFoundError):
        file = _open(path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # somebody else may have replaced it since
            if os.path.samestat(os.fstat(file), os.stat(path)):
                path.unlink()
        except BlockingIOError as error:
            raise UsageError(f"Frames are already written to {path}; end that process or take another name.") from error
        finally:
            os.close(file)


def is_owned(file: int) -> bool:
    """Whether somebody else holds the file's lock: its owner lives."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _open(path: Path) -> int:
    """Raises UsageError when it belongs to another user; FileNotFoundError passes."""
    try:
        return os.open(path, os.O_RDWR)
    except PermissionError as error:
        raise UsageError(f"{path} belongs to another user; take another name for the frames.") from error
