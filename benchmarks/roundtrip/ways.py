"""The ways to carry an observation to a policy and a chunk back: which programs, and what each of them does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from roundtrip.payload import THINKING_S
from roundtrip.processes import OURS, PEERS, Client, Server

REFERENCE = "openpi"


@dataclass(frozen=True)
class Way:
    """server: from (folder for sockets, whether the policy takes 20 ms) to a running server; None: needs none.

    client: from the server's address to a client that starts. slowness: how many times fewer requests it gets.
    does: its copies and checks, for the reader.
    """

    name: str
    does: str
    server: Callable[[Path, bool], Server] | None
    client: Callable[[str], Client]
    slowness: int = 1


def _touchstone(name: str, does: str, bind: str, *flags: str) -> Way:
    def server(folder: Path, thinking: bool) -> Server:
        policy = "roundtrip.our_policy:" + ("Batching" if thinking else "Instant")
        address = bind.format(socket=folder / name)
        return Server(OURS, ["-m", "touchstone.cli", "serve", "--policy", policy, "--bind", address])

    def client(url: str) -> Client:
        return Client(OURS, ["-m", "roundtrip.our_client", url, *flags])

    return Way(f"touchstone {name}", does, server, client)


def _vla_eval(image_format: str, does: str, slowness: int = 1) -> Way:
    def server(folder: Path, thinking: bool) -> Server:
        given = [str(THINKING_S), "8"] if thinking else []
        return Server(PEERS, ["-m", "roundtrip.vla_eval_server", *given])

    def client(port: str) -> Client:
        return Client(PEERS, ["-m", "roundtrip.vla_eval_client", port, image_format])

    return Way(f"vla-eval {image_format}", does, server, client, slowness)


def _openpi() -> Way:
    def server(folder: Path, thinking: bool) -> Server:
        return Server(PEERS, ["-m", "roundtrip.openpi_server", *([str(THINKING_S)] if thinking else [])])

    def client(port: str) -> Client:
        return Client(PEERS, ["-m", "roundtrip.openpi_client", port])

    does = (
        "openpi-client 0.1.2 as published, against our server of its public protocol (its own is not on PyPI); "
        "a picture is copied by tobytes, by msgpack and by websockets, which masks it, and again on arrival; "
        "the policy runs in the event loop, one observation at a time; no check of the content"
    )
    return Way(REFERENCE, does, server, client)


_CHECKS = (
    "every check on: header, body, shapes, lengths, contract on both sides, budget, turn; policy in its own thread"
)

TCP = _touchstone("tcp", f"pictures as ZMQ frames of their own, not copied in Python; {_CHECKS}", "tcp://127.0.0.1:0")
IPC = _touchstone("ipc", "the same over a Unix socket", "ipc://{socket}")
SHM = _touchstone(
    "shm",
    "pictures copied once, into shared memory, while the server reads the message; the same checks, but the policy "
    "runs in the server's thread of this client while it is free",
    "shm://{socket}",
)
JPEG = _touchstone("jpeg", "as tcp, but the pictures as JPEG: with loss", "tcp://127.0.0.1:0", "--jpeg")
OPENPI = _openpi()
VLA_EVAL_RAW = _vla_eval(
    "raw",
    "vla-eval 0.8.0, its own server and client, told to send pictures raw; copies as openpi and one more on arrival; "
    "decodes and infers in worker threads; in the batching case its batches of eight; checks fields, no content",
)
VLA_EVAL_PNG = _vla_eval("png", "the same as it comes: pictures as PNG, without loss", slowness=40)
MEMCPY = Way(
    "memcpy", "no wire: both pictures copied once", None, lambda _: Client(OURS, ["-m", "roundtrip.memcpy_client"])
)
