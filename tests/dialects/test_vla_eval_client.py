"""vla-eval's websocket as a policy, against a server that speaks it and against ones that do not."""

import msgpack
import numpy as np
import pytest

from policy_server.dialects.vla_eval_client import connect
from tests.dialects.servers import ROWS, VlaEvalServer, deaf_listener, vla_array, websocket_server
from tests.policy_server import samples
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, UsageError

OBSERVATION = samples.observation()


def meet(port: int, options: str = ""):
    policy = connect(f"vla-eval://127.0.0.1:{port}{options}")
    policy.reset(samples.BRIEF)
    return policy


def test_a_vla_eval_server_is_a_policy():
    server = VlaEvalServer()
    with websocket_server(server.handle) as port:
        policy = meet(port)
        chunk = policy.infer(OBSERVATION)
        policy.reset(samples.BRIEF)
        policy.infer(samples.observation(2))
        policy.close()
    assert chunk.length == 1 and chunk.actions[0] == pytest.approx(ROWS[0, :6]) and chunk.gripper == [1.0]
    kinds = ["hello", "episode_start", "observation", "episode_end", "episode_start", "observation", "episode_end"]
    assert server.kinds() == kinds
    assert [message["seq"] for message in server.seen] == list(range(1, 8))
    hello, start, asked = (server.seen[k]["payload"] for k in range(3))
    assert hello["protocol_version"] == 1
    assert start == {"task": {"name": "touch-emoji", "task_description": samples.BRIEF.instruction}}
    assert asked["task_description"] == OBSERVATION.instruction and asked["state"]["shape"] == [7]
    assert asked["images"]["primary"]["data"] == OBSERVATION.cameras["scene"].image.tobytes()


def test_a_chunk_is_taken_where_the_mapping_says_so():
    server = VlaEvalServer(lambda n, seq, send: send("action", {"actions": vla_array(ROWS)}, seq))
    with websocket_server(server.handle) as port:
        policy = meet(port, "?chunk_length=10&execute=5")
        assert policy.infer(OBSERVATION).length == 10
        policy.close()
        policy = meet(port)
        with pytest.raises(PolicyFailure, match="10 actions where its contract says 1"):
            policy.infer(OBSERVATION)
        policy.close()


def test_a_late_answer_is_known_by_its_number_and_dropped():
    late = []

    def answer(n, seq, send):
        if n == 0:
            late.append(seq)
            return
        if n == 1:
            send("action", {"actions": vla_array(np.full(7, 0.09))}, late[0])
        send("action", {"actions": vla_array(ROWS[0])}, seq)

    server = VlaEvalServer(answer)
    with websocket_server(server.handle) as port:
        policy = meet(port)
        with pytest.raises(DeadlineExceeded, match="in time"):
            policy.infer(OBSERVATION, 100)
        assert policy.infer(samples.observation(2)).actions[0] == pytest.approx(ROWS[0, :6])
        policy.close()
    assert server.kinds().count("hello") == 1


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("error", {"error": "observation_failed: KeyError: 'state'"}, "KeyError: 'state'"),
        ("error", {}, "None"),
        ("hello", {}, "with 'hello'"),
        ("action", {"action": 1}, "no actions"),
        ("action", {"actions": [0.0] * 7}, "list and no array"),
        ("action", {"actions": vla_array(np.zeros(6))}, "(1, 6)"),
        ("action", {"actions": {"__image__": True, "format": "png", "data": b""}}, "picture"),
        ("action", {"actions": {"__ndarray__": True, "data": b"12345678", "dtype": "|O", "shape": [1]}}, "not carried"),
        ("action", [], "no type, payload and seq"),
    ],
)
def test_a_wrong_answer_is_one_sentence(kind, payload, says):
    with websocket_server(VlaEvalServer(lambda n, seq, send: send(kind, payload, seq)).handle) as port:
        policy = meet(port)
        with pytest.raises(PolicyFailure) as caught:
            policy.infer(OBSERVATION)
        policy.close()
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_an_episode_that_fails_to_start_is_said_at_its_first_question():
    server = VlaEvalServer(on_start=lambda seq, send: send("error", {"error": "episode_start_failed: no"}, seq))
    with websocket_server(server.handle) as port:
        policy = meet(port)
        with pytest.raises(PolicyFailure, match="episode_start_failed: no"):
            policy.infer(OBSERVATION)
        policy.close()


def test_a_server_gone_in_mid_episode_ends_it_and_the_next_may_begin():
    def answer(n, seq, send):
        if n == 1:
            raise ConnectionError("the handler ends, and its connection with it")
        send("action", {"actions": vla_array(ROWS[0])}, seq)

    server = VlaEvalServer(answer)
    with websocket_server(server.handle) as port:
        policy = meet(port)
        policy.infer(OBSERVATION)
        for number in (2, 3):
            with pytest.raises(PolicyFailure, match="is gone"):
                policy.infer(samples.observation(number))
        policy.reset(samples.BRIEF)
        assert policy.infer(samples.observation(4)).answers == 4
        policy.close()
    with pytest.raises(PolicyFailure, match="closed"):
        policy.infer(OBSERVATION)


def spec(part: str, written: str) -> dict:
    return {"action_spec": {part: {"name": part, "dims": 3, "format": written}}}


@pytest.mark.parametrize(
    ("hello", "says"),
    [
        ({"protocol_version": 2}, "speaks protocol 2"),
        ({"protocol_version": None}, "speaks protocol None"),
        (spec("position", "absolute_xyz"), "answers absolute_xyz positions and the mapping says 'target_delta'"),
        (spec("rotation", "euler_xyz"), "answers euler_xyz rotations and the mapping says rotation_vector"),
        (spec("gripper", "binary_close_positive"), "the mapping says 1 is open"),
        ({"observation_params": {"send_wrist_image": True}}, "wants a wrist picture"),
    ],
)
def test_a_hello_that_contradicts_the_mapping_is_refused_at_connect(hello, says):
    with websocket_server(VlaEvalServer(hello=hello).handle) as port, pytest.raises(ContractMismatch) as caught:
        meet(port)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("hello", [spec("actions", "raw"), spec("rotation", "axis_angle"), {"action_spec": 7}])
def test_a_hello_that_says_nothing_against_the_mapping_is_taken(hello):
    with websocket_server(VlaEvalServer(hello=hello).handle) as port:
        meet(port).close()


@pytest.mark.parametrize(
    "first",
    ["text", b"\xc1", msgpack.packb({"type": "action", "payload": {}, "seq": 1, "timestamp": 0}), msgpack.packb([])],
)
def test_what_is_no_vla_eval_server_is_said_at_connect(first):
    with (
        websocket_server(lambda connection: (connection.send(first), list(connection))) as port,
        pytest.raises(UsageError, match="is no vla-eval server"),
    ):
        connect(f"vla-eval://127.0.0.1:{port}")


def test_silence_at_connect_is_given_up_in_time():
    with deaf_listener() as port, pytest.raises(UsageError, match="in time"):
        connect(f"vla-eval://127.0.0.1:{port}", 0.2)
    with websocket_server(lambda connection: list(connection)) as port, pytest.raises(UsageError, match="in time"):
        connect(f"vla-eval://127.0.0.1:{port}", 0.2)
