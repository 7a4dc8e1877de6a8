"""Addresses of other stacks' servers: `SCHEME://HOST:PORT?mapping=NAME`, on this computer only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from policy_server.dialects.mapping import DEFAULT, Mapping, load_mapping
from touchstone.errors import UsageError

#: fields of a mapping that an address may set
SETTABLE = ("execute", "chunk_length", "rate_hz", "task")


@dataclass(frozen=True)
class Address:
    """Where a server is and how it is spoken to. mapping_name: as in the address."""

    scheme: str
    host: str
    port: int
    mapping_name: str
    mapping: Mapping

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(url: str, scheme: str, verb: str = "connect") -> Address:
    """The parts of `url`, its mapping loaded. verb: `bind` allows port 0. Raises UsageError, in one sentence."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"Cannot {verb} to '{url}': {error}.") from error
    if parts.scheme != scheme or not host or port is None or parts.path or parts.fragment or "@" in parts.netloc:
        raise UsageError(f"Cannot {verb} to '{url}': write it like {scheme}://127.0.0.1:8000?mapping={DEFAULT}.")
    if verb == "connect" and port == 0:
        raise UsageError(f"Cannot connect to '{url}': name the port that the server listens on.")
    check_loopback(host, url, verb)
    name, changes = _options(url, parts.query)
    return Address(scheme, host, port, name, load_mapping(scheme, name, changes))


def check_loopback(host: str, url: str, verb: str) -> None:
    """Raises UsageError unless `host` is this computer itself."""
    try:
        own = ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = host == "localhost"
    if not own:
        raise UsageError(
            f"Cannot {verb} to '{url}': the link is not encrypted, so only this computer's own addresses are allowed; "
            "use 127.0.0.1 and reach another machine with `ssh -L PORT:127.0.0.1:PORT HOST`."
        )


def _options(url: str, query: str) -> tuple[str, dict]:
    try:
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise UsageError(f"'{url}' has an illegible end: {error}.") from error
    options = dict(given)
    if len(options) != len(given):
        raise UsageError(f"'{url}' says something twice.")
    name = options.pop("mapping", DEFAULT)
    for key in options:
        if key not in SETTABLE:
            raise UsageError(f"'{url}' sets '{key}'; an address may set mapping, {', '.join(SETTABLE)}.")
    return name, {key: None if (key, value) == ("rate_hz", "any") else value for key, value in options.items()}
