"""The fault API of every emulator: operations by name, as JSON lines on a Unix socket."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import UsageError


class Operations:
    """Every method `_do_NAME` is an operation NAME.

    A request is `{"op": NAME, ...}`, an answer a dict; one that cannot be done is `{"error": sentence}`. clock: the
    emulator's.
    """

    clock: Clock = REAL_TIME

    def carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carries out one request; `at_ns` in the answer is the emulator's clock's."""
        operation = getattr(self, f"_do_{request.get('op')}", None)
        if operation is None:
            return {"error": f"There is no operation '{request.get('op')}'; choose one of: {', '.join(self.names())}."}
        arguments = {key: value for key, value in request.items() if key != "op"}
        try:
            answer = operation(**arguments) or {}
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            return {"error": f"'{request['op']}' cannot be done with {arguments}: {error}."}
        return {**answer, "at_ns": self.clock.now_ns()}

    def names(self) -> list[str]:
        return sorted(name.removeprefix("_do_") for name in dir(self) if name.startswith("_do_"))


class RequestSocket:
    """A Unix socket in somebody's select loop: watch `sockets`, and give each ready one to `serve`."""

    def __init__(self, path: Path, operations: Operations) -> None:
        self._path, self._operations = path, operations
        self._clients: dict[socket.socket, bytes] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            path.unlink(missing_ok=True)
            self._listener.bind(str(path))
        except OSError as error:
            raise UsageError(
                f"Cannot open the control socket {path}: {error.strerror or error}; give another path."
            ) from error
        self._listener.listen()

    @property
    def sockets(self) -> list[socket.socket]:
        return [self._listener, *self._clients]

    def serve(self, ready: socket.socket) -> None:
        """Answers what `ready`, one of `sockets`, has to say."""
        if ready is self._listener:
            self._clients[self._listener.accept()[0]] = b""
            return
        try:
            data = ready.recv(65536)
        except OSError:
            data = b""
        if not data:
            del self._clients[ready]
            ready.close()
            return
        *lines, self._clients[ready] = (self._clients[ready] + data).split(b"\n")
        for line in lines:
            try:
                answer = self._operations.carry_out(json.loads(line))
            except (json.JSONDecodeError, AttributeError):
                answer = {"error": "A request is one JSON object on one line."}
            with contextlib.suppress(OSError):
                ready.sendall(json.dumps(answer).encode() + b"\n")

    def close(self) -> None:
        for each in self.sockets:
            each.close()
        self._path.unlink(missing_ok=True)
