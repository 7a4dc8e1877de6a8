"""The emulator's process: TCP for clients, UDP for the state, a Unix socket for faults, one loop for all."""

from __future__ import annotations

import contextlib
import heapq
import json
import select
import socket
from pathlib import Path
from typing import Any

from hardware.emulators.operations import RequestSocket
from hardware.emulators.realman.controller import Controller
from hardware.emulators.realman.faults import Faults
from touchstone.clock import Clock
from touchstone.errors import UsageError

BEAT = 0.004  # [s] between looks at the plant when the wire is quiet
PUSH_UNIT = 0.005  # [s] of the push's cycle


class Server:
    """Serves a controller until `run` returns. host, port: TCP, port 0 = any; control: path of the Unix socket."""

    def __init__(self, controller: Controller, host: str, port: int, control: Path, clock: Clock) -> None:
        self._controller, self._clock, self._began = controller, clock, clock.now()
        self.host, self.port = host, port
        self._listener: socket.socket | None = None
        self._clients: dict[socket.socket, tuple[int, bytes]] = {}
        self._accepted = self._answers = 0
        self._due: list[tuple[float, int, socket.socket, bytes]] = []
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._next_push = 0.0
        self._faults = Faults(controller, self._plug)
        self._requests = RequestSocket(control, self._faults)
        self._plug(True)
        self._udp.bind((host, 0))  # drivers know a controller by its address

    def run(self, stopped) -> None:
        """Serves until `stopped()` is true."""
        while not stopped():
            heard = [] if self._faults.hung else [*self._clients, *([self._listener] if self._listener else [])]
            ready, _, _ = select.select([*self._requests.sockets, *heard], [], [], self._clock.real(self._wait()))
            self._controller.advance(self._now())
            for source in ready:
                if source is self._listener:
                    self._accept()
                elif source in self._clients:
                    self._hear(source)
                elif source.fileno() >= 0 and source in self._requests.sockets:
                    self._requests.serve(source)
            if not self._faults.hung:
                self._announce()
                self._say()
                self._push()

    def close(self) -> None:
        self._plug(False)
        self._udp.close()
        self._requests.close()

    def _now(self) -> float:
        return self._clock.now() - self._began

    def _wait(self) -> float:
        due = min(self._next_push, self._due[0][0] if self._due else self._next_push)
        return min(BEAT, max(0.0, due - self._now()))

    def _plug(self, plugged: bool) -> None:
        if plugged and self._listener is None:
            self._listener = socket.socket()
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self._listener.bind((self.host, self.port))
            except OSError as error:
                raise UsageError(
                    f"Cannot listen on {self.host}:{self.port}: {error.strerror or error}; give another host or port."
                ) from error
            self._listener.listen()
            self.port = self._listener.getsockname()[1]
        elif not plugged and self._listener is not None:
            for client in list(self._clients):
                self._drop(client)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
        self._accepted += 1
        self._clients[client] = (self._accepted, b"")

    def _drop(self, client: socket.socket) -> None:
        self._clients.pop(client, None)
        client.close()

    def _hear(self, client: socket.socket) -> None:
        number, rest = self._clients[client]
        try:
            data = client.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._drop(client)
        *lines, rest = (rest + data).split(b"\n")
        self._clients[client] = (number, rest)
        for line in lines:
            self._faults.commands.append((self._controller.now, number, line.decode(errors="replace").strip()))
            try:
                message = json.loads(line)
                answers = self._controller.handle(message) if isinstance(message, dict) else []
            except (ValueError, KeyError, TypeError, IndexError):
                continue  # a controller says nothing to what it does not understand
            for answer in answers:
                if message["command"] not in self._faults.silent:
                    self._reply(client, answer)

    def _reply(self, client: socket.socket, answer: dict[str, Any]) -> None:
        # the SDK looks for a key without a blank behind it
        line = json.dumps(answer, separators=(",", ":")).encode() + b"\r\n"
        spoilt, late = self._faults.spoil(line)
        if spoilt is not None:
            self._answers += 1
            heapq.heappush(self._due, (self._now() + late, self._answers, client, spoilt))

    def _announce(self) -> None:
        for said in self._controller.announcements():
            for client in self._clients:
                self._reply(client, said)

    def _say(self) -> None:
        while self._due and self._due[0][0] <= self._now():
            _, _, client, line = heapq.heappop(self._due)
            if client in self._clients:
                # a client that does not read loses bytes
                with contextlib.suppress(OSError):
                    client.send(line)

    def _push(self) -> None:
        now, config = self._now(), self._controller.push_config
        if now < self._next_push:
            return
        self._next_push = max(self._next_push + config["cycle"] * PUSH_UNIT, now)
        if not config["enable"] or self._faults.udp_silent or self._listener is None:
            return
        state = json.dumps(self._controller.push(), separators=(",", ":")).encode()
        with contextlib.suppress(OSError):
            self._udp.sendto(state, (config["ip"], config["port"]))
