"""One driver at a time on a port: a lock file, since serial ports have no lock of their own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from touchstone.errors import UsageError


class PortLock:
    """Held from `take` to `release`, or until the process ends in whatever way."""

    def __init__(self, port: str) -> None:
        self._port = port
        name = os.path.realpath(port).strip("/").replace("/", "-")
        self._path = Path(tempfile.gettempdir()) / f"touchstone-{name}.lock"
        self._file: int | None = None

    def take(self) -> None:
        """Raises UsageError, naming the process that has it."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UsageError(f"Cannot open the lock file {self._path}: {error.strerror}; remove it.") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(file, 20).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise UsageError(f"{self._port} is in use by process {holder}; end that process first.") from error
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None
