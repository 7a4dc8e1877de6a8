"""Any openpi server as a policy: `openpi://127.0.0.1:8000?mapping=libero`.

The wire, as in openpi's WebsocketPolicyServer and openpi_client 0.1.2: the server sends its metadata when a connection
opens; each binary message is an observation and is answered by one with `actions`; a text message is an error, after
which the server closes. Nothing carries an id, so a connection whose answer is late is given up.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from policy_server.dialects.address import Address, parse_address
from policy_server.dialects.codecs import pack_openpi, unpack_openpi
from policy_server.dialects.mapping import Mapping
from policy_server.dialects.remote import CONNECT_S, Answer, RemotePolicy, first_line, meeting, rows_of
from policy_server.dialects.stream import Stream
from policy_server.dialects.translate import Question
from policy_server.wire import WireError
from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.spec import Brief

#: where a server of ours says in its metadata what it expects
OURS = "touchstone"


def connect(url: str, timeout_s: float = CONNECT_S) -> OpenpiPolicy:
    """The policy served at `url`, after its metadata. Raises UsageError or ContractMismatch."""
    return OpenpiPolicy(parse_address(url, "openpi"), timeout_s)


class OpenpiPolicy(RemotePolicy):
    """metadata: what the server says of itself, by its own keys."""

    def __init__(self, address: Address, timeout_s: float = CONNECT_S):
        super().__init__(address)
        self._stream: Stream | None = None
        self._used = False
        self._lost: str | None = None
        with meeting(address, "start one with openpi's scripts/serve_policy.py, or `touchstone serve`"):
            self._first = self._open(time.monotonic() + timeout_s)
            self.metadata = _metadata(self._first)
        try:
            self._agree()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _begin(self, brief: Brief, deadline: float) -> None:
        """The protocol has no reset, so an episode gets a connection of its own."""
        self._lost = None
        if self._used:
            self.close()
        self._reopen(deadline)

    def _ask(self, asked: Question, deadline: float) -> Answer:
        if self._lost is not None:
            raise PolicyFailure(self._lost)
        self._reopen(deadline)
        self._used = True
        message = pack_openpi({**asked.images, **asked.state, self._mapping.prompt_key: asked.prompt})
        return self._answer(self._exchange(message, deadline))

    def _exchange(self, message: bytes, deadline: float) -> bytes:
        stream, self._stream = self._stream, None
        try:
            stream.send(message, deadline)
            reply = stream.receive(deadline)
        except PolicyFailure as error:
            # a late answer's episode goes on over a new connection; a server that is gone has forgotten it
            if type(error) is PolicyFailure:
                self._lost = str(error)
            raise
        except BaseException:
            stream.drop()
            raise
        if isinstance(reply, str):
            stream.close()
            self._lost = f"The server at {self._address.url} reports an error: {first_line(reply, last=True)}"
            raise PolicyFailure(self._lost)
        self._stream = stream
        return reply

    def _answer(self, message: bytes) -> Answer:
        fields = unpack_openpi(message)
        keys = self._mapping.actions.keys
        if not isinstance(fields, dict) or any(key not in fields for key in keys):
            raise WireError(f"It answered {_keys(fields)} where its mapping wants {', '.join(keys)}.")
        arrays = [rows_of(fields[key]) for key in keys]
        if len({len(array) for array in arrays}) > 1:
            raise WireError("Its action arrays differ in length.")
        timing = fields.get("server_timing")
        infer_ms = timing.get("infer_ms") if isinstance(timing, dict) else None
        told = isinstance(infer_ms, (int, float)) and math.isfinite(infer_ms)
        return Answer(np.hstack(arrays), float(infer_ms) if told else 0.0)

    def _reopen(self, deadline: float) -> None:
        if self._stream is None and self._open(deadline) != self._first:
            self.close()
            self._lost = f"Another server listens at {self._address.url} now: its metadata has changed; start again."
            raise PolicyFailure(self._lost)

    def _open(self, deadline: float) -> bytes:
        """The server's first message, which is its metadata."""
        stream = Stream(self._address.host, self._address.port, self._address.url, deadline)
        try:
            first = stream.receive(deadline)
            _metadata(first)
        except BaseException:
            stream.drop()
            raise
        self._stream, self._used = stream, False
        return first

    def _agree(self) -> None:
        """A server of ours says what it expects; another's mistakes show at its first answer."""
        theirs = self.metadata.get(OURS)
        if isinstance(theirs, dict) and pack_openpi(theirs.get("expects")) != pack_openpi(expectation(self._mapping)):
            raise ContractMismatch(
                f"The server at {self._address.url} serves with mapping '{theirs.get('mapping')}' and the address says "
                f"'{self._address.mapping_name}', which means something else; use the same for both."
            )


def _metadata(first: bytes | str) -> dict[str, Any]:
    fields = None if isinstance(first, str) else unpack_openpi(first)
    if not isinstance(fields, dict):
        raise WireError("It sent no metadata first, as openpi servers do.")
    return {str(key): value for key, value in fields.items()}


def expectation(mapping: Mapping) -> dict[str, Any]:
    """What client and server must agree on, for the metadata: keys, shapes and meanings of everything on the wire."""
    return mapping.model_dump(mode="json", include={"images", "state", "prompt_key", "actions"})


def _keys(fields: Any) -> str:
    return ", ".join(str(key)[:40] for key in list(fields)[:8]) if isinstance(fields, dict) else type(fields).__name__
