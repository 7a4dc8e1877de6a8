"""Requests to a policy server and their answers: ids, deadlines, typed refusals, pictures in shared memory."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from policy_server.addresses import connect_address
from policy_server.bodies import MemoryRequest
from policy_server.link import Link, LinkLost
from policy_server.local_link import LocalLink
from policy_server.shared_memory import WrittenMemory, slot_bytes_for
from policy_server.wire import NOTHING, Header, Op, WireError, check_carried, pack, unpack
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, TouchstoneError, UsageError

MEET_S = 5.0
ASIDE_S = 2.0  # health and the like, which the server answers while its policy works


class ServerBusy(PolicyFailure):
    """Every seat is taken, or more requests wait than the server takes."""


class ServerLoading(PolicyFailure):
    """The server is there and its policy is not yet."""


class NoEpisode(PolicyFailure):
    """The server has no seat for this session."""


class Requests:
    """One session at one server. For one thread. as_jpeg: pictures are compressed, with loss, for slow links."""

    def __init__(self, url: str, as_jpeg: bool = False) -> None:
        self.url = url
        self._address, self._as_jpeg = connect_address(url), as_jpeg
        self._session = uuid.uuid4().hex
        self._next_id = 1
        self._memory: WrittenMemory | None = None
        self._link = LocalLink(self._address, url) if self._address.transport == "shm" else Link(self._address, url)

    def meet(self, deadline: float) -> None:
        """Waits until the link stands. deadline: time.monotonic() [s]. Raises UsageError when nobody is there."""
        if not self._link.wait_until_up(deadline):
            raise UsageError(
                f"No policy server answers at {self.url}; start one with `touchstone serve --policy NAME "
                f"--bind {self.url.partition('?')[0]}`."
            )

    def is_back(self, deadline: float) -> bool:
        """Whether a link that was lost stands again by `deadline`."""
        self._forget_memory()
        return self._link.wait_until_up(deadline)

    def aside(self, op: Op, **body: Any) -> msgspec.Raw:
        """The answer's body to what a server answers at once. Raises PolicyFailure within 2 s."""
        return self.ask(op, body, {}, time.monotonic() + ASIDE_S)[0].body

    def ask(
        self, op: Op, body: Any, arrays: Mapping[str, np.ndarray], deadline: float
    ) -> tuple[Header, dict[str, np.ndarray]]:
        """The answer's header and arrays. Raises DeadlineExceeded, LinkLost or what the server's refusal stands for."""
        if self._link.closed:
            raise PolicyFailure(f"The link to the policy server at {self.url} is closed.")
        budget_ms = max(1.0, (deadline - time.monotonic()) * 1e3)
        request = self._header(op, budget_ms, body)
        self._send(request, arrays, deadline)
        while True:
            frames = self._link.receive(deadline)
            if frames is None:
                if op == "infer":
                    with suppress(LinkLost):
                        self._link.send(pack(self._header("cancel", body={"request": request.id})))
                raise DeadlineExceeded(
                    f"The policy server at {self.url} did not answer '{op}' within its budget of {budget_ms:.0f} ms."
                )
            header, answer = self._read(frames)
            # the answer to a request that was given up is dropped here, never taken for this one's; 0 is the id of a
            # refusal whose message was not read
            if header.id == request.id or (header.id == 0 and header.error is not None):
                if header.error is not None:
                    raise _refused(header)
                return header, answer

    def close(self) -> None:
        """Ends the session; may be called twice."""
        self._forget_memory()
        if not self._link.closed:
            self._link.close(farewell=pack(self._header("bye")))

    def _header(self, op: Op, budget_ms: float | None = None, body: Any = NOTHING) -> Header:
        header = Header(op=op, id=self._next_id, session=self._session, budget_ms=budget_ms, body=body)
        self._next_id += 1
        return header

    def _read(self, frames: list) -> tuple[Header, dict[str, np.ndarray]]:
        try:
            return unpack(frames)
        except WireError as error:
            kind = ContractMismatch if error.code == "version" else PolicyFailure
            raise kind(f"The policy server at {self.url} answered otherwise: {error}") from error

    def _send(self, request: Header, arrays: Mapping[str, np.ndarray], deadline: float) -> None:
        if isinstance(self._link, LocalLink) and arrays:
            self._share(self._link, request, arrays, deadline)
            return
        pictures = frozenset(name for name in arrays if self._as_jpeg and name.endswith("/image"))
        self._link.send(pack(request, arrays, pictures))

    def _share(self, link: LocalLink, request: Header, arrays: Mapping[str, np.ndarray], deadline: float) -> None:
        for name, array in arrays.items():
            check_carried(name, array)
        needed = slot_bytes_for(arrays)
        if self._memory is None or needed > self._memory.slot_bytes:
            self._forget_memory()
            wish = pack(self._header("memory", body=MemoryRequest(needed)))
            self._memory = link.memory(wish, needed, min(ASIDE_S, max(1e-3, deadline - time.monotonic())))
        taken = self._memory.take(arrays)
        if taken is None:
            raise ServerBusy(f"The policy server at {self.url} still works on earlier requests of this client.")
        slot, offsets = taken
        # the server reads the message while the arrays are copied
        link.send(pack(replace(request, slot=slot), arrays, offsets=offsets), announces=True)
        self._memory.write(slot, offsets, arrays)
        link.send_written()

    def _forget_memory(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None


_ERRORS: dict[str, type[TouchstoneError]] = {
    "version": ContractMismatch,
    "contract": ContractMismatch,
    "deadline": DeadlineExceeded,
    "busy": ServerBusy,
    "rate": ServerBusy,
    "loading": ServerLoading,
    "draining": LinkLost,
    "no_episode": NoEpisode,
}


def _refused(header: Header) -> TouchstoneError:
    sentence = msgspec.msgpack.decode(header.body).get("sentence")
    kind = _ERRORS.get(header.error or "", PolicyFailure)
    return kind(sentence if isinstance(sentence, str) else f"The policy server refused: {header.error}.")
