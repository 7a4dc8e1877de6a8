"""Serves one policy to openpi clients, over openpi's websocket protocol.

A connection is an episode, and so is another prompt on the same connection: the protocol has no reset. One client is
served at a time; another is refused with HTTP status 503 until the first one leaves, or has said nothing for 10 s.
"""

from __future__ import annotations

import asyncio
import http
import logging
import signal
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from policy_server.dialects.address import Address, check_loopback, parse_address
from policy_server.dialects.codecs import pack_openpi, unpack_openpi
from policy_server.dialects.desk import Desk
from policy_server.dialects.mapping import Mapping
from policy_server.dialects.openpi_client import OURS, expectation
from policy_server.dialects.openpi_observation import check_servable
from policy_server.wire import MAX_MESSAGE_BYTES, WireError
from touchstone import __version__
from touchstone.errors import TouchstoneError, UsageError
from touchstone.policy import Policy

log = logging.getLogger(__name__)

IDLE_S = 10.0  # a client silent for longer loses its turn to another that asks
ANSWER_S = 10.0  # longest time that a client may take to read its answer
_TAKEN = "Another client's episode is under way."


def serve_openpi(policy: Policy, host: str, port: int, mapping: Mapping, ready=None, mapping_name: str = "own") -> int:
    """Serves until SIGINT or SIGTERM; returns 0. Must run in the main thread.

    host: of this computer's own. port: 0 takes a free one. ready: called with the address once it is printed.
    Raises UsageError or ContractMismatch.
    """
    address = Address("openpi", host, port, mapping_name, mapping)
    check_loopback(host, address.url, "bind")
    return _run(policy, address, ready)


def serve_at(policy: Policy, url: str, ready: Callable[[str], None] | None = None) -> int:
    """As `serve_openpi`, at `openpi://127.0.0.1:8000?mapping=NAME`. Raises UsageError."""
    return _run(policy, parse_address(url, "openpi", "bind"), ready)


def _run(policy: Policy, address: Address, ready: Callable[[str], None] | None) -> int:
    check_servable(policy.contract, address.mapping)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("websockets").setLevel(logging.WARNING)
    return asyncio.run(_Front(policy, address).run(ready))


class _Front:
    def __init__(self, policy: Policy, address: Address):
        self._address, self._mapping = address, address.mapping
        self._desk = Desk(policy, address.mapping)
        self._name = policy.contract.name
        self._holder: ServerConnection | None = None
        self._last_heard = 0.0
        self._stop = asyncio.Event()
        self._metadata = pack_openpi(
            {
                "policy": self._name,
                "server": f"touchstone {__version__}",
                OURS: {"mapping": address.mapping_name, "expects": expectation(address.mapping)},
            }
        )

    async def run(self, ready: Callable[[str], None] | None) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        try:
            server = await serve(
                self._handle,
                self._address.host,
                self._address.port,
                process_request=self._at_the_door,
                # web pages send an origin, openpi clients do not: no page in a browser may drive the policy
                origins=[None],
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                max_queue=2,
                close_timeout=1.0,
            )
        except OSError as error:
            raise UsageError(f"Cannot serve on {self._address.url}: {error.strerror or error}.") from error
        port = server.sockets[0].getsockname()[1]
        url = Address("openpi", self._address.host, port, self._address.mapping_name, self._mapping).url
        print(f"serving {self._name} on {url}", flush=True)
        if ready is not None:
            ready(url)
        await self._stop.wait()
        self._desk.close()
        server.close()
        await server.wait_closed()
        return 0

    async def _at_the_door(self, connection: ServerConnection, request) -> Any:
        if request.path == "/healthz":  # as openpi's server has it
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        if self._holder is not None and time.monotonic() - self._last_heard > IDLE_S and not self._desk.busy:
            log.warning("a silent client loses its turn")
            silent, self._holder = self._holder, None
            silent.transport.abort()
        if self._holder is not None or self._desk.busy:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, f"{_TAKEN}\n")
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        if self._holder is not None:  # two came through the door at once
            await connection.close(CloseCode.TRY_AGAIN_LATER, _TAKEN)
            return
        self._holder, self._last_heard = connection, time.monotonic()
        log.info("a client begins")
        try:
            self._desk.next_client()
            await connection.send(self._metadata)
            async for message in connection:
                self._last_heard = time.monotonic()
                reply = await self._reply(message)
                self._last_heard = time.monotonic()
                await asyncio.wait_for(connection.send(reply), ANSWER_S)
                if isinstance(reply, str):
                    await connection.close(CloseCode.INTERNAL_ERROR, "The error is in the message before.")
        except ConnectionClosed:
            pass
        except asyncio.TimeoutError:  # another class than TimeoutError in Python 3.10
            log.warning("a client does not read its answer")
            connection.transport.abort()
        finally:
            if self._holder is connection:
                self._holder = None
            log.info("a client is gone")

    async def _reply(self, message: bytes | str) -> bytes | str:
        """The answer, or a sentence: openpi clients take a text for an error."""
        try:
            if isinstance(message, str):
                raise WireError("The message is text and no msgpack.")
            return pack_openpi(await self._desk.answer(unpack_openpi(message)))
        except TouchstoneError as error:
            log.warning("refused: %s", error)
            return str(error)
