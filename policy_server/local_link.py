"""One client's way to a policy server on the same computer: a Unix socket, and a memory file for the arrays."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

import msgspec

from policy_server.addresses import Address
from policy_server.datagrams import MAX_DATAGRAM, WRITTEN, hear_into, new_socket, send, split
from policy_server.link import LinkLost
from policy_server.shared_memory import WrittenMemory
from policy_server.wire import unpack
from touchstone.errors import PolicyFailure

RETRY_S = 0.05


class LocalLink:
    """Does what `policy_server.link.Link` does, and `memory` besides."""

    def __init__(self, address: Address, url: str) -> None:
        self._path, self._url = address.path, url
        self._socket: socket.socket | None = None
        self._buffer = bytearray(MAX_DATAGRAM)
        self._view = memoryview(self._buffer)
        self.closed = False

    def wait_until_up(self, deadline: float) -> bool:
        """Whether the link stands by `deadline` (time.monotonic() [s])."""
        while self._socket is None:
            made = new_socket()
            try:
                made.connect(self._path)
            except OSError:
                made.close()
                if time.monotonic() + RETRY_S > deadline:
                    return False
                time.sleep(RETRY_S)
            else:
                self._socket = made
        return True

    def send(self, frames: list[Any], announces: bool = False) -> None:
        """announces: `send_written` follows. Raises LinkLost."""
        if self._socket is None:
            raise self._lost()
        try:
            # what cannot leave at once is not waited for: the server does not read
            self._socket.setblocking(False)
            send(self._socket, frames, announces=announces)
        except OSError as error:
            raise self._lost() from error

    def send_written(self) -> None:
        """What was announced lies in shared memory now. Raises LinkLost."""
        if self._socket is None:
            raise self._lost()
        try:
            self._socket.send(WRITTEN)
        except OSError as error:
            raise self._lost() from error

    def receive(self, deadline: float) -> list[Any] | None:
        """The next message's frames, None at the deadline. Raises LinkLost."""
        if self._socket is None:
            raise self._lost()
        try:
            count = hear_into(self._socket, self._buffer, max(1e-6, deadline - time.monotonic()))
        except TimeoutError:
            return None
        except OSError as error:
            raise self._lost() from error
        if not count:
            raise self._lost()
        return split(bytes(self._view[:count]))

    def memory(self, request: list[Any], slot_bytes: int, timeout_s: float) -> WrittenMemory:
        """The memory that the server makes on this request. Raises LinkLost or PolicyFailure."""
        self.send(request)
        assert self._socket is not None
        self._socket.settimeout(timeout_s)
        # answers to requests that were given up may come first
        while True:
            try:
                words, descriptors, _, _ = socket.recv_fds(self._socket, MAX_DATAGRAM, 1)
            except OSError as error:
                raise self._lost() from error
            if not words:
                raise self._lost()
            if descriptors:
                return WrittenMemory(descriptors[0], slot_bytes)
            header, _ = unpack(split(words))
            if header.op == "memory":
                raise PolicyFailure(str(msgspec.msgpack.decode(header.body).get("sentence")))

    def close(self, farewell: list[Any] | None = None) -> None:
        """farewell: a last message; may be called twice."""
        if self._socket is not None and farewell is not None:
            with suppress(OSError):
                send(self._socket, farewell)
        self._drop()
        self.closed = True

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _lost(self) -> LinkLost:
        self._drop()
        return LinkLost(f"The policy server at {self._url} is gone: it ended; its log says why.")
