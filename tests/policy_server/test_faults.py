"""What a client makes of a server that falls silent, goes away, comes back, or answers late, twice and out of order."""

import signal
import socket
import threading

import msgspec
import numpy as np
import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_server.client import PolicyClient, connect
from policy_server.codec import encode_chunk
from policy_server.link import LinkLost
from policy_server.policies.motion import single_delta
from policy_server.serving.host import digest
from policy_server.serving.limits import RateLimit
from policy_server.wire import Header, pack, unpack
from tests.policy_server.odd_policies import _Odd
from tests.policy_server.samples import BRIEF, observation
from tests.policy_server.served import serving
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure

SLOW = "tests.policy_server.odd_policies:Slow"
CONTRACT = _Odd.contract


class UnreliableServer(threading.Thread):
    """Answers a hello and a reset as it should; what becomes of the answers to inferences, `fates` says one by one."""

    def __init__(self, fates):
        super().__init__(daemon=True)
        self.fates = list(fates)
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.url = f"tcp://127.0.0.1:{self.socket.bind_to_random_port('tcp://127.0.0.1')}"
        self.ending = threading.Event()

    def run(self):
        kept = []  # answers held back
        while not self.ending.is_set():
            if not self.socket.poll(10):
                continue
            peer, *frames = self.socket.recv_multipart()
            header, _ = unpack(frames)
            if header.op != "infer":
                if header.op in ("hello", "reset"):
                    body = {"contract": CONTRACT.model_dump(mode="json"), "digest": digest(CONTRACT), "server": "x"}
                    body = body if header.op == "hello" else {"digest": digest(CONTRACT)}
                    self.socket.send_multipart([peer, *pack(Header(op=header.op, id=header.id, body=body))])
                continue
            answer = [peer, *self.answer(header)]
            fate = self.fates.pop(0) if self.fates else "at once"
            kept.append(answer)
            if fate == "lost":
                kept.pop()
            elif fate == "late":
                continue
            elif fate == "twice":
                self.send([answer, answer])
            elif fate == "behind the late ones":
                self.send(kept)
                kept.clear()
            elif fate == "before the late ones":
                self.send(reversed(kept))
                kept.clear()
            else:
                self.send([kept.pop()])
        self.socket.close(linger=0)
        self.context.term()

    def answer(self, header):
        seen = msgspec.msgpack.decode(header.body)["observation"]
        chunk = single_delta(observation(seen["id"]), np.full(3, seen["id"] * 1e-3), 1.0, 5.0)
        body, arrays = encode_chunk(chunk)
        timing = {"queue_ms": 0.0, "infer_ms": 0.0, "total_ms": 0.0}
        return pack(Header(op="infer", id=header.id, body={"chunk": body, "timing": timing}), arrays)

    def send(self, answers):
        for answer in answers:
            self.socket.send_multipart(answer)

    def end(self):
        self.ending.set()
        self.join()


FATES = ["at once", "lost", "late", "twice", "behind the late ones", "before the late ones"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(FATES), min_size=1, max_size=8))
def test_whatever_becomes_of_the_messages_no_answer_is_taken_for_another_observations(fates):
    server = UnreliableServer(fates)
    server.start()
    client = PolicyClient(server.url)
    try:
        client.reset(BRIEF)
        for number, fate in enumerate(fates, start=1):
            seen = observation(number)
            if fate in ("lost", "late"):
                with pytest.raises(DeadlineExceeded):
                    client.infer(seen, budget_ms=40)
                continue
            chunk = client.infer(seen, budget_ms=5000)
            assert chunk.answers == number and chunk.t0_ns == seen.stamp_ns
            assert chunk.actions[0, 0] == pytest.approx(number * 1e-3)
    finally:
        client.close()
        server.end()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_comes_back_is_found_again_within_the_call():
    url = f"tcp://127.0.0.1:{free_port()}"
    with serving(SLOW, url):
        client = connect(url)
        client.reset(BRIEF)
        assert client.infer(observation(1, instruction="0")).answers == 1
    with pytest.raises(LinkLost, match="is gone"):  # the arm holds meanwhile
        client.infer(observation(2, instruction="0"), budget_ms=300)
    waiting = threading.Thread(target=lambda: late.append(client.infer(observation(3, instruction="0"))))
    late = []
    waiting.start()
    with serving(SLOW, url):
        waiting.join(20)
        assert [chunk.answers for chunk in late] == [3]
        assert client.infer(observation(4, instruction="0")).answers == 4
        client.close()


def test_a_server_that_comes_back_with_another_policy_is_refused():
    url = f"tcp://127.0.0.1:{free_port()}"
    with serving(SLOW, url):
        client = connect(url)
        client.reset(BRIEF)
    with serving("tests.policy_server.odd_policies:Counts", url):
        with pytest.raises(ContractMismatch, match="another policy than before"):
            client.infer(observation(1, instruction="0"))
        client.close()


def test_a_server_that_hangs_costs_the_budget_and_not_more_than_that_answer():
    with serving(SLOW) as (process, url):
        client = connect(url)
        client.reset(BRIEF)
        process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(DeadlineExceeded):
                client.infer(observation(1, instruction="0"), budget_ms=150)
            with pytest.raises(DeadlineExceeded):
                client.infer(observation(2, instruction="0"), budget_ms=150)
        finally:
            process.send_signal(signal.SIGCONT)
        assert client.infer(observation(3, instruction="0")).answers == 3
        client.close()


def test_a_peer_that_sends_without_reading_holds_nobody_up():
    with serving("tests.policy_server.odd_policies:Counts") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        context = zmq.Context()
        flood = context.socket(zmq.DEALER)
        flood.setsockopt(zmq.LINGER, 0)
        flood.setsockopt(zmq.RCVHWM, 1)
        flood.connect(url)
        for number in range(6000):
            flood.send_multipart(pack(Header(op="health", id=number)))
        assert client.infer(observation(1)).answers == 1
        flood.close()
        context.term()
        client.close()


def test_a_peer_has_its_rate_and_its_burst(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("policy_server.serving.limits.time.monotonic", lambda: now[0])
    limit = RateLimit(per_s=10.0, burst=3.0)
    assert [limit.allows(b"a") for _ in range(5)] == [True, True, True, False, False]
    assert limit.allows(b"b")  # another peer's is its own
    now[0] += 0.25
    assert [limit.allows(b"a") for _ in range(3)] == [True, True, False]
    now[0] += 3600
    assert [limit.allows(b"a") for _ in range(5)] == [True, True, True, False, False]


def test_a_message_of_a_thousand_frames_is_one_refusal():
    with serving("tests.policy_server.odd_policies:Counts") as (_, url):
        context = zmq.Context()
        raw = context.socket(zmq.DEALER)
        raw.setsockopt(zmq.LINGER, 0)
        raw.connect(url)
        raw.send_multipart([pack(Header(op="health", id=7))[0], *[b"x"] * 1000])
        assert raw.poll(5000)
        header, _ = unpack(raw.recv_multipart())
        assert (header.id, header.error) == (7, "bad_request")
        raw.close()
        context.term()


def test_a_lost_server_is_said_by_every_call_until_it_is_back():
    with serving(SLOW) as (process, url):
        client = connect(url)
        process.kill()
        process.wait()
        for _ in range(2):
            with pytest.raises(PolicyFailure, match="is gone"):
                client.reset(BRIEF)
        client.close()
