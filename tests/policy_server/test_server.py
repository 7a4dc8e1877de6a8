"""Server and client as they run: a server process, real sockets."""

import signal
import subprocess
import threading
import time

import msgspec
import numpy as np
import pytest
import zmq

from policy_server.addresses import bind_address
from policy_server.client import PolicyClient, connect
from policy_server.wire import Header, pack, unpack
from tests.policy_server.samples import BRIEF, observation
from tests.policy_server.served import serving, start, wait_for
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, UsageError


def sentence(header) -> str:
    return msgspec.msgpack.decode(header.body)["sentence"]


def one_sentence(error) -> str:
    text = str(error.value)
    assert text and "\n" not in text and text.endswith(".")
    return text


@pytest.fixture(scope="module")
def slow():
    with serving("tests.policy_server.odd_policies:Slow") as (_, url):
        yield url


@pytest.fixture
def client(slow):
    client = connect(slow)
    yield client
    client.close()


@pytest.fixture
def raw(slow):
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, 5000)
    socket.connect(slow)
    yield socket
    socket.close()
    context.term()


def test_the_policy_sees_what_the_world_saw_and_the_chunk_comes_back():
    with serving("tests.policy_server.odd_policies:Reports") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        seen = observation(3)
        chunk = client.infer(seen)
        frame = seen.cameras["scene"]
        expected = [frame.image.astype(float).mean(), seen.joints.position.sum(), frame.model.K[0, 0]]
        np.testing.assert_array_equal(chunk.actions[0, :3], expected)
        assert chunk.answers == 3 and chunk.t0_ns == seen.stamp_ns
        assert 0 < chunk.timing.infer_ms < chunk.timing.total_ms and chunk.timing.queue_ms >= 0
        client.close()


def test_pictures_may_travel_as_jpeg():
    with serving("tests.policy_server.odd_policies:Reports") as (_, url):
        client = PolicyClient(url, as_jpeg=True)
        client.reset(BRIEF)
        seen = observation(3)
        mean = seen.cameras["scene"].image.astype(float).mean()
        assert client.infer(seen).actions[0, 0] == pytest.approx(mean, abs=2)
        client.close()


def test_a_late_answer_is_never_taken_for_the_next(client):
    client.reset(BRIEF)
    with pytest.raises(DeadlineExceeded) as caught:
        client.infer(observation(1, instruction="0.6"), budget_ms=100)
    assert "100 ms" in one_sentence(caught)
    chunk = client.infer(observation(2, instruction="0"))
    assert chunk.answers == 2 and chunk.actions[0, 0] == pytest.approx(2e-3)


def test_work_whose_budget_ran_out_in_the_queue_is_dropped_unseen(client, raw):
    client.reset(BRIEF)
    with pytest.raises(DeadlineExceeded):
        client.infer(observation(1, instruction="0.8"), budget_ms=50)
    with pytest.raises(DeadlineExceeded):
        client.infer(observation(2, instruction="30"), budget_ms=100)
    # would be late itself, by its 10 s, had the 30 s inference been carried out
    assert client.infer(observation(3, instruction="0"), budget_ms=10_000).answers == 3


def test_health_answers_while_the_policy_works(client):
    client.reset(BRIEF)
    other = connect(client._url)
    working = threading.Thread(target=client.infer, args=(observation(1, instruction="1.5"),))
    working.start()
    try:
        while not other.console.health().busy:
            time.sleep(0.02)
        assert working.is_alive()
    finally:
        working.join()
        other.close()


def test_a_second_session_waits_for_its_turn(client, slow):
    client.reset(BRIEF)
    second = connect(slow)
    with pytest.raises(PolicyFailure, match="no episode"):
        second.infer(observation(1, instruction="0"))
    threading.Timer(0.5, client.close).start()
    second.reset(BRIEF)
    assert second.infer(observation(1, instruction="0")).answers == 1
    second.close()


def test_a_session_under_way_is_not_taken_over(client, raw):
    client.reset(BRIEF)
    body = {"brief": BRIEF.model_dump(mode="json")}
    raw.send_multipart(pack(Header(op="reset", id=5, session="other", body=body)))
    header, _ = unpack(raw.recv_multipart())
    assert header.id == 5 and header.error == "busy" and sentence(header).endswith(".")


def test_a_full_queue_is_said_at_once(client, raw):
    client.reset(BRIEF)
    with pytest.raises(DeadlineExceeded):
        client.infer(observation(1, instruction="1.5"), budget_ms=50)
    body = {"brief": BRIEF.model_dump(mode="json")}
    for number in range(12):
        raw.send_multipart(pack(Header(op="reset", id=number, session=client._requests._session, body=body)))
    errors = [unpack(raw.recv_multipart())[0].error for _ in range(12)]
    assert errors == ["busy"] * 4 + [None] * 8


def test_garbage_is_refused_and_the_server_lives_on(client, raw):
    for frames in ([b""], [b"\x80"], [b"GET / HTTP/1.1"], [b"\x93", b"a", b"b"], [bytes(2_000_000)]):
        raw.send_multipart(frames)
        header, _ = unpack(raw.recv_multipart())
        assert header.error in ("bad_request", "version") and sentence(header).endswith(".")
    client.reset(BRIEF)
    for body in ({}, {"observation": {}}, {"observation": None}):
        raw.send_multipart(pack(Header(op="infer", id=8, session=client._requests._session, body=body)))
        header, _ = unpack(raw.recv_multipart())
        assert (header.id, header.error) == (8, "bad_request")
    assert client.infer(observation(1, instruction="0")).answers == 1


def test_another_protocol_version_is_refused_by_its_name(raw):
    raw.send_multipart(pack(Header(op="hello", id=4, version=1)))
    header, _ = unpack(raw.recv_multipart())
    assert header.id == 4 and header.error == "version" and "install the same" in sentence(header)


def test_a_client_refuses_a_server_of_another_version():
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")

    def answer():
        peer, *frames = router.recv_multipart()
        router.send_multipart([peer, *pack(Header(op="hello", id=unpack(frames)[0].id, version=1))])

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with pytest.raises(ContractMismatch, match="protocol"):
            connect(f"tcp://127.0.0.1:{port}")
    finally:
        thread.join()
        context.destroy(linger=0)


@pytest.mark.parametrize(
    ("policy", "kind", "what"),
    [
        ("Raises", PolicyFailure, "KeyError"),
        ("WrongShape", PolicyFailure, "shape"),
        ("AnswersNothing", PolicyFailure, "NoneType"),
        ("WantsAnotherCamera", ContractMismatch, "wrist"),
    ],
)
def test_a_failing_policy_is_one_sentence_and_the_server_lives_on(policy, kind, what):
    with serving(f"tests.policy_server.odd_policies:{policy}") as (process, url):
        client = connect(url)
        client.reset(BRIEF)
        for _ in range(2):
            with pytest.raises(kind, match=what) as caught:
                client.infer(observation())
            one_sentence(caught)
        # counted after the answer, so that counting delays nobody
        wait_for(lambda: client.console.health().refused == 2)
        assert process.poll() is None
        client.close()


def test_numbers_that_no_arm_may_execute_travel_as_they_are_for_the_arm_to_refuse():
    with serving("tests.policy_server.odd_policies:NotFinite") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        assert np.isnan(client.infer(observation()).actions).all()
        client.close()


def test_a_killed_server_is_one_error_well_within_the_budget():
    with serving("tests.policy_server.odd_policies:Slow") as (process, url):
        client = connect(url)
        client.reset(BRIEF)
        threading.Timer(0.3, process.kill).start()
        with pytest.raises(PolicyFailure, match="is gone") as caught:
            client.infer(observation(1, instruction="60"), budget_ms=30_000)
        assert not isinstance(caught.value, DeadlineExceeded) and url in one_sentence(caught)
        with pytest.raises(PolicyFailure, match="is gone"):
            client.reset(BRIEF)
        client.close()
        client.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("working", [False, True])
def test_a_signal_ends_the_server_cleanly(number, working):
    with serving("tests.policy_server.odd_policies:Slow") as (process, url):
        client = connect(url)
        if working:
            client.reset(BRIEF)
            with pytest.raises(DeadlineExceeded):
                client.infer(observation(1, instruction="60"), budget_ms=100)
        process.send_signal(number)
        assert process.wait(10) == 0
        client.close()


def test_ipc_serves_as_well(tmp_path):
    with serving("tests.policy_server.odd_policies:Reports", f"ipc://{tmp_path}/policy") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        assert client.infer(observation()).answers == 1
        client.close()


def test_nobody_there_says_how_to_start_one():
    with pytest.raises(UsageError, match="touchstone serve --policy NAME") as caught:
        connect("tcp://127.0.0.1:9", timeout_s=0.3)
    one_sentence(caught)


def test_a_port_in_use_is_one_sentence_and_exit_code_2(slow):
    process = start("tests.policy_server.odd_policies:Slow", slow, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2 and out == "" and "in use" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "url", ["tcp://127.0.0.1:5555", "tcp://localhost:0", "tcp://[::1]:*", "ipc:///tmp/x", "shm:///tmp/x"]
)
def test_this_computers_own_addresses_are_allowed(url):
    bind_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "tcp://*:5555",
        "tcp://0.0.0.0:5555",
        "tcp://[::]:5555",
        "tcp://192.168.1.4:5555",
        "tcp://gpu-box:5555",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:99999",
        "http://127.0.0.1:80",
        "ipc://",
        "",
    ],
)
def test_other_addresses_are_refused_in_one_sentence(url):
    with pytest.raises(UsageError) as caught:
        bind_address(url)
    one_sentence(caught)
