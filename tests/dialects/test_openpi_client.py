"""openpi's websocket as a policy, against a server that speaks it and against ones that do not."""

import threading
import time

import msgpack
import numpy as np
import pytest

from policy_server.dialects.openpi_client import connect
from policy_server.dialects.stream import Stream
from tests.dialects.servers import ROWS, OpenpiServer, deaf_listener, openpi_answer, websocket_server
from tests.policy_server import samples
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, TouchstoneError, UsageError
from touchstone.policy import Policy

OBSERVATION = samples.observation()


def meet(port: int, options: str = "") -> Policy:
    policy = connect(f"openpi://127.0.0.1:{port}{options}")
    policy.reset(samples.BRIEF)
    return policy


def test_any_openpi_server_is_a_policy():
    server = OpenpiServer()
    with websocket_server(server.handle) as port:
        policy = meet(port)
        chunk = policy.infer(OBSERVATION)
        policy.close()
    assert policy.contract.cameras[0].name == "scene" and policy.contract.chunk_length == 50
    assert policy.metadata == {"model": "stand-in"}
    assert chunk.actions.shape == (10, 6) and chunk.actions[3] == pytest.approx(ROWS[3, :6])
    assert chunk.gripper == pytest.approx(np.ones(10)) and chunk.dt == 0.2 and chunk.answers == OBSERVATION.id
    assert chunk.timing.infer_ms == 12.5 and chunk.timing.total_ms > 0
    (question,) = server.seen
    image, state = question["observation/image"], question["observation/state"]
    assert question["prompt"] == OBSERVATION.instruction and image[b"dtype"] == "|u1"
    assert image[b"data"] == OBSERVATION.cameras["scene"].image.tobytes() and image[b"shape"] == [480, 640, 3]
    assert state[b"dtype"] == "<f4" and state[b"shape"] == [7]


def test_an_episode_has_a_connection_of_its_own():
    server = OpenpiServer()
    with websocket_server(server.handle) as port:
        policy = meet(port)
        policy.infer(OBSERVATION)
        policy.infer(samples.observation(2))
        assert server.connections == 1
        policy.reset(samples.BRIEF)
        policy.infer(samples.observation(3))
        assert server.connections == 2
        policy.close()
        policy.close()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("Traceback (most recent call last):\n  File x\nKeyError: 'observation/wrist_image'\n", "KeyError: 'observat"),
        ("", "does not say why"),
        (b"\xc1", "no msgpack"),
        (msgpack.packb([1, 2]), "answered list"),
        (msgpack.packb({"action": 1}), "answered action"),
        (openpi_answer([[0.0] * 7]), "no array"),
        (openpi_answer(ROWS[:, :6]), "of shape (10, 6)"),
        (openpi_answer(np.zeros((2, 10, 7))), "(2, 10, 7)"),
        (openpi_answer(np.zeros((60, 7))), "60 actions where its contract says 50"),
        (openpi_answer(np.zeros((4, 7))), "4 actions"),
        (openpi_answer(np.zeros((10, 7), dtype=bool)), "bool"),
        (openpi_answer({b"__ndarray__": True, b"data": b"12345678", b"dtype": "|O", b"shape": [1]}), "not carried"),
        (openpi_answer({b"__ndarray__": True, b"data": b"", b"dtype": "<f8", b"shape": [2**40]}), "larger than"),
    ],
)
def test_a_wrong_answer_is_one_sentence(answer, says):
    server = OpenpiServer(lambda n: answer)
    with websocket_server(server.handle) as port:
        policy = meet(port)
        with pytest.raises(PolicyFailure) as caught:
            policy.infer(OBSERVATION)
        policy.close()
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_numbers_that_are_no_actions_are_left_to_the_embodiment():
    with websocket_server(OpenpiServer(lambda n: openpi_answer(np.full((10, 7), np.nan))).handle) as port:
        policy = meet(port)
        assert np.isnan(policy.infer(OBSERVATION).actions).all()
        policy.close()


def test_a_late_answer_is_never_taken_for_a_later_one():
    release = threading.Event()

    def answer(n: int) -> bytes:
        if n == 0:
            release.wait(10)
            return openpi_answer(np.full((10, 7), 0.09))
        return openpi_answer()

    server = OpenpiServer(answer)
    with websocket_server(server.handle) as port:
        policy = meet(port)
        with pytest.raises(DeadlineExceeded, match="did not answer in time"):
            policy.infer(OBSERVATION, 100)
        release.set()
        chunk = policy.infer(samples.observation(2))
        assert chunk.actions[0] == pytest.approx(ROWS[0, :6]) and chunk.answers == 2
        assert server.connections == 2
        policy.close()


def test_a_server_that_is_gone_in_mid_episode_ends_it_in_one_sentence_and_the_next_may_begin():
    server = OpenpiServer(lambda n: ConnectionError() if n == 1 else openpi_answer())
    with websocket_server(server.handle) as port:
        policy = meet(port)
        policy.infer(OBSERVATION)
        for number in (2, 3):
            with pytest.raises(PolicyFailure, match="is gone") as caught:
                policy.infer(samples.observation(number))
            assert not isinstance(caught.value, DeadlineExceeded) and len(server.seen) == 2
        policy.reset(samples.BRIEF)
        assert policy.infer(samples.observation(4)).answers == 4
        policy.close()


def test_a_server_that_stays_away_is_said_at_the_next_reset():
    with websocket_server(OpenpiServer().handle) as port:
        policy = meet(port)
        policy.infer(OBSERVATION)
    with pytest.raises(PolicyFailure):
        policy.infer(OBSERVATION)
    with pytest.raises(PolicyFailure, match="Nothing listens"):
        policy.reset(samples.BRIEF)
    policy.close()


def test_another_server_at_the_same_address_is_not_taken_for_the_first():
    server = OpenpiServer()
    with websocket_server(server.handle) as port:
        policy = meet(port)
        policy.infer(OBSERVATION)
        server._metadata = {"model": "another"}
        with pytest.raises(PolicyFailure, match="Another server"):
            policy.reset(samples.BRIEF)
        policy.close()


def test_a_server_that_does_not_read_is_given_up():
    stop = threading.Event()

    def handle(connection) -> None:
        with connection.recv_flow_control:  # the library stops reading, and the kernel's buffers fill up
            stop.wait(20)

    with websocket_server(handle) as port:
        stream = Stream("127.0.0.1", port, "the deaf", time.monotonic() + 5)
        try:
            with pytest.raises(DeadlineExceeded, match="did not read its message in time"):
                for _ in range(2):
                    stream.send(bytes(30 << 20), time.monotonic() + 0.3)
        finally:
            stop.set()


@pytest.mark.parametrize(
    ("first", "says"),
    [("an error at once", "no metadata"), (b"\xc1", "no msgpack"), (msgpack.packb(7), "no metadata")],
)
def test_what_is_no_openpi_server_is_said_at_connect(first, says):
    with websocket_server(OpenpiServer(metadata=first).handle) as port, pytest.raises(UsageError) as caught:
        connect(f"openpi://127.0.0.1:{port}")
    assert says in str(caught.value) and "is no openpi server" in str(caught.value)


def test_silence_at_connect_is_given_up_in_time():
    with deaf_listener() as port, pytest.raises(UsageError, match="in time"):
        connect(f"openpi://127.0.0.1:{port}", 0.2)
    with websocket_server(lambda connection: connection.recv()) as port, pytest.raises(UsageError, match="in time"):
        connect(f"openpi://127.0.0.1:{port}", 0.3)
    with pytest.raises(UsageError, match=r"Nothing listens at openpi://.*; start one with openpi's"):
        connect(f"openpi://127.0.0.1:{port}")


def test_a_server_of_ours_with_another_mapping_is_refused_at_connect():
    ours = {"touchstone": {"mapping": "libero", "expects": {}}}
    with (
        websocket_server(OpenpiServer(metadata=ours).handle) as port,
        pytest.raises(ContractMismatch, match="serves with mapping 'libero' and the address says 'touchstone'"),
    ):
        connect(f"openpi://127.0.0.1:{port}")


def test_the_first_question_needs_a_reset():
    with websocket_server(OpenpiServer().handle) as port:
        policy = connect(f"openpi://127.0.0.1:{port}")
        with pytest.raises(TouchstoneError, match="before its first reset"):
            policy.infer(OBSERVATION)
        policy.close()
