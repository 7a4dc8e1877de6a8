"""A whole server: a desk, and one of the two fronts before it."""

from __future__ import annotations

import fcntl
import logging
import socket
import time
from pathlib import Path

from policy_server.addresses import Address, bind_address
from policy_server.serving.desk import Desk
from policy_server.serving.front import ZmqFront
from policy_server.serving.host import PolicyHost
from policy_server.serving.lanes import Lanes
from policy_server.serving.tally import Tally
from touchstone.errors import UsageError

log = logging.getLogger(__name__)

DRAIN_S = 5.0  # what the requests under way get when the server is told to stop


class PolicyServer:
    """Bound when made, and loading. url: the address, its port resolved. A byte on `stop_socket` ends `run`.

    key, clients: the server's `.key_secret` file and the folder of its clients' `.key` files. Raises UsageError for an
    address that cannot be served at.
    """

    def __init__(self, host: PolicyHost, bind: str, key: Path | None = None, clients: Path | None = None) -> None:
        if (key is None) != (clients is None):
            raise UsageError("An encrypted server needs both --key FILE and --clients FOLDER.")
        address = bind_address(bind, encrypted=key is not None)
        self._host, self._desk = host, Desk(host)
        self._lock = _take_path(address)
        self._stopped, self.stop_socket = socket.socketpair()
        try:
            if address.transport == "shm":
                self._front: ZmqFront | Lanes = Lanes(self._desk, address, self._stopped)
            else:
                self._front = ZmqFront(self._desk, address, self._stopped, key, clients)
        except BaseException:
            self._let_go()
            raise
        self.url = self._front.url
        host.changed = self._front.ring

    @property
    def tally(self) -> Tally:
        return self._desk.tally

    def run(self) -> None:
        """Serves until a byte comes on `stop_socket`, then answers what is under way. Raises UsageError when the policy
        that it was started with cannot be loaded."""
        self._desk.open()
        while self._front.wait():
            if self._host.current.state == "failed":
                raise UsageError(self._host.current.sentence)
        self._stopped.recv(64)
        self._desk.close()
        self._front.drain(time.monotonic() + DRAIN_S)
        if self._desk.unanswered:
            log.warning("ended with %d requests unanswered", self._desk.unanswered)

    def close(self) -> None:
        self._desk.close()
        self._front.close()
        self._let_go()

    def _let_go(self) -> None:
        self._stopped.close()
        self.stop_socket.close()
        if self._lock is not None:
            self._lock.close()


def _take_path(address: Address):
    """Holds a lock beside a socket's path: a second server would take the path from one that is using it."""
    if address.transport == "tcp":
        return None
    url = f"{address.transport}://{address.path}"
    path = Path(address.path)
    # binding removes what is there, which must not be anything of value
    if path.exists() and not path.is_socket():
        raise UsageError(f"Cannot serve on {url}: there is a file of that name; choose another path.")
    try:
        lock = open(address.path + ".lock", "w")  # noqa: SIM115 - held until the server closes
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"Cannot serve on {url}: another server uses it; choose another path.") from error
    except OSError as error:
        raise UsageError(f"Cannot serve on {url}: {error.strerror}.") from error
    return lock
