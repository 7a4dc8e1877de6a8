"""CURVE keys: who a policy server is, and which clients it lets in.

A pair is two files, `NAME.key` (public) and `NAME.key_secret`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq
from zmq.auth import create_certificates, load_certificate
from zmq.auth.thread import ThreadAuthenticator

from touchstone.errors import UsageError

DOMAIN = "touchstone"  # of ZMQ's authentication protocol (RFC 27)


def new_pair(name: str, folder: Path) -> tuple[Path, Path]:
    """Writes a new pair and returns the files, public first. Raises UsageError, and never overwrites a key."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name):
        raise UsageError(f"'{name}' is no name for a key: use letters, digits, '.', '_' and '-'.")
    public, secret = folder / f"{name}.key", folder / f"{name}.key_secret"
    for file in (public, secret):
        if file.exists():
            raise UsageError(f"{file} exists already; choose another name, or remove it if nothing uses it any more.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _private():
            create_certificates(folder, name)
        public.chmod(0o644)
    except OSError as error:
        raise UsageError(f"Cannot write keys into {folder}: {error.strerror}.") from error
    return public, secret


def protect_client(socket: zmq.Socket, key: Path, server_key: Path) -> None:
    """Makes a client's socket encrypt and recognise its server. Raises UsageError for files that are no keys."""
    socket.curve_publickey, socket.curve_secretkey = _pair(key)
    socket.curve_serverkey = _public(server_key)


def protect_server(socket: zmq.Socket, key: Path, clients: Path) -> ThreadAuthenticator:
    """Makes a server's socket encrypt and let in only the clients whose `.key` files lie in `clients`.

    Returns what decides, to be stopped after the socket is closed. Raises UsageError.
    """
    public, secret = _pair(key)
    if not clients.is_dir():
        raise UsageError(f"There is no folder {clients}; put the public `.key` file of every client into it.")
    allowed = {_public(file) for file in sorted(clients.glob("*.key"))}
    if not allowed:
        raise UsageError(f"No client could connect: {clients} holds no `.key` file.")
    authenticator = ThreadAuthenticator(socket.context)
    authenticator.start()
    authenticator.configure_curve_callback(domain=DOMAIN, credentials_provider=_AllowList(allowed))
    socket.zap_domain = DOMAIN.encode()
    socket.curve_publickey, socket.curve_secretkey = public, secret
    socket.curve_server = True
    return authenticator


class _AllowList:
    def __init__(self, keys: set[bytes]) -> None:
        self._keys = keys

    def callback(self, domain: str, key: bytes) -> bool:
        return key in self._keys


def _pair(file: Path) -> tuple[bytes, bytes]:
    public, secret = _load(file)
    if secret is None:
        raise UsageError(f"{file} holds no secret key; name the `.key_secret` file of the pair.")
    return public, secret


def _public(file: Path) -> bytes:
    return _load(file)[0]


def _load(file: Path) -> tuple[bytes, bytes | None]:
    try:
        return load_certificate(file)
    except OSError as error:
        raise UsageError(f"There is no key file {file}; make one with `touchstone keys new NAME`.") from error
    except Exception as error:  # a file that is no certificate fails in many ways
        raise UsageError(f"{file} is no key file; make one with `touchstone keys new NAME`.") from error


@contextmanager
def _private() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
