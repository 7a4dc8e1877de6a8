"""A policy that lives in another process, behind the same two methods."""

from __future__ import annotations

import logging
import time
from typing import Any

from pydantic import ValidationError

from policy_server.bodies import HelloReply, InferReply, InferRequest, ResetReply
from policy_server.codec import decode_chunk, encode_observation, encode_prior, parse
from policy_server.console import Console
from policy_server.link import LinkLost
from policy_server.requests import MEET_S, NoEpisode, Requests, ServerBusy, ServerLoading
from policy_server.wire import SESSION_IDLE_S, Header, Op, WireError, first_complaint
from touchstone import __version__
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, UsageError
from touchstone.policy import Chunk, PolicyContract, Prior, Timing
from touchstone.policy_checks import check_answer
from touchstone.spec import Brief
from touchstone.world import Observation

log = logging.getLogger(__name__)

LOAD_S = 900.0  # anchors: models of this field take minutes to load
BUDGET_MS = 10_000.0
RESET_S = 60.0  # a first reset may compile or warm up a model
RETRY_S = 0.1
RETURN_S = 5.0  # how long a call waits for a server that went away, within its budget


def connect(url: str, timeout_s: float = MEET_S) -> PolicyClient:
    """The policy served at `url`, after the hello. Raises UsageError or ContractMismatch."""
    return PolicyClient(url, timeout_s)


class PolicyClient:
    """Implements Policy and InpaintingPolicy. For one thread. `contract` is that of the served policy.

    budget_ms: how long `infer` waits. as_jpeg: sends pictures compressed, with loss, for slow links. When the server
    goes away and comes back with the same contract, the next call finds it again and goes on with the episode.
    """

    def __init__(self, url: str, timeout_s: float = MEET_S, budget_ms: float = BUDGET_MS, as_jpeg: bool = False):
        self._requests = Requests(url, as_jpeg)
        self._url, self._budget_ms = url, budget_ms
        self._brief: Brief | None = None
        self.console = Console(self._requests)
        try:
            hello = self._meet(time.monotonic() + timeout_s)
        except BaseException:
            self._requests.close()
            raise
        self.contract, self._digest = _contract(hello, url), hello.digest
        self.server_version = hello.server

    def infer(self, observation: Observation, prior: Prior | None = None, budget_ms: float | None = None) -> Chunk:
        """The chunk that answers this observation, with its timing; total_ms is the round trip from here.

        prior: what is being carried out, for a policy that inpaints. budget_ms: for this call. Raises DeadlineExceeded
        when it runs out, LinkLost when the server is not back within it, ContractMismatch or PolicyFailure.
        """
        budget_ms = self._budget_ms if budget_ms is None else budget_ms
        started = time.monotonic()
        body, arrays = encode_observation(observation)
        continues = None
        if prior is not None:
            continues, prior_arrays = encode_prior(prior)
            arrays |= prior_arrays
        request = InferRequest(body, continues)
        header, answer = self._ask_seated("infer", request, arrays, started + budget_ms / 1e3)
        try:
            reply = parse(InferReply, header.body)
            timing = Timing(reply.timing.queue_ms, reply.timing.infer_ms, (time.monotonic() - started) * 1e3)
            chunk = decode_chunk(reply.chunk, answer, timing)
        except WireError as error:
            raise PolicyFailure(f"The policy server at {self._url} answered nonsense: {error}") from error
        check_answer(self.contract, observation, chunk)
        return chunk

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
                if not self._requests.is_back(min(give_up, time.monotonic() + RETURN_S)):
                    raise
            time.sleep(RETRY_S)

    def close(self) -> None:
        """Ends the session; may be called twice."""
        self._requests.close()

    def _meet(self, deadline: float) -> HelloReply:
        self._requests.meet(deadline)
        try:
            return self._hello(deadline)
        except (DeadlineExceeded, LinkLost, WireError) as error:
            raise UsageError(f"What answers at {self._url} is no policy server, or it hangs: {error}") from error

    def _hello(self, deadline: float) -> HelloReply:
        """Waits for minutes while the server says that it loads its policy."""
        told = False
        while True:
            try:
                header, _ = self._requests.ask("hello", {"client": __version__}, {}, deadline)
                return parse(HelloReply, header.body)
            except ServerLoading as error:
                if not told:
                    log.warning("%s Waiting for it.", error)
                    told, deadline = True, time.monotonic() + LOAD_S
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_S)

    def _ask_seated(self, op: Op, body: Any, arrays: dict, deadline: float) -> tuple[Header, dict]:
        """Asks, and again where the server was restarted or gave the seat away."""
        give_up: float | None = None
        while True:
            try:
                if give_up is not None and self._brief is not None:
                    log.warning("joining the policy server at %s again", self._url)
                    self._take_seat(self._brief, deadline)
                return self._requests.ask(op, body, arrays, deadline)
            except (LinkLost, NoEpisode):
                give_up = give_up or min(deadline, time.monotonic() + RETURN_S)
                if self._brief is None or not self._requests.is_back(give_up) or time.monotonic() > give_up:
                    raise
                time.sleep(RETRY_S)

    def _take_seat(self, brief: Brief, deadline: float) -> None:
        header, _ = self._requests.ask("reset", {"brief": brief.model_dump(mode="json")}, {}, deadline)
        if parse(ResetReply, header.body).digest != self._digest:
            raise ContractMismatch(
                f"The policy server at {self._url} serves another policy than before; start the session again."
            )
        self._brief = brief


def _contract(hello: HelloReply, url: str) -> PolicyContract:
    try:
        return PolicyContract.model_validate(hello.contract)
    except ValidationError as error:
        raise ContractMismatch(
            f"The contract of the policy at {url} is none that this side understands: {first_complaint(error)}."
        ) from error
