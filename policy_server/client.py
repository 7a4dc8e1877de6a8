"""A policy that lives in another process, behind the same two methods."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from policy_server.addresses import connect_address
from policy_server.bodies import HealthReply, HelloReply, InferReply, ListReply, PolicyState, ResetReply
from policy_server.codec import decode_chunk, encode_observation, encode_prior, parse
from policy_server.link import Link, LinkLost
from policy_server.shared_memory import ClientSegment
from policy_server.wire import SESSION_IDLE_S, Header, Op, WireError, check_carried, pack, unpack
from touchstone import __version__
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, TouchstoneError, UsageError
from touchstone.policy import Chunk, Prior, Timing
from touchstone.policy_checks import check_answer
from touchstone.spec import Brief
from touchstone.world import Observation

log = logging.getLogger(__name__)

CONNECT_S = 5.0
LOAD_S = 900.0  # anchors: models of this field take minutes to load
BUDGET_MS = 10_000.0
RESET_S = 60.0  # a first reset may compile or warm up a model
ASIDE_S = 2.0  # health and the like, which the server answers while its policy works
RETRY_S = 0.2
RETURN_S = 5.0  # how long a call waits for a server that went away, within its budget


def connect(url: str, timeout_s: float = CONNECT_S) -> PolicyClient:
    """The policy served at `url`, after the hello. Raises UsageError or ContractMismatch."""
    return PolicyClient(url, timeout_s)


class PolicyClient:
    """Implements Policy and InpaintingPolicy. For one thread. `contract` is that of the served policy.

    budget_ms: how long `infer` waits. as_jpeg: sends pictures compressed, with loss, for slow links. When the server
    goes away and comes back with the same contract, the next call finds it again and goes on with the episode.
    """

    def __init__(self, url: str, timeout_s: float = CONNECT_S, budget_ms: float = BUDGET_MS, as_jpeg: bool = False):
        self._address = connect_address(url)
        self._url, self._budget_ms, self._as_jpeg = url, budget_ms, as_jpeg
        self._session = uuid.uuid4().hex
        self._next_id = 1
        self._brief: Brief | None = None
        self._segment: ClientSegment | None = None
        self._link = Link(self._address, url)
        try:
            hello = self._meet(timeout_s)
        except BaseException:
            self._link.close()
            raise
        self.contract, self._digest = hello.contract, hello.digest
        self.server_version = hello.server

    def infer(self, observation: Observation, prior: Prior | None = None, budget_ms: float | None = None) -> Chunk:
        """The chunk that answers this observation, with its timing; total_ms is the round trip from here.

        prior: what is being carried out, for a policy that inpaints. budget_ms: for this call. Raises DeadlineExceeded
        when it runs out, LinkLost when the server is not back within it, ContractMismatch or PolicyFailure.
        """
        budget_ms = self._budget_ms if budget_ms is None else budget_ms
        started = time.monotonic()
        body, arrays = encode_observation(observation)
        message = {"observation": body, "prior": None}
        if prior is not None:
            message["prior"], prior_arrays = encode_prior(prior)
            arrays |= prior_arrays
        header, answer = self._ask_seated("infer", message, arrays, started + budget_ms / 1e3)
        try:
            reply = parse(InferReply, header.body)
            chunk = decode_chunk(reply.chunk, answer)
        except WireError as error:
            raise PolicyFailure(f"The policy server at {self._url} answered nonsense: {error}") from error
        check_answer(self.contract, observation, chunk)
        total_ms = (time.monotonic() - started) * 1e3
        return replace(chunk, timing=Timing(reply.timing.queue_ms, reply.timing.infer_ms, total_ms))

    def reset(self, brief: Brief) -> None:
        """A new episode begins. Waits until another client's turn is over. Raises as `infer` does."""
        give_up = time.monotonic() + SESSION_IDLE_S + 2.0
        while True:
            try:
                self._take_seat(brief, time.monotonic() + RESET_S)
                return
            except ServerBusy:
                if time.monotonic() > give_up:
                    raise
            except LinkLost:
                if not self._link.wait_until_up(min(give_up, time.monotonic() + RETURN_S)):
                    raise
            time.sleep(RETRY_S)

    def health(self) -> HealthReply:
        """How the server does; it answers while its policy works or loads. Raises PolicyFailure within 2 s."""
        return parse(HealthReply, self._aside("health").body)

    def metrics(self) -> str:
        """The server's counters in Prometheus' text format."""
        return str(self._aside("metrics").body.get("text"))

    def policies(self) -> list[PolicyState]:
        """What the server may serve, and in which state each is."""
        return parse(ListReply, self._aside("list").body).policies

    def load(self, name: str) -> PolicyState:
        """Begins to load one of the server's policies beside the current one; `policies` tells when it is ready."""
        return parse(PolicyState, self._aside("load", name=name).body)

    def swap(self, name: str) -> PolicyState:
        """Makes a loaded policy the current one, for all clients."""
        return parse(PolicyState, self._aside("swap", name=name).body)

    def close(self) -> None:
        """Ends the session; may be called twice."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        if not self._link.closed:
            self._link.close(farewell=pack(self._header("bye")))

    def _meet(self, timeout_s: float) -> HelloReply:
        nobody = (
            f"No policy server answers at {self._url}; start one with `touchstone serve --policy NAME "
            f"--bind {self._url.partition('?')[0]}`."
        )
        deadline = time.monotonic() + timeout_s
        try:
            if not self._link.wait_until_up(deadline):
                raise UsageError(nobody)
            return self._hello(deadline)
        except (DeadlineExceeded, LinkLost, WireError) as error:
            raise UsageError(nobody) from error

    def _hello(self, deadline: float) -> HelloReply:
        """Waits for minutes while the server says that it loads its policy."""
        told = False
        while True:
            try:
                header, _ = self._ask("hello", {"client": __version__}, {}, deadline)
                return parse(HelloReply, header.body)
            except ServerLoading as error:
                if not told:
                    log.warning("%s Waiting for it.", error)
                    told, deadline = True, time.monotonic() + LOAD_S
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_S)

    def _ask_seated(self, op: Op, body: dict, arrays: dict, deadline: float) -> tuple[Header, dict]:
        """Asks, and once more where the server was restarted or gave the seat away."""
        for last in (False, True):
            try:
                return self._ask(op, body, arrays, deadline)
            except LinkLost:
                self._forget_memory()
                if last or not self._link.wait_until_up(min(deadline, time.monotonic() + RETURN_S)):
                    raise
            except NoEpisode:
                if last or self._brief is None:
                    raise
            self._rejoin(deadline)
        raise AssertionError("unreachable")

    def _rejoin(self, deadline: float) -> None:
        if self._brief is None:
            raise PolicyFailure(f"The policy server at {self._url} has no episode of this client; reset it first.")
        log.warning("joining the policy server at %s again", self._url)
        self._take_seat(self._brief, deadline)

    def _take_seat(self, brief: Brief, deadline: float) -> None:
        header, _ = self._ask("reset", {"brief": brief.model_dump(mode="json")}, {}, deadline)
        if parse(ResetReply, header.body).digest != self._digest:
            raise ContractMismatch(
                f"The policy server at {self._url} serves another policy than before; start the session again."
            )
        self._brief = brief

    def _aside(self, op: Op, **body: str) -> Header:
        return self._ask(op, body, {}, time.monotonic() + ASIDE_S)[0]

    def _header(self, op: Op, budget_ms: float | None = None, body: dict | None = None) -> Header:
        header = Header(op=op, id=self._next_id, session=self._session, budget_ms=budget_ms, body=body or {})
        self._next_id += 1
        return header

    def _ask(
        self, op: Op, body: dict, arrays: Mapping[str, np.ndarray], deadline: float
    ) -> tuple[Header, dict[str, np.ndarray]]:
        if self._link.closed:
            raise PolicyFailure(f"The link to the policy server at {self._url} is closed.")
        budget_ms = max(1.0, (deadline - time.monotonic()) * 1e3)
        request = self._header(op, budget_ms, body)
        self._link.send(self._frames(request, arrays))
        while True:
            frames = self._link.receive(deadline)
            if frames is None:
                if op == "infer":
                    self._link.send(pack(self._header("cancel", body={"request": request.id})))
                raise DeadlineExceeded(
                    f"The policy server at {self._url} did not answer '{op}' within its budget of {budget_ms:.0f} ms."
                )
            header, answer = self._read(frames)
            # the answer to a request that was given up is dropped here, never taken for this one's
            if header.id == request.id:
                if header.error is not None:
                    raise _refused(header)
                return header, answer

    def _read(self, frames: list) -> tuple[Header, dict[str, np.ndarray]]:
        try:
            return unpack(frames)
        except WireError as error:
            kind = ContractMismatch if error.code == "version" else PolicyFailure
            raise kind(f"The policy server at {self._url} answered otherwise: {error}") from error

    def _frames(self, request: Header, arrays: Mapping[str, np.ndarray]) -> list:
        if self._address.transport == "shm" and arrays:
            placed = self._placed(arrays)
            if placed is not None:
                slot, offsets = placed
                return pack(replace(request, slot=slot), arrays, offsets=offsets)
        pictures = frozenset(name for name in arrays if self._as_jpeg and name.endswith("/image"))
        return pack(request, arrays, pictures)

    def _placed(self, arrays: Mapping[str, np.ndarray]) -> tuple[int, dict[str, int]] | None:
        """Where the arrays lie in shared memory; None while every slot is in use, and the message then carries them."""
        for name, array in arrays.items():
            check_carried(name, array)
        needed = ClientSegment.bytes_for(arrays)
        if self._segment is None or needed > self._segment.slot_bytes:
            self._forget_memory()
            self._segment = ClientSegment(self._address.path, self._session, needed, ASIDE_S)
        return self._segment.place(arrays)

    def _forget_memory(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None


class ServerBusy(PolicyFailure):
    """Every seat is taken, or more requests wait than the server takes."""


class ServerLoading(PolicyFailure):
    """The server is there and its policy is not yet."""


class NoEpisode(PolicyFailure):
    """The server has no seat for this session."""


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
    sentence = header.body.get("sentence")
    kind = _ERRORS.get(header.error or "", PolicyFailure)
    return kind(sentence if isinstance(sentence, str) else f"The policy server refused: {header.error}.")
