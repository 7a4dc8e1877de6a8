"""The plant's socket in the loop that steps its physics."""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Callable
from pathlib import Path

from sim_twin.plant.physics import Physics
from touchstone.clock import Clock
from touchstone.errors import UsageError
from touchstone.plant import LARGEST, References


class Server:
    """Serves one plant on the packet socket `link`, as `touchstone/plant.py` says. Raises UsageError: no such place."""

    def __init__(self, link: Path, physics: Physics, joint_count: int, clock: Clock) -> None:
        self._link, self._physics, self._joint_count, self._clock = link, physics, joint_count, clock
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._clients: set[socket.socket] = set()
        try:
            if link.is_socket():
                link.unlink()
            self._listener.bind(str(link))
        except OSError as error:
            self._listener.close()
            raise UsageError(f"Cannot open {link}: {error.strerror or error}; give another path.") from error
        self._listener.listen()

    def run(self, stopped: Callable[[], bool], say: Callable[[str], None]) -> None:
        """Until `stopped()`, which is asked at every step. say: is given a sentence when something is wrong."""
        while not stopped():
            wait = self._clock.real(max(0, self._physics.due_ns - self._clock.now_ns()) / 1e9)
            ready, _, _ = select.select([self._listener, *self._clients], [], [], wait)
            problem = self._physics.catch_up()
            if problem:
                say(problem)
            for source in ready:
                if source is self._listener:
                    client, _ = self._listener.accept()
                    client.setblocking(False)
                    self._clients.add(client)
                else:
                    self._serve(source)

    def close(self) -> None:
        for each in (self._listener, *self._clients):
            each.close()
        self._link.unlink(missing_ok=True)

    def _serve(self, client: socket.socket) -> None:
        while True:
            try:
                message = client.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if not message:
                self._clients.discard(client)
                client.close()
                return
            answer = self._answer(message)
            # who asks and does not read loses answers; a plant waits for nobody
            with contextlib.suppress(OSError):
                client.send(answer)

    def _answer(self, message: bytes) -> bytes:
        references = References.decode(message, self._joint_count)
        if references is not None:
            return self._physics.exchange(references).encode()
        try:
            request = json.loads(message)
            answer = self._physics.carry_out(request)
        except (ValueError, AttributeError):
            answer = {"error": "A plant takes references, or one JSON object a packet."}
        return json.dumps(answer).encode()
