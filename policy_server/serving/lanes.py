"""A server's front for clients on the same computer: a Unix socket and a thread for each, arrays in shared memory.

The thread of a client may run the policy itself while it is free, so that nothing is handed from thread to thread.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from policy_server.addresses import Address
from policy_server.bodies import MemoryRequest
from policy_server.codec import parse
from policy_server.datagrams import MAX_DATAGRAM, WRITTEN, hear_into, is_announcement, new_socket, send, split
from policy_server.serving.desk import Asker, Desk
from policy_server.serving.jobs import refusal, reply_header
from policy_server.shared_memory import ReadMemory, whole_pages
from policy_server.wire import Header, WireError, pack
from touchstone.errors import UsageError

log = logging.getLogger(__name__)

MAX_LANES = 16
WRITE_S = 1.0  # a client's longest time to write what it announced


class Lanes:
    """Bound when made. Raises UsageError for a path that cannot be served at."""

    def __init__(self, desk: Desk, address: Address, stop: socket.socket) -> None:
        self._desk, self._stop, self._path = desk, stop, address.path
        self.url = f"shm://{self._path}"
        self._listener = new_socket()
        try:
            # what is there is a socket that a server left behind: `running` looked
            if os.path.exists(self._path):
                os.unlink(self._path)
            self._listener.bind(self._path)
        except OSError as error:
            self._listener.close()
            raise UsageError(f"Cannot serve on {self.url}: {error.strerror}.") from error
        self._listener.listen(MAX_LANES)
        self._lanes: set[_Lane] = set()
        threading.Thread(target=self._accept, name="lanes", daemon=True).start()

    def wait(self) -> bool:
        """Waits; False once there is a byte on the stop socket, True when rung."""
        self._stop.settimeout(0.1)
        try:
            self._stop.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        return False

    def ring(self) -> None:
        """`wait` looks up ten times a second by itself."""

    def drain(self, give_up: float) -> None:
        """Lets what is under way be answered, until `give_up` (time.monotonic() [s])."""
        while self._desk.working and time.monotonic() < give_up and self.wait():
            pass

    def close(self) -> None:
        self._listener.close()
        for lane in list(self._lanes):
            lane.end()
        if os.path.exists(self._path):
            os.unlink(self._path)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            if len(self._lanes) >= MAX_LANES:
                _turn_away(link)
                continue
            lane = _Lane(self._desk, link, self._lanes)
            self._lanes.add(lane)
            lane.start()


class _Lane(threading.Thread):
    """One client, from its connection to its end."""

    def __init__(self, desk: Desk, link: socket.socket, lanes: set[_Lane]) -> None:
        super().__init__(name="lane", daemon=True)
        self._desk, self._link, self._lanes = desk, link, lanes
        self._memory: ReadMemory | None = None
        self._announced = False
        self._word = bytearray(len(WRITTEN) + 1)
        self._asker = Asker(id(self), self._reply, self._lease, self._settle, self._give_memory, waits=True)

    def run(self) -> None:
        buffer = bytearray(MAX_DATAGRAM)
        view = memoryview(buffer)
        try:
            while count := self._link.recv_into(buffer):
                self._hear(bytes(view[:count]))
        except OSError:
            pass
        finally:
            self._lanes.discard(self)
            self._link.close()

    def end(self) -> None:
        try:
            self._link.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._link.close()

    def _hear(self, words: bytes) -> None:
        if words == WRITTEN:
            return
        self._announced = is_announcement(words)
        try:
            frames = split(words)
            if self._memory is not None and self._memory.is_short:
                self._settle()
        except WireError as error:
            frames = [memoryview(b"")]
            log.debug("a datagram was refused: %s", error)
        self._desk.receive(self._asker, frames)

    def _settle(self) -> None:
        """Waits for the word that what was announced has been written. Raises WireError."""
        if not self._announced:
            return
        self._announced = False
        try:
            count = hear_into(self._link, self._word, WRITE_S)
            if self._word[:count] != WRITTEN:
                raise WireError("Another message came before the word that this one's arrays are written.")
        except TimeoutError as error:
            raise WireError(f"The arrays were announced and not written within {WRITE_S:g} s.") from error
        finally:
            self._link.settimeout(None)

    def _give_memory(self, header: Header) -> None:
        self._memory = ReadMemory(whole_pages(parse(MemoryRequest, header.body).slot_bytes))
        try:
            send(self._link, pack(reply_header(header)), self._memory.descriptor)
        finally:
            os.close(self._memory.descriptor)

    def _lease(self, slot: int) -> memoryview:
        if self._memory is None:
            raise WireError("This session has no shared memory here; ask for some first.")
        return self._memory.lease(slot)

    def _reply(self, frames: list[Any]) -> None:
        try:
            send(self._link, frames)
        except WireError as error:
            log.error("an answer was lost: %s", error)
        except OSError:
            log.debug("a client went away before its answer")


def _turn_away(link: socket.socket) -> None:
    sentence = f"{MAX_LANES} clients are connected through shared memory already; use another address for more."
    with suppress(OSError):
        send(link, refusal(Header(op="hello", id=0), "busy", sentence))
    link.close()
