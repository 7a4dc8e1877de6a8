"""One client's socket to a policy server: sends, receives, and knows when the other side is gone and back again."""

from __future__ import annotations

import time
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from policy_server.addresses import Address
from policy_server.keys import protect_client
from policy_server.wire import MAX_ARRAY_BYTES
from touchstone.errors import PolicyFailure, UsageError

#: a TCP peer that vanished is noticed within 10 s. Not ZMQ's own heartbeats: libzmq 4.3.5 aborts the whole process when
#: one is due on a connection that ended while its messages were held back
KEEPALIVE = (
    (zmq.TCP_KEEPALIVE, 1),
    (zmq.TCP_KEEPALIVE_IDLE, 2),
    (zmq.TCP_KEEPALIVE_INTVL, 2),
    (zmq.TCP_KEEPALIVE_CNT, 4),
)

_UNFIT = "the keys do not fit: its public key is another one, or only one of the two sides was given keys"
_FAILED = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "it does not know this client's key; put the client's `.key` file into its "
    "--clients folder and start it again",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: _UNFIT,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: _UNFIT,
}


class OwnContext(zmq.Context):
    """A context that whoever made it ends. pyzmq's would also be ended by the garbage collector, which then waits for
    ever if it comes before the sockets: a client that nobody closed must not hang its process."""

    def __del__(self) -> None:
        pass


class LinkLost(PolicyFailure):
    """The server is gone: it ended, or the network broke."""


class Link:
    """Connects by itself, again and again. A request that was under way when the link broke is lost."""

    def __init__(self, address: Address, url: str) -> None:
        self._url = url
        self._context = OwnContext()
        self._socket = self._context.socket(zmq.DEALER)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.IMMEDIATE, 1),  # nothing is queued for a server that is not there
            (zmq.MAXMSGSIZE, MAX_ARRAY_BYTES),
            (zmq.IPV6, int("[" in url)),
            (zmq.SNDHWM, 8),
            (zmq.RECONNECT_IVL, 50),
            (zmq.RECONNECT_IVL_MAX, 1000),
            *KEEPALIVE,
        ):
            self._socket.setsockopt(option, value)
        self._monitor = self._socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | sum(_FAILED)
        )
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        self._up = False
        try:
            if address.key is not None and address.server_key is not None:
                protect_client(self._socket, address.key, address.server_key)
            self._socket.connect(address.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise UsageError(f"Cannot connect to {url}: {error.strerror}.") from error
        except BaseException:
            self.close()
            raise

    def wait_until_up(self, deadline: float) -> bool:
        """Whether the link stands by `deadline` (time.monotonic() [s]). Raises UsageError when the keys do not fit."""
        self._hear()
        while not self._up and (left_s := deadline - time.monotonic()) > 0:
            self._monitor.poll(max(1, left_s * 1e3))
            self._hear()
        return self._up

    def send(self, frames: list[Any]) -> None:
        """Raises LinkLost when it cannot leave at once: nothing waits for a server that is gone or does not read."""
        try:
            self._socket.send_multipart(frames, flags=zmq.NOBLOCK, copy=False)
        except zmq.Again as error:
            self._hear()
            raise self._lost() from error

    def receive(self, deadline: float) -> list[Any] | None:
        """The next message's frames, None at the deadline. Raises LinkLost when the link broke meanwhile."""
        while True:
            left_ms = max(0.0, (deadline - time.monotonic()) * 1e3)
            ready = self._poller.poll(left_ms)
            if any(source is self._socket for source, _ in ready):
                return [frame.buffer for frame in self._socket.recv_multipart(copy=False)]
            if ready and self._hear():
                raise self._lost()
            if time.monotonic() >= deadline:
                return None

    def close(self, farewell: list[Any] | None = None) -> None:
        """farewell: a last message, sent if that is possible at once; may be called twice."""
        if self._socket.closed:
            return
        if farewell is not None and self._up:
            try:
                self._socket.setsockopt(zmq.LINGER, 100)
                self._socket.send_multipart(farewell, flags=zmq.NOBLOCK)
            except zmq.ZMQError:
                pass
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close()
        self._context.term()

    @property
    def closed(self) -> bool:
        return self._socket.closed

    def _hear(self) -> bool:
        """Takes in what happened to the link; whether it broke since the last time."""
        broke = False
        while self._monitor.poll(0):
            event = parse_monitor_message(self._monitor.recv_multipart())["event"]
            if event in _FAILED:
                raise UsageError(f"The policy server at {self._url} refuses the link: {_FAILED[event]}.")
            broke |= event == zmq.EVENT_DISCONNECTED and self._up
            self._up = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
        return broke

    def _lost(self) -> LinkLost:
        return LinkLost(f"The policy server at {self._url} is gone: it ended or the link broke; its log says why.")
