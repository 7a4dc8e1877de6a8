"""The server's front: one thread that owns the ROUTER socket, answers at once what it can, and queues the rest."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import zmq
from pydantic import BaseModel
from zmq.auth.thread import ThreadAuthenticator

from policy_server.addresses import Address, bind_address
from policy_server.bodies import (
    CancelRequest,
    HealthReply,
    HelloReply,
    InferRequest,
    ListReply,
    NameRequest,
    PolicyState,
    ResetRequest,
)
from policy_server.codec import decode_observation, decode_prior, parse
from policy_server.keys import protect_server
from policy_server.link import KEEPALIVE
from policy_server.serving.host import Entry, PolicyHost, digest
from policy_server.serving.jobs import Job, JobQueue
from policy_server.serving.limits import MESSAGES_PER_S, RateLimit
from policy_server.serving.logs import Complaints
from policy_server.serving.seats import Seats
from policy_server.serving.tally import Tally
from policy_server.serving.worker import Answer, PolicyWorker, expired_sentence, refusal, reply_header
from policy_server.shared_memory import Segments
from policy_server.wire import MAX_ARRAY_BYTES, MAX_ARRAYS, SESSION_IDLE_S, Header, WireError, pack, unpack
from touchstone import __version__
from touchstone.errors import UsageError

log = logging.getLogger(__name__)

DRAIN_S = 5.0  # what the requests under way get when the server is told to stop
RECEIVE_QUEUE = 8  # messages of one peer held in memory; then the peer is held up


class PolicyServer:
    """Bound when made, and loading. url: the address, its port resolved. A byte on `stop_socket` ends `run`.

    key, clients: the server's `.key_secret` file and the folder of its clients' `.key` files. Raises UsageError for an
    address that cannot be served at.
    """

    def __init__(
        self,
        host: PolicyHost,
        bind: str,
        key: Path | None = None,
        clients: Path | None = None,
        drain_s: float = DRAIN_S,
    ) -> None:
        if (key is None) != (clients is None):
            raise UsageError("An encrypted server needs both --key FILE and --clients FOLDER.")
        address = bind_address(bind, encrypted=key is not None)
        self._host, self._drain_s = host, drain_s
        self._lock = _take_path(address)
        self._context = zmq.Context()
        self._authenticator: ThreadAuthenticator | None = None
        self._front = self._context.socket(zmq.ROUTER)
        try:
            self.url = self._bind(bind, address, key, clients)
            self._segments = Segments(address.path) if address.transport == "shm" else None
        except BaseException:
            self._end_context()
            raise
        self._stopped, self.stop_socket = socket.socketpair()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poller = zmq.Poller()
        for source in (self._front, self._wake, self._stopped, *([self._segments] if self._segments else [])):
            self._poller.register(source, zmq.POLLIN)
        self._outbox: deque[tuple[Job, Answer]] = deque()
        self._jobs = JobQueue()
        self.tally = Tally()
        self._worker = PolicyWorker(self._jobs, self.tally, self._post)
        self._limit = RateLimit()
        self._complaints = Complaints(log)
        self._draining = False
        self._gauges()
        host.changed = self._ring

    def run(self) -> None:
        """Serves until a byte comes on `stop_socket`, then answers what is under way. Raises UsageError when the policy
        that it was started with cannot be loaded."""
        self._host.load(self._host.current.name)
        self._worker.start()
        while self._step():
            if self._host.current.state == "failed":
                raise UsageError(self._host.current.sentence)
        self._stopped.recv(64)
        self._drain()

    def close(self) -> None:
        self._jobs.close()
        if self._segments is not None:
            self._segments.close()
        self._stopped.close()
        self.stop_socket.close()
        self._end_context()
        if self._lock is not None:
            self._lock.close()

    def _bind(self, bind: str, address: Address, key: Path | None, clients: Path | None) -> str:
        front = self._front
        for option, value in (
            (zmq.LINGER, 200),
            (zmq.MAXMSGSIZE, MAX_ARRAY_BYTES),
            (zmq.RCVHWM, RECEIVE_QUEUE),
            (zmq.SNDHWM, 64),
            (zmq.IPV6, int("[" in bind)),
            # a peer that went away without a word must not hold its pictures in memory
            *KEEPALIVE,
            (zmq.HANDSHAKE_IVL, 5000),
        ):
            front.setsockopt(option, value)
        if key is not None and clients is not None:
            self._authenticator = protect_server(front, key, clients)
        try:
            front.bind(address.endpoint)
        except zmq.ZMQError as error:
            raise UsageError(_bind_sentence(bind, error)) from error
        endpoint = front.getsockopt_string(zmq.LAST_ENDPOINT)
        return endpoint.replace("ipc://", "shm://", 1) if address.transport == "shm" else endpoint

    def _step(self) -> bool:
        """Waits for something and deals with it; False once a stop was asked for."""
        ready = dict(self._poller.poll())
        if self._wake in ready:
            os.eventfd_read(self._wake)
            self._deliver()
        if self._segments is not None and self._segments.fileno() in ready:
            self._segments.serve()
        if self._front in ready:
            self._receive()
        return self._stopped.fileno() not in ready

    def _drain(self) -> None:
        self._draining = True
        self._jobs.close()
        give_up = time.monotonic() + self._drain_s
        while self._worker.is_alive() or self._outbox:
            left_s = give_up - time.monotonic()
            ready = dict(self._poller.poll(min(max(left_s, 0) * 1e3, 20)))
            if self._front in ready:
                self._receive()
            self._deliver()
            if left_s <= 0 or self._stopped.fileno() in ready:
                if unanswered := len(self._jobs) + len(self._worker.under_way):
                    log.warning("ended with %d requests unanswered", unanswered)
                return

    def _post(self, job: Job, answer: Answer) -> None:
        """Called in the worker's thread; the socket belongs to the front's."""
        self._outbox.append((job, answer))
        self._ring()

    def _ring(self) -> None:
        os.eventfd_write(self._wake, 1)

    def _deliver(self) -> None:
        while self._outbox:
            job, answer = self._outbox.popleft()
            if answer.frames is None:
                self.tally.cancelled += 1
                continue
            if answer.code is None:
                self.tally.answered(job.header.op, job.waited_ms() / 1e3 if job.header.op == "infer" else None)
            else:
                self.tally.refused(job.header.op, answer.code)
            self._send(job.peer, answer.frames)

    def _receive(self) -> None:
        frames = [self._front.recv(copy=False)]
        while self._front.rcvmore:
            frame = self._front.recv(copy=False)
            # what no message has is read and dropped, one frame after the other
            if len(frames) <= MAX_ARRAYS + 2:
                frames.append(frame)
        peer = frames[0].bytes
        self.tally.received_bytes += sum(map(len, frames))
        lease = self._segments.lease if self._segments is not None else None
        header = Header(op="health", id=0)
        try:
            if not self._limit.allows(peer):
                raise WireError(f"This client sends more than {MESSAGES_PER_S:g} messages a second.", code="rate")
            header, arrays = unpack([frame.buffer for frame in frames[1:]], lease)
            del frames
            self._dispatch(peer, header, arrays)
        except WireError as error:
            header = replace(header, id=header.id or error.request_id)
            if error.code != "loading":
                self._complaints.add(str(error))
                self.tally.refused(header.op, error.code)
            self._send(peer, refusal(header, error.code, str(error)))

    def _dispatch(self, peer: bytes, header: Header, arrays: dict) -> None:
        if header.op == "infer":
            request = parse(InferRequest, header.body)
            observation = decode_observation(request.observation, arrays)
            prior = None if request.prior is None else decode_prior(request.prior, arrays)
            self._enqueue(peer, header, observation, prior)
        elif header.op == "reset":
            brief = parse(ResetRequest, header.body).brief
            if self._seats().take(header.session) is None:
                raise WireError(
                    "Another session's episode is under way, and this policy has no seat left; wait until one ends, or "
                    f"{SESSION_IDLE_S:g} s after its last request.",
                    code="busy",
                )
            self._enqueue(peer, header, brief)
        else:
            reply = _AT_ONCE[header.op](self, header)
            if reply is not None:
                self.tally.answered(header.op)
                body = reply.model_dump(mode="json") if isinstance(reply, BaseModel) else reply
                self._send(peer, pack(reply_header(header, body)))

    def _enqueue(self, peer: bytes, header: Header, payload: Any, prior: Any = None) -> None:
        if self._draining:
            raise WireError("The server is about to end.", code="draining")
        seat = self._seats().of(header.session)
        if seat is None:
            raise WireError("This session has no episode here; begin one with a reset.", code="no_episode")
        job = Job(peer, header, seat, payload, prior)
        taken, expired = self._jobs.put(job)
        for old in expired:
            old.seat.open_jobs -= 1
            self.tally.refused(old.header.op, "deadline")
            self._send(old.peer, refusal(old.header, "deadline", expired_sentence(old)))
        if not taken:
            raise WireError(f"The policy is behind: {len(self._jobs)} requests wait already.", code="busy")
        seat.open_jobs += 1

    def _seats(self) -> Seats:
        entry = self._host.current
        if entry.seats is None:
            raise WireError(f"'{entry.name}' is being loaded since {time.monotonic() - entry.since:.0f} s.", "loading")
        return entry.seats

    def _hello(self, header: Header) -> HelloReply:
        contract = self._seats().policy.contract
        return HelloReply(contract=contract, digest=digest(contract), server=__version__)

    def _bye(self, header: Header) -> dict:
        if self._host.current.seats is not None:
            self._host.current.seats.leave(header.session)
        return {}

    def _cancel(self, header: Header) -> None:
        request = parse(CancelRequest, header.body).request
        seats = self._host.current.seats
        seat = seats.of(header.session) if seats is not None else None
        if seat is None:
            return
        if self._jobs.cancel(seat, request):
            seat.open_jobs -= 1
            self.tally.cancelled += 1
        for job in self._worker.under_way:
            if job.seat is seat and job.header.id == request:
                job.cancelled = True

    def _health(self, header: Header | None = None) -> HealthReply:
        entry = self._host.current
        return HealthReply(
            policy=entry.name,
            state="draining" if self._draining else entry.state,
            sentence=entry.sentence,
            busy=bool(self._worker.under_way),
            queued=len(self._jobs),
            sessions=len(entry.seats) if entry.seats is not None else 0,
            answered=self.tally.answers.total(),
            refused=self.tally.refusals.total(),
            uptime_s=time.monotonic() - self.tally.started,
        )

    def _metrics(self, header: Header) -> dict:
        return {"text": self.tally.text()}

    def _list(self, header: Header) -> ListReply:
        return ListReply(policies=[self._state_of(entry) for entry in self._host.entries.values()])

    def _load(self, header: Header) -> PolicyState:
        return self._state_of(self._host.load(self._named(header).name))

    def _swap(self, header: Header) -> PolicyState:
        entry = self._named(header)
        if entry.state != "ready":
            raise WireError(f"'{entry.name}' is {entry.state}; load it first, and swap when it is ready.")
        self._host.swap(entry.name)
        return self._state_of(entry)

    def _named(self, header: Header) -> Entry:
        name = parse(NameRequest, header.body).name
        if name not in self._host.entries:
            raise WireError(
                f"This server knows no policy '{name[:80]}'; it was started with {', '.join(self._host.entries)}."
            )
        return self._host.entries[name]

    def _state_of(self, entry: Entry) -> PolicyState:
        return PolicyState(
            name=entry.name,
            state=entry.state,
            for_s=time.monotonic() - entry.since,
            current=entry is self._host.current,
            sentence=entry.sentence,
        )

    def _gauges(self) -> None:
        self.tally.gauge("touchstone_queued_requests", "Requests that wait.", lambda: len(self._jobs))
        self.tally.gauge("touchstone_sessions", "Sessions with a seat.", lambda: self._health().sessions)
        self.tally.gauge("touchstone_ready", "1 when the policy is loaded.", lambda: self._health().state == "ready")

    def _send(self, peer: bytes, frames: list[Any]) -> None:
        # a peer that does not read must never hold up the front
        try:
            self._front.send_multipart([peer, *frames], flags=zmq.NOBLOCK, copy=False)
        except zmq.Again:
            self.tally.unread += 1

    def _end_context(self) -> None:
        self._front.close()
        if self._authenticator is not None:
            self._authenticator.stop()
        self._context.term()


_AT_ONCE: dict[str, Callable[[PolicyServer, Header], Any]] = {
    "hello": PolicyServer._hello,
    "bye": PolicyServer._bye,
    "cancel": PolicyServer._cancel,
    "health": PolicyServer._health,
    "metrics": PolicyServer._metrics,
    "list": PolicyServer._list,
    "load": PolicyServer._load,
    "swap": PolicyServer._swap,
}


def _take_path(address: Address):
    """Holds a lock beside a socket's path: ZMQ would take the path from a server that is using it."""
    if address.transport == "tcp":
        return None
    url = f"{address.transport}://{address.path}"
    try:
        lock = open(address.path + ".lock", "w")  # noqa: SIM115 - held until the server closes
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"Cannot serve on {url}: another server uses it; choose another path.") from error
    except OSError as error:
        raise UsageError(f"Cannot serve on {url}: {error.strerror}.") from error
    return lock


def _bind_sentence(bind: str, error: zmq.ZMQError) -> str:
    if error.errno == zmq.EADDRINUSE:
        return f"Cannot serve on {bind}: the address is in use; choose another port, or 0 for any free one."
    return f"Cannot serve on {bind}: {error.strerror}."
