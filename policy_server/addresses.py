"""Which addresses a policy server may have: this computer only, until keys (CURVE) protect the way."""

from __future__ import annotations

import ipaddress
import re

from touchstone.errors import UsageError


def check_address(url: str, verb: str) -> None:
    """Raises UsageError unless `url` is `ipc://PATH` or a `tcp://HOST:PORT` on loopback.

    verb: what is wanted of it (`bind` or `connect`); a server may bind to port 0 or `*`, any free port.
    """
    if url.startswith("ipc://") and len(url) > len("ipc://"):
        return
    match = re.fullmatch(r"tcp://(?P<host>\[[^\]]+\]|[^:/\[\]]+):(?P<port>\d{1,5}|\*)", url)
    if match is None:
        raise UsageError(f"Cannot {verb} to '{url}': write it like tcp://127.0.0.1:5555 or ipc:///tmp/policy.")
    port = match["port"]
    if port != "*" and int(port) > 65535:
        raise UsageError(f"Cannot {verb} to '{url}': a port lies between 0 and 65535.")
    if verb == "connect" and port in ("*", "0"):
        raise UsageError(f"Cannot connect to '{url}': name the port that the server printed when it started.")
    if not _is_loopback(match["host"].strip("[]")):
        raise UsageError(
            f"Cannot {verb} to '{url}': the link is not encrypted, so only this computer's own addresses are "
            "allowed; use tcp://127.0.0.1:PORT and reach it from elsewhere with "
            "`ssh -L PORT:127.0.0.1:PORT HOST`."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
