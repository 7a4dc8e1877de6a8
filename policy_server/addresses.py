"""Addresses of policy servers: `tcp://HOST:PORT`, `ipc://PATH`, `shm://PATH`; with keys for all beyond loopback."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

from touchstone.errors import UsageError

_EXAMPLE = "write it like tcp://127.0.0.1:5555, ipc:///tmp/policy or shm:///tmp/policy"


@dataclass(frozen=True)
class Address:
    """endpoint: what ZMQ is given. transport: `shm` is a Unix socket of our own, at `path`, without ZMQ.

    key, server_key: files of the client's own pair and of the server's public key, or None without encryption.
    """

    transport: Literal["tcp", "ipc", "shm"]
    endpoint: str
    key: Path | None = None
    server_key: Path | None = None

    @property
    def path(self) -> str:
        """The socket's file (ipc, shm)."""
        return self.endpoint.removeprefix("ipc://")


def bind_address(url: str, encrypted: bool = False) -> Address:
    """Where a server may listen; port 0 or `*` is any free one. Raises UsageError."""
    return _parse(url, "bind", encrypted)


def connect_address(url: str) -> Address:
    """A server's address as a client is given it, `?key=FILE&server=FILE` behind it for an encrypted link.

    Raises UsageError.
    """
    bare, _, query = url.partition("?")
    files = dict(parse_qsl(query, keep_blank_values=True))
    key, server_key = files.pop("key", None), files.pop("server", None)
    if files or (key is None) != (server_key is None) or (query and not key):
        raise UsageError(
            f"Cannot connect to '{url}': what follows the question mark must name both key files, "
            "?key=laptop.key_secret&server=gpu-box.key."
        )
    address = _parse(bare, "connect", encrypted=key is not None)
    if key is None:
        return address
    return Address(address.transport, address.endpoint, Path(key), Path(server_key))


def _parse(url: str, verb: str, encrypted: bool) -> Address:
    local = re.fullmatch(r"(?P<transport>ipc|shm)://(?P<path>/?[^?]+)", url)
    if local is not None:
        if encrypted:
            raise UsageError(f"Cannot {verb} to '{url}' with keys: this computer's own sockets need none.")
        if len(local["path"].encode()) > 100:
            raise UsageError(f"Cannot {verb} to '{url}': a socket's path has at most 100 bytes.")
        return Address(local["transport"], f"ipc://{local['path']}")
    match = re.fullmatch(r"tcp://(?P<host>\[[^\]]+\]|[^:/\[\]?]+):(?P<port>\d{1,5}|\*)", url)
    if match is None:
        raise UsageError(f"Cannot {verb} to '{url}': {_EXAMPLE}.")
    port = match["port"]
    if port != "*" and int(port) > 65535:
        raise UsageError(f"Cannot {verb} to '{url}': a port lies between 0 and 65535.")
    if verb == "connect" and port in ("*", "0"):
        raise UsageError(f"Cannot connect to '{url}': name the port that the server printed when it started.")
    if not encrypted and not _is_loopback(match["host"].strip("[]")):
        raise UsageError(_NO_KEYS[verb].format(url=url))
    return Address("tcp", url)


_NO_KEYS = {
    "bind": "Cannot bind to '{url}' without keys: whoever reaches it could drive the policy; make some with "
    "`touchstone keys new NAME` and give --key and --clients, or bind to tcp://127.0.0.1:PORT.",
    "connect": "Cannot connect to '{url}' without keys: the pictures would travel in the open; write "
    "'{url}?key=laptop.key_secret&server=gpu-box.key' with files that `touchstone keys new` made.",
}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
