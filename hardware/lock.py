"""One driver at a time on an arm: a lock file, since neither serial ports nor network controllers have a lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from touchstone.errors import UsageError


class Lock:
    """Held from `take` to `release`, or until the process ends in whatever way. key: names it; title: for people.

    `release` removes the file; whoever waited for it with the file open sees that it is gone, and makes a new one.
    """

    def __init__(self, key: str, title: str) -> None:
        self._title = title
        self._path = Path(tempfile.gettempdir()) / f"touchstone-{key}.lock"
        self._file: int | None = None

    def take(self) -> None:
        """Raises UsageError, naming the process that has it."""
        while self._file is None:
            self._file = self._locked()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _locked(self) -> int | None:
        """The locked file; None if it was removed meanwhile."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UsageError(f"Cannot open the lock file {self._path}: {error.strerror}; remove it.") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(file, 20).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise UsageError(f"{self._title} is in use by process {holder}; end that process first.") from error
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(self._path)):
                return file
        os.close(file)
        return None
