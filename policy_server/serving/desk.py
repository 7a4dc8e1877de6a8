"""What a server does with a message, whatever way it came: it answers at once what it can, and queues the rest."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from policy_server.bodies import (
    CancelRequest,
    HealthReply,
    HelloReply,
    InferRequest,
    ListReply,
    MetricsReply,
    NameRequest,
    PolicyState,
    ResetRequest,
)
from policy_server.codec import decode_observation, decode_prior, parse
from policy_server.serving.host import Entry, PolicyHost, digest
from policy_server.serving.jobs import Job, JobQueue, refusal, reply_header
from policy_server.serving.limits import MESSAGES_PER_S, RateLimit
from policy_server.serving.logs import Complaints
from policy_server.serving.seats import Seats
from policy_server.serving.tally import Tally
from policy_server.serving.worker import PolicyWorker
from policy_server.wire import NOTHING, SESSION_IDLE_S, Header, WireError, pack, unpack
from touchstone import __version__

log = logging.getLogger(__name__)


def no_memory(header: Header) -> None:
    """What a way without shared memory answers to a request for some."""
    raise WireError("There is no shared memory on this link; connect to a shm:// address for some.")


@dataclass(frozen=True, eq=False)
class Asker:
    """Who sent a message. peer: for its rate. reply: sends frames back, from any thread. lease: its shared memory.

    settle: waits until the arrays of the message are written. give_memory: answers a request for some. waits: nothing
    else is read from this way before the answer, so that its own thread may run the policy.
    """

    peer: Any
    reply: Callable[[list[Any]], None]
    lease: Callable[[int], memoryview] | None = None
    settle: Callable[[], None] = lambda: None
    give_memory: Callable[[Header], None] = no_memory
    waits: bool = False


class Desk:
    """One for a server. `receive` may be called in several threads."""

    def __init__(self, host: PolicyHost) -> None:
        self.host, self.tally = host, Tally()
        self.draining = False
        self._jobs = JobQueue()
        self._worker = PolicyWorker(self._jobs, self.tally)
        self._limit, self._complaints = RateLimit(), Complaints(log)
        self._lock = threading.Lock()
        self._gauges()

    def open(self) -> None:
        """Begins to load the first policy, and to work."""
        self.host.load(self.host.current.name)
        self._worker.start()

    def receive(self, asker: Asker, frames: list[Any]) -> None:
        """Deals with one message. frames: bytes-like, not to be changed afterwards."""
        header = Header(op="health", id=0)
        self.tally.received_bytes += sum(map(len, frames))
        try:
            with self._lock:
                if not self._limit.allows(asker.peer):
                    raise WireError(f"This client sends more than {MESSAGES_PER_S:g} messages a second.", code="rate")
            header, arrays = unpack(frames, asker.lease)
            job = self._dispatch(asker, header, arrays)
            del arrays
            asker.settle()
        except WireError as error:
            self._refuse(asker, header, error)
            return
        except Exception:
            # no message may end the server, whatever was not thought of
            log.exception("a message could not be dealt with")
            self._refuse(asker, header, WireError("The server failed over this message; its log has the traceback."))
            return
        if job is not None:
            self._worker.accept(job, here=asker.waits)

    def close(self) -> None:
        """Takes no more work; what waits is still done."""
        self.draining = True
        self._jobs.close()

    @property
    def unanswered(self) -> int:
        return len(self._jobs) + len(self._worker.under_way)

    @property
    def working(self) -> bool:
        """Whether there is, or may still come, something to answer."""
        return self._worker.is_alive() or bool(self._worker.under_way)

    def _refuse(self, asker: Asker, header: Header, error: WireError) -> None:
        with self._lock:
            if error.code != "loading":
                self._complaints.add(str(error))
                self.tally.refused(header.op, error.code)
        asker.reply(refusal(replace(header, id=header.id or error.request_id), error.code, str(error)))

    def _dispatch(self, asker: Asker, header: Header, arrays: dict) -> Job | None:
        """The job that the worker is to do, or None where all is answered."""
        if header.op == "infer":
            request = parse(InferRequest, header.body)
            observation = decode_observation(request.observation, arrays)
            prior = None if request.prior is None else decode_prior(request.prior, arrays)
            return self._seated(asker, header, observation, prior)
        if header.op == "reset":
            brief = parse(ResetRequest, header.body).brief
            with self._lock:
                if self._seats().take(header.session) is None:
                    raise WireError(
                        "Another session's episode is under way, and this policy has no seat left; wait until one "
                        f"ends, or {SESSION_IDLE_S:g} s after its last request.",
                        code="busy",
                    )
            return self._seated(asker, header, brief)
        if header.op == "memory":
            asker.give_memory(header)
            return None
        with self._lock:
            reply = _AT_ONCE[header.op](self, header)
            self.tally.answered(header.op)
        if header.op != "cancel":
            asker.reply(pack(reply_header(header, reply)))
        return None

    def _seated(self, asker: Asker, header: Header, payload: Any, prior: Any = None) -> Job:
        with self._lock:
            if self.draining:
                raise WireError("The server is about to end.", code="draining")
            seat = self._seats().of(header.session)
            if seat is None:
                raise WireError("This session has no episode here; begin one with a reset.", code="no_episode")
            return Job(asker.reply, header, seat, payload, prior)

    def _seats(self) -> Seats:
        entry = self.host.current
        if entry.seats is None:
            raise WireError(f"'{entry.name}' is being loaded since {time.monotonic() - entry.since:.0f} s.", "loading")
        return entry.seats

    def _hello(self, header: Header) -> HelloReply:
        contract = self._seats().policy.contract
        return HelloReply(contract.model_dump(mode="json"), digest(contract), __version__)

    def _bye(self, header: Header) -> msgspec.Raw:
        if self.host.current.seats is not None:
            self.host.current.seats.leave(header.session)
        return NOTHING

    def _cancel(self, header: Header) -> None:
        request = parse(CancelRequest, header.body).request
        seats = self.host.current.seats
        seat = seats.of(header.session) if seats is not None else None
        if seat is None:
            return
        if self._jobs.cancel(seat, request):
            self.tally.cancelled += 1
        for job in self._worker.under_way:
            if job.seat is seat and job.header.id == request:
                job.cancelled = True

    def _health(self, header: Header | None = None) -> HealthReply:
        entry = self.host.current
        return HealthReply(
            policy=entry.name,
            state="draining" if self.draining else entry.state,
            sentence=entry.sentence,
            busy=bool(self._worker.under_way),
            queued=len(self._jobs),
            sessions=len(entry.seats) if entry.seats is not None else 0,
            answered=self.tally.answers.total(),
            refused=self.tally.refusals.total(),
            uptime_s=time.monotonic() - self.tally.started,
        )

    def _metrics(self, header: Header) -> MetricsReply:
        return MetricsReply(self.tally.text())

    def _list(self, header: Header) -> ListReply:
        return ListReply(policies=[self._state_of(entry) for entry in self.host.entries.values()])

    def _load(self, header: Header) -> PolicyState:
        return self._state_of(self.host.load(self._named(header).name))

    def _swap(self, header: Header) -> PolicyState:
        entry = self._named(header)
        if entry.state != "ready":
            raise WireError(f"'{entry.name}' is {entry.state}; load it first, and swap when it is ready.")
        self.host.swap(entry.name)
        return self._state_of(entry)

    def _named(self, header: Header) -> Entry:
        name = parse(NameRequest, header.body).name
        if name not in self.host.entries:
            raise WireError(
                f"This server knows no policy '{name[:80]}'; it was started with {', '.join(self.host.entries)}."
            )
        return self.host.entries[name]

    def _state_of(self, entry: Entry) -> PolicyState:
        return PolicyState(
            name=entry.name,
            state=entry.state,
            for_s=time.monotonic() - entry.since,
            current=entry is self.host.current,
            sentence=entry.sentence,
        )

    def _gauges(self) -> None:
        self.tally.gauge("touchstone_queued_requests", "Requests that wait.", lambda: len(self._jobs))
        self.tally.gauge("touchstone_sessions", "Sessions with a seat.", lambda: self._health().sessions)
        self.tally.gauge("touchstone_ready", "1 when the policy is loaded.", lambda: self._health().state == "ready")


_AT_ONCE: dict[str, Callable[[Desk, Header], Any]] = {
    "hello": Desk._hello,
    "bye": Desk._bye,
    "cancel": Desk._cancel,
    "health": Desk._health,
    "metrics": Desk._metrics,
    "list": Desk._list,
    "load": Desk._load,
    "swap": Desk._swap,
}
