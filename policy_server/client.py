"""A policy that lives in another process, behind the same two methods."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import zmq

from policy_server.addresses import check_address
from policy_server.bodies import HealthReply, HelloReply, InferReply
from policy_server.codec import decode_chunk, encode_observation, parse
from policy_server.sessions import SESSION_IDLE_S
from policy_server.wire import MAX_ARRAY_BYTES, Header, Op, WireError, pack, unpack
from touchstone import __version__
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, TouchstoneError, UsageError
from touchstone.policy import Chunk, Timing
from touchstone.policy_checks import check_answer
from touchstone.spec import Brief
from touchstone.world import Observation

CONNECT_S = 5.0
BUDGET_MS = 10_000.0
RESET_S = 60.0  # a first reset may compile or warm up a model
HEALTH_S = 2.0
BUSY_RETRY_S = 0.2


def connect(url: str, timeout_s: float = CONNECT_S) -> PolicyClient:
    """The policy served at `url`, after the hello. Raises UsageError or ContractMismatch."""
    return PolicyClient(url, timeout_s)


class PolicyClient:
    """Implements Policy. For one thread. `contract` is that of the served policy.

    budget_ms: how long `infer` waits. as_jpeg: sends pictures compressed, with loss, for slow links.
    """

    def __init__(self, url: str, timeout_s: float = CONNECT_S, budget_ms: float = BUDGET_MS, as_jpeg: bool = False):
        check_address(url, "connect")
        self._url, self._budget_ms, self._as_jpeg = url, budget_ms, as_jpeg
        self._session = uuid.uuid4().hex
        self._next_id = 1
        self._lost: str | None = None
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.IMMEDIATE, 1),  # nothing is queued for a server that is not there
            (zmq.MAXMSGSIZE, MAX_ARRAY_BYTES),
            (zmq.IPV6, int("[" in url)),
            (zmq.HEARTBEAT_IVL, 2000),
            (zmq.HEARTBEAT_TIMEOUT, 10000),
        ):
            self._socket.setsockopt(option, value)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        try:
            self._socket.connect(url)
            hello = self._hello(timeout_s)
        except BaseException:
            self.close()
            raise
        self.contract = hello.contract
        self.server_version = hello.server

    def infer(self, observation: Observation, budget_ms: float | None = None) -> Chunk:
        """The chunk that answers this observation, with its timing; total_ms is the round trip from here.

        budget_ms: for this call. Raises DeadlineExceeded when it runs out, ContractMismatch or PolicyFailure.
        """
        budget_ms = self._budget_ms if budget_ms is None else budget_ms
        started = time.monotonic()
        body, arrays = encode_observation(observation)
        header, answer = self._ask("infer", {"observation": body}, arrays, budget_ms)
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
                self._ask("reset", {"brief": brief.model_dump(mode="json")}, {}, RESET_S * 1e3)
                return
            except ServerBusy:
                if time.monotonic() > give_up:
                    raise
                time.sleep(BUSY_RETRY_S)

    def health(self) -> HealthReply:
        """How the server does; it answers while its policy works. Raises PolicyFailure within 2 s."""
        header, _ = self._ask("health", {}, {}, HEALTH_S * 1e3)
        return parse(HealthReply, header.body)

    def close(self) -> None:
        """Ends the session; may be called twice."""
        if self._socket.closed:
            return
        if self._lost is None and hasattr(self, "contract"):
            farewell = Header.model_construct(op="bye", id=self._next_id, session=self._session)
            try:
                self._socket.setsockopt(zmq.LINGER, 100)
                self._socket.send_multipart(pack(farewell), flags=zmq.NOBLOCK)
            except zmq.ZMQError:
                pass
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close()
        self._context.term()

    def _hello(self, timeout_s: float) -> HelloReply:
        nobody = (
            f"No policy server answers at {self._url}; start one with `touchstone serve --policy NAME "
            f"--bind {self._url}`."
        )
        try:
            header, _ = self._ask("hello", {"client": __version__}, {}, timeout_s * 1e3)
            return parse(HelloReply, header.body)
        except ContractMismatch:
            raise
        except (PolicyFailure, WireError) as error:
            raise UsageError(nobody) from error

    def _ask(
        self, op: Op, body: dict, arrays: Mapping[str, np.ndarray], budget_ms: float
    ) -> tuple[Header, dict[str, np.ndarray]]:
        if self._socket.closed or self._lost is not None:
            raise PolicyFailure(self._lost or f"The link to the policy server at {self._url} is closed.")
        deadline = time.monotonic() + budget_ms / 1e3
        request = Header.model_construct(op=op, id=self._next_id, session=self._session, budget_ms=budget_ms, body=body)
        self._next_id += 1
        pictures = frozenset(name for name in arrays if self._as_jpeg and name.endswith("/image"))
        self._send(pack(request, arrays, pictures), deadline, budget_ms, op)
        header, answer = self._receive(request, deadline, budget_ms)
        if header.error is not None:
            raise _refused(header)
        return header, answer

    def _send(self, frames: list, deadline: float, budget_ms: float, op: Op) -> None:
        self._socket.setsockopt(zmq.SNDTIMEO, max(0, round((deadline - time.monotonic()) * 1e3)))
        try:
            self._socket.send_multipart(frames, copy=False)
        except zmq.Again as error:
            self._check_link()
            raise self._too_late(op, budget_ms) from error

    def _receive(self, request: Header, deadline: float, budget_ms: float) -> tuple[Header, dict[str, np.ndarray]]:
        while True:
            ready = dict(self._poller.poll(max(0.0, (deadline - time.monotonic()) * 1e3)))
            if self._socket in ready:
                frames = [frame.buffer for frame in self._socket.recv_multipart(copy=False)]
                try:
                    header, arrays = unpack(frames)
                except WireError as error:
                    kind = ContractMismatch if error.code == "version" else PolicyFailure
                    raise kind(f"The policy server at {self._url} answered otherwise: {error}") from error
                # the answer to a request that was given up is dropped here, never taken for this one's
                if header.id == request.id:
                    return header, arrays
            elif self._monitor in ready:
                self._check_link()
            elif time.monotonic() >= deadline:
                raise self._too_late(request.op, budget_ms)

    def _check_link(self) -> None:
        # before the hello is answered a failed attempt is only retried: the server may be starting
        while self._monitor.poll(0):
            self._monitor.recv_multipart()
            if hasattr(self, "contract"):
                self._lost = f"The policy server at {self._url} is gone: it ended or the link broke; its log says why."
        if self._lost is not None:
            raise PolicyFailure(self._lost)

    def _too_late(self, op: Op, budget_ms: float) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"The policy server at {self._url} did not answer '{op}' within its budget of {budget_ms:g} ms."
        )


class ServerBusy(PolicyFailure):
    """The server serves another session, or has more requests waiting than it takes."""


_ERRORS: dict[str, type[TouchstoneError]] = {
    "version": ContractMismatch,
    "contract": ContractMismatch,
    "deadline": DeadlineExceeded,
    "busy": ServerBusy,
    "bad_request": PolicyFailure,
    "policy_error": PolicyFailure,
}


def _refused(header: Header) -> TouchstoneError:
    sentence = header.body.get("sentence")
    kind = _ERRORS[header.error or "bad_request"]
    return kind(sentence if isinstance(sentence, str) else f"The policy server refused: {header.error}.")
