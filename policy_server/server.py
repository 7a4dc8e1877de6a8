"""`touchstone serve`: a policy behind a ZMQ address, until a signal ends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from prometheus_client import start_http_server

from policy_server.loading import load_policy
from policy_server.serving import logs
from policy_server.serving.host import PolicyHost
from policy_server.serving.running import PolicyServer
from touchstone.errors import UsageError
from touchstone.policy import Policy


def serve(
    policies: Sequence[str],
    bind: str,
    ready: Callable[[str], None] | None = None,
    *,
    key: Path | None = None,
    clients: Path | None = None,
    metrics_port: int | None = None,
    log: Literal["text", "json"] = "text",
    load: Callable[[str], Policy] = load_policy,
) -> int:
    """Serves until SIGINT or SIGTERM, which let the requests under way finish; a second one does not wait. Returns 0.

    Must run in the main thread. policies: names, of which the first is served and the others may be swapped in. bind:
    `tcp://127.0.0.1:PORT` (0 or * takes a free one), `ipc://PATH` or `shm://PATH`; any other interface with key and
    clients (`policy_server.keys`). ready: called with the bound address, after it is printed. metrics_port: for
    Prometheus, on loopback. load: makes a policy of its name. Raises UsageError for an address that cannot be served at
    or a policy that cannot be loaded.
    """
    logs.set_up(log)
    server = PolicyServer(PolicyHost(policies, load), bind, key, clients)
    wake = server.stop_socket
    wake.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    # the byte is written by the interpreter's C handler, so a signal cannot slip between a check and the poll
    wake_before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    try:
        _tell_prometheus(server, metrics_port)
        print(f"serving {policies[0]} on {server.url}", flush=True)
        if ready is not None:
            ready(server.url)
        server.run()
    finally:
        signal.set_wakeup_fd(wake_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        server.close()
    return 0


def _tell_prometheus(server: PolicyServer, port: int | None) -> None:
    if port is None:
        return
    try:
        start_http_server(port, addr="127.0.0.1", registry=server.tally.registry)
    except OSError as error:
        raise UsageError(f"Cannot tell metrics on port {port}: {os.strerror(error.errno or 0)}.") from error
