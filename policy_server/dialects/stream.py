"""A websocket to a server on this computer, of which every step has a deadline."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from policy_server.wire import MAX_MESSAGE_BYTES
from touchstone.errors import DeadlineExceeded, PolicyFailure

CLOSE_S = 0.5  # how long a farewell may take
BUSY_RETRY_S = 0.1


class Stream:
    """Opened when made. who: the server's address, for sentences.

    After DeadlineExceeded or PolicyFailure it is closed, unless said otherwise: an answer that comes late finds nobody,
    and can never be taken for a later one.
    """

    def __init__(self, host: str, port: int, who: str, deadline: float):
        self._who = who
        self._connection = self._open(host, port, deadline)

    def send(self, message: bytes, deadline: float) -> None:
        """Sends one message. deadline: time.monotonic() [s]. Raises DeadlineExceeded or PolicyFailure."""
        # websockets sends without a limit: a server that does not read is cut off by its socket
        watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._connection.send(message)
        except (ConnectionClosed, OSError) as error:
            raise self._failed(error, deadline) from error
        finally:
            watchdog.cancel()

    def receive(self, deadline: float, keep: bool = False) -> bytes | str:
        """The next message. keep: stays open after DeadlineExceeded, for protocols whose answers carry an id.

        Raises DeadlineExceeded or PolicyFailure.
        """
        try:
            return self._connection.recv(timeout=max(0.0, deadline - time.monotonic()))
        except TimeoutError as error:
            if not keep:
                self.drop()
            raise DeadlineExceeded(f"The server at {self._who} did not answer in time.") from error
        except (ConnectionClosed, WebSocketException, OSError) as error:
            raise self._failed(error, deadline) from error

    def drop(self) -> None:
        """Ends the connection at once."""
        self._cut()
        self.close()

    def close(self) -> None:
        """Takes leave; may be called twice."""
        with suppress(ConnectionClosed, OSError):
            self._connection.close()

    def _cut(self) -> None:
        with suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)

    def _failed(self, error: Exception, deadline: float) -> PolicyFailure:
        self.drop()
        if time.monotonic() >= deadline:
            return DeadlineExceeded(f"The server at {self._who} did not read its message in time.")
        code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd is not None else None
        why = f" (close code {code})" if code is not None else ""
        if isinstance(error, ConnectionClosed) and error.sent is not None and error.sent.code == 1009:
            return PolicyFailure(
                f"The server at {self._who} sent a message of over {MAX_MESSAGE_BYTES >> 20} MB; it was not read."
            )
        return PolicyFailure(f"The server at {self._who} is gone: it ended or the link broke{why}; its log says why.")

    def _open(self, host: str, port: int, deadline: float) -> ClientConnection:
        while True:
            try:
                return self._handshake(host, port, deadline)
            except InvalidStatus as error:
                status = error.response.status_code
                if status != 503 or time.monotonic() + BUSY_RETRY_S >= deadline:
                    reason = "serves another client" if status == 503 else f"refuses with HTTP status {status}"
                    raise PolicyFailure(f"The server at {self._who} {reason}.") from error
                time.sleep(BUSY_RETRY_S)
            except TimeoutError as error:
                raise DeadlineExceeded(f"Nothing at {self._who} answered in time.") from error
            except ConnectionRefusedError as error:
                raise PolicyFailure(f"Nothing listens at {self._who}.") from error
            # a redirect is a ValueError: with a socket of our own it is not followed
            except (InvalidHandshake, WebSocketException, EOFError, OSError, ValueError) as error:
                raise PolicyFailure(f"What listens at {self._who} opens no websocket.") from error

    def _handshake(self, host: str, port: int, deadline: float) -> ClientConnection:
        left = max(0.001, deadline - time.monotonic())
        # a socket of our own follows no redirect and takes no proxy: it stays on this computer
        raw = socket.create_connection((host, port), timeout=left)
        raw.settimeout(None)
        # entering the context is what both old and new versions of websockets give a connection for
        return ExitStack().enter_context(
            connect(
                f"ws://{f'[{host}]' if ':' in host else host}:{port}",
                sock=raw,
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                open_timeout=max(0.001, deadline - time.monotonic()),
                close_timeout=CLOSE_S,
                # a server that compiles its model answers no pings; our deadlines say when it is gone
                ping_interval=None,
            )
        )
