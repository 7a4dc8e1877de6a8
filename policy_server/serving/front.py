"""A server's ZMQ front: one thread that owns the ROUTER socket and hands what comes to the desk."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

import zmq
from zmq.auth.thread import ThreadAuthenticator

from policy_server.addresses import Address
from policy_server.keys import protect_server
from policy_server.link import KEEPALIVE, OwnContext
from policy_server.serving.desk import Asker, Desk
from policy_server.wire import MAX_ARRAY_BYTES, MAX_ARRAYS
from touchstone.errors import UsageError

log = logging.getLogger(__name__)

RECEIVE_QUEUE = 8  # messages of one peer held in memory; then the peer is held up


class ZmqFront:
    """Bound when made. url: the address, its port resolved. Raises UsageError for one that cannot be served at.

    key, clients: the server's `.key_secret` file and the folder of its clients' `.key` files.
    """

    def __init__(
        self, desk: Desk, address: Address, stop: socket.socket, key: Path | None, clients: Path | None
    ) -> None:
        self._desk, self._stop = desk, stop
        self._context = OwnContext()
        self._authenticator: ThreadAuthenticator | None = None
        self._front = self._context.socket(zmq.ROUTER)
        try:
            self.url = self._bind(address, key, clients)
        except BaseException:
            self._end_context()
            raise
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._outbox: deque[tuple[bytes, list[Any]]] = deque()
        self._poller = zmq.Poller()
        for source in (self._front, self._wake, stop):
            self._poller.register(source, zmq.POLLIN)
        self._unread = 0
        desk.tally.gauge("touchstone_unread_answers", "Answers dropped: the client did not read.", lambda: self._unread)

    def wait(self) -> bool:
        """Waits for something and deals with it; False once there is a byte on the stop socket."""
        return self._step(None)

    def drain(self, give_up: float) -> None:
        """Answers what is under way, until `give_up` (time.monotonic() [s]) or another byte on the stop socket."""
        while (self._desk.working or self._outbox) and time.monotonic() < give_up and self._step(20):
            pass

    def ring(self) -> None:
        """Wakes `wait`, from any thread."""
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        self._end_context()

    def _step(self, timeout_ms: float | None) -> bool:
        ready = dict(self._poller.poll(timeout_ms))
        if self._wake in ready:
            os.eventfd_read(self._wake)
            while self._outbox:
                self._send(*self._outbox.popleft())
        if self._front in ready:
            self._receive()
        return self._stop.fileno() not in ready

    def _receive(self) -> None:
        frames = [self._front.recv(copy=False)]
        while self._front.rcvmore:
            frame = self._front.recv(copy=False)
            # what no message has is read and dropped, one frame after the other
            if len(frames) <= MAX_ARRAYS + 2:
                frames.append(frame)
        peer = frames[0].bytes
        self._desk.receive(Asker(peer, partial(self._post, peer)), [frame.buffer for frame in frames[1:]])

    def _post(self, peer: bytes, frames: list[Any]) -> None:
        # the socket belongs to the front's thread, and answers come from the policy's
        self._outbox.append((peer, frames))
        self.ring()

    def _send(self, peer: bytes, frames: list[Any]) -> None:
        # a peer that does not read must never hold up the front
        try:
            self._front.send_multipart([peer, *frames], flags=zmq.NOBLOCK, copy=False)
        except zmq.Again:
            self._unread += 1

    def _bind(self, address: Address, key: Path | None, clients: Path | None) -> str:
        for option, value in (
            (zmq.LINGER, 2000),
            (zmq.MAXMSGSIZE, MAX_ARRAY_BYTES),
            (zmq.RCVHWM, RECEIVE_QUEUE),
            (zmq.SNDHWM, 64),
            (zmq.IPV6, int("[" in address.endpoint)),
            # a peer that went away without a word must not hold its pictures in memory
            *KEEPALIVE,
            (zmq.HANDSHAKE_IVL, 5000),
        ):
            self._front.setsockopt(option, value)
        if key is not None and clients is not None:
            self._authenticator = protect_server(self._front, key, clients)
        try:
            self._front.bind(address.endpoint)
        except zmq.ZMQError as error:
            raise UsageError(_bind_sentence(address.endpoint, error)) from error
        return self._front.getsockopt_string(zmq.LAST_ENDPOINT)

    def _end_context(self) -> None:
        self._front.close()
        if self._authenticator is not None:
            self._authenticator.stop()
        self._context.term()


def _bind_sentence(bind: str, error: zmq.ZMQError) -> str:
    if error.errno == zmq.EADDRINUSE:
        return f"Cannot serve on {bind}: the address is in use; choose another port, or 0 for any free one."
    return f"Cannot serve on {bind}: {error.strerror}."
