"""Serves one policy over ZMQ: the front answers at once, the policy works in a thread of its own."""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import zmq

from policy_server.addresses import check_address
from policy_server.bodies import InferRequest, ResetRequest
from policy_server.codec import decode_observation, parse
from policy_server.jobs import Job, JobQueue
from policy_server.sessions import SESSION_IDLE_S, SessionGuard
from policy_server.wire import MAX_ARRAY_BYTES, Header, WireError, pack, unpack
from policy_server.worker import PolicyWorker, expired_sentence, refusal, reply_header
from touchstone import __version__
from touchstone.errors import UsageError
from touchstone.policy import Policy

log = logging.getLogger(__name__)

GRACE_S = 1.0  # what an inference under way gets when the server is told to stop


def serve(policy: Policy, bind: str, ready: Callable[[str], None] | None = None) -> int:
    """Serves until SIGINT or SIGTERM; returns 0. Must run in the main thread.

    bind: `tcp://127.0.0.1:PORT` (0 or * takes a free port) or `ipc://PATH`. ready: called with the bound
    address, after it is printed. Raises UsageError for an address that cannot be served at.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    server = PolicyServer(policy, bind)
    wake = server.stop_socket
    wake.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    # the byte is written by the interpreter's C handler, so a signal cannot slip between a check and the poll
    wake_before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    try:
        print(f"serving {policy.contract.name} on {server.url}", flush=True)
        if ready is not None:
            ready(server.url)
        server.run()
    finally:
        signal.set_wakeup_fd(wake_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        server.close()
    return 0


class PolicyServer:
    """Bound when made. `url`: the address, its port resolved. A byte on `stop_socket` ends `run`."""

    def __init__(self, policy: Policy, bind: str):
        check_address(bind, "bind")
        self._policy = policy
        self._context = zmq.Context()
        self._front = self._context.socket(zmq.ROUTER)
        self._front.setsockopt(zmq.LINGER, 200)
        self._front.setsockopt(zmq.MAXMSGSIZE, MAX_ARRAY_BYTES)
        self._front.setsockopt(zmq.IPV6, int("[" in bind))
        # a peer that went away without a word must not hold its pictures in memory
        self._front.setsockopt(zmq.HEARTBEAT_IVL, 2000)
        self._front.setsockopt(zmq.HEARTBEAT_TIMEOUT, 10000)
        try:
            self._front.bind(bind)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise UsageError(_bind_sentence(bind, error)) from error
        self.url = self._front.getsockopt_string(zmq.LAST_ENDPOINT)
        self._answers = self._context.socket(zmq.PULL)
        self._answers.bind("inproc://answers")
        self._from_worker: zmq.Socket | None = None
        self._stopped, self.stop_socket = socket.socketpair()
        self._jobs = JobQueue()
        self._worker = PolicyWorker(policy, self._jobs, self._post)
        self._guard = SessionGuard()
        self._started = time.monotonic()
        self._answered = self._refused = 0

    def run(self) -> None:
        """Serves until a byte comes on `stop_socket`."""
        self._worker.start()
        poller = zmq.Poller()
        for source in (self._front, self._answers, self._stopped):
            poller.register(source, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self._stopped.fileno() in ready:
                break
            if self._answers in ready:
                self._forward()
            if self._front in ready:
                self._receive()
        self._jobs.close()
        self._worker.join(GRACE_S)
        while self._answers.poll(0):
            self._forward()

    def close(self) -> None:
        self._jobs.close()
        self._stopped.close()
        self.stop_socket.close()
        self._front.close()
        self._answers.close(linger=0)
        # a policy that still works holds the worker's socket; the context then ends with the process
        if not self._worker.is_alive():
            if self._from_worker is not None:
                self._from_worker.close(linger=0)
            self._context.term()

    def _post(self, peer: bytes, frames: list[Any], refused: bool) -> None:
        """Called in the worker's thread; a ZMQ socket belongs to one thread, so it crosses by inproc."""
        if self._from_worker is None:
            self._from_worker = self._context.socket(zmq.PUSH)
            self._from_worker.connect("inproc://answers")
        self._from_worker.send_multipart([b"refused" if refused else b"answered", peer, *frames], copy=False)

    def _forward(self) -> None:
        verdict, peer, *frames = self._answers.recv_multipart()
        self._send(peer, frames, refused=verdict == b"refused")

    def _receive(self) -> None:
        frames = self._front.recv_multipart(copy=False)
        peer = frames[0].bytes
        try:
            header, arrays = unpack([frame.buffer for frame in frames[1:]])
        except WireError as error:
            log.warning("refused a message: %s", error)
            unknown = Header.model_construct(op="health", id=error.request_id)
            self._send(peer, refusal(unknown, error.code, str(error)), refused=True)
            return
        try:
            self._dispatch(peer, header, arrays)
        except WireError as error:
            log.warning("refused a request: %s", error)
            self._send(peer, refusal(header, error.code, str(error)), refused=True)

    def _dispatch(self, peer: bytes, header: Header, arrays: dict) -> None:
        if header.op == "hello":
            body = {"contract": self._policy.contract.model_dump(mode="json"), "server": __version__}
            self._send(peer, pack(reply_header(header, body)))
        elif header.op == "health":
            self._send(peer, pack(reply_header(header, self._health())))
        elif header.op == "bye":
            self._guard.leave(header.session)
            self._send(peer, pack(reply_header(header)))
        elif header.op == "reset":
            brief = parse(ResetRequest, header.body).brief
            if not self._guard.take(header.session, self._worker.busy or len(self._jobs) > 0):
                raise WireError(
                    "Another session's episode is under way, and a policy serves one at a time; wait until it "
                    f"ends, or {SESSION_IDLE_S:g} s after its last request.",
                    code="busy",
                )
            self._enqueue(Job(peer, header, brief))
        else:
            observation = decode_observation(parse(InferRequest, header.body).observation, arrays)
            if not self._guard.holds(header.session):
                raise WireError("This session has no episode here; begin one with a reset.")
            self._enqueue(Job(peer, header, observation))

    def _enqueue(self, job: Job) -> None:
        taken, expired = self._jobs.put(job)
        for old in expired:
            self._send(old.peer, refusal(old.header, "deadline", expired_sentence(old)), refused=True)
        if not taken:
            raise WireError(f"The policy is behind: {len(self._jobs)} requests wait already.", code="busy")

    def _health(self) -> dict:
        return {
            "busy": self._worker.busy,
            "queued": len(self._jobs),
            "answered": self._answered,
            "refused": self._refused,
            "uptime_s": time.monotonic() - self._started,
        }

    def _send(self, peer: bytes, frames: list[Any], refused: bool = False) -> None:
        self._refused += refused
        self._answered += not refused
        # a peer that does not read must never hold up the front
        try:
            self._front.send_multipart([peer, *frames], flags=zmq.NOBLOCK, copy=False)
        except zmq.Again:
            log.warning("dropped an answer: the client does not read")


def _bind_sentence(bind: str, error: zmq.ZMQError) -> str:
    if error.errno == zmq.EADDRINUSE:
        return f"Cannot serve on {bind}: the address is in use; choose another port, or 0 for any free one."
    return f"Cannot serve on {bind}: {error.strerror}."
