"""A policy of ours behind openpi's websocket, asked by a bare client that speaks what openpi's documents say."""

import signal
import time
import urllib.request
from contextlib import contextmanager

import msgpack
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as websocket

from policy_server.dialects.mapping import load_mapping
from policy_server.dialects.openpi_client import connect
from policy_server.dialects.openpi_observation import Place, observation_from, prompt_of
from policy_server.dialects.openpi_server import IDLE_S, serve_at, serve_openpi
from policy_server.wire import WireError
from tests.dialects import policies
from tests.dialects.fronts import serving, start
from tests.dialects.servers import openpi_array
from tests.policy_server import samples
from touchstone.errors import UsageError

HERE = "tests.dialects.policies"
STATE = np.array([0.3, 0.0, 0.2, 0.0, 0.0, 0.0, 0.75], dtype=np.float32)


def question(prompt: str = "Touch cat.", **changes) -> dict:
    image = np.full((48, 64, 3), 100, dtype=np.uint8)
    fields = {"observation/image": openpi_array(image), "observation/state": openpi_array(STATE), "prompt": prompt}
    return {key: value for key, value in (fields | changes).items() if value is not None}


@contextmanager
def client(port: int, **options):
    with websocket(f"ws://127.0.0.1:{port}", compression=None, max_size=None, **options) as connection:
        yield connection, msgpack.unpackb(connection.recv(timeout=10), strict_map_key=False)


def ask(connection, fields: object) -> object:
    connection.send(fields if isinstance(fields, (str, bytes)) else msgpack.packb(fields))
    reply = connection.recv(timeout=30)
    if isinstance(reply, str):
        return reply
    answer = msgpack.unpackb(reply, strict_map_key=False)
    actions = answer["actions"]
    rows = np.frombuffer(actions[b"data"], actions[b"dtype"]).reshape(actions[b"shape"])
    assert answer["server_timing"]["infer_ms"] >= 0
    return rows


def test_any_openpi_client_can_ask_a_policy_of_ours():
    with serving(f"{HERE}:Reports") as (process, port):
        with client(port) as (connection, metadata):
            assert metadata["policy"] == "reports"
            row = ask(connection, question())[0]
            assert row[:3] == pytest.approx([100.0, 1.0, 0.3]) and row[6] == pytest.approx(0.75)
            assert ask(connection, question())[0][1] == 1
            assert ask(connection, question(prompt="Touch dog."))[0][1] == 2, "another prompt is another episode"
        with client(port) as (connection, _):
            assert ask(connection, question(prompt="Touch dog."))[0][1] == 3, "another client is another episode"
            floats = openpi_array(np.full((3, 48, 64), 0.5, dtype=np.float32))
            assert ask(connection, question("Touch dog.", **{"observation/image": floats}))[0][0] == 127
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


BAD = {
    "no picture 'observation/image'": question(**{"observation/image": None}),
    "not (height, width, 3)": question(**{"observation/image": openpi_array(np.zeros((8, 8, 4), np.uint8))}),
    "not within 0..1": question(**{"observation/image": openpi_array(np.full((8, 8, 3), np.nan))}),
    "int32, not uint8": question(**{"observation/image": openpi_array(np.zeros((8, 8, 3), np.int32))}),
    "no vector 'observation/state'": question(**{"observation/state": [1.0] * 7}),
    "it has 6 numbers": question(**{"observation/state": openpi_array(STATE[:6])}),
    "no text 'prompt'": question(prompt=7),
    "is no msgpack": b"\xc1\x00",
    "text and no msgpack": "hello",
    "not carried": question(x={b"__ndarray__": True, b"data": b"12345678", b"dtype": "|O", b"shape": [1]}),
}


def test_a_bad_question_is_answered_with_a_sentence_and_the_next_client_is_served():
    with serving(f"{HERE}:Reports") as (_, port):
        for says, fields in BAD.items():
            with client(port) as (connection, _):
                reply = ask(connection, fields)
                assert isinstance(reply, str) and says in reply and "\n" not in reply, says
                with pytest.raises(ConnectionClosed):
                    connection.recv(timeout=10)
        with client(port) as (connection, _):
            assert ask(connection, question()).shape == (1, 7)


def test_a_policy_that_raises_is_a_sentence():
    with serving(f"{HERE}:Raises") as (_, port), client(port) as (connection, _):
        assert "raised KeyError in infer: 'no such thing'" in ask(connection, question())


def test_one_client_at_a_time_and_no_web_pages():
    with serving(f"{HERE}:Reports") as (_, port):
        with client(port) as (first, _):
            with pytest.raises(InvalidStatus) as refused, client(port):
                pass
            assert refused.value.response.status_code == 503
            assert ask(first, question()).shape == (1, 7)
        with pytest.raises(InvalidStatus) as refused, client(port, origin="http://example.com"):
            pass
        assert refused.value.response.status_code == 403
        with client(port) as (second, _):
            assert ask(second, question()).shape == (1, 7)


def test_a_client_that_vanishes_leaves_its_turn():
    with serving(f"{HERE}:Reports") as (_, port):
        with client(port) as (connection, _):
            ask(connection, question())
            connection.socket.shutdown(2)
        policy = connect(f"openpi://127.0.0.1:{port}")
        policy.close()


@pytest.mark.long
def test_a_silent_client_loses_its_turn_to_another():
    with serving(f"{HERE}:Reports") as (_, port), client(port) as (silent, _):
        ask(silent, question())
        time.sleep(IDLE_S + 0.5)
        with client(port) as (other, _):
            assert ask(other, question()).shape == (1, 7)
            with pytest.raises(ConnectionClosed):
                silent.recv(timeout=10)


def slow_mapping(tmp_path, budget_s: float) -> str:
    fields = load_mapping("openpi", "touchstone").model_dump(mode="json")
    path = tmp_path / "slow.yaml"
    path.write_text(yaml.safe_dump(fields | {"budget_s": budget_s, "first_budget_s": budget_s}))
    return f"?mapping={path}"


def test_a_policy_that_takes_too_long_is_a_sentence_and_serves_nobody_until_it_is_done(tmp_path):
    with serving(f"{HERE}:Slow", slow_mapping(tmp_path, 0.3)) as (_, port):
        with client(port) as (connection, _):
            assert "did not finish 'infer' in its time" in ask(connection, question(prompt="2"))
        with pytest.raises(InvalidStatus), client(port):
            pass
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                with client(port) as (connection, _):
                    assert ask(connection, question(prompt="0")).shape == (1, 7)
                    return
            except InvalidStatus:
                time.sleep(0.1)
        pytest.fail("the policy was never served again")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_the_policy_hangs(number):
    with serving(f"{HERE}:Slow") as (process, port), client(port) as (connection, _):
        connection.send(msgpack.packb(question(prompt="600")))
        time.sleep(0.3)
        process.send_signal(number)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("policy", "bind", "says"),
    [
        (policies.Joints, "127.0.0.1:0", "answers 'joint_abs' actions and the mapping says 'target_delta'"),
        (policies.Privileged, "127.0.0.1:0", "needs simulator facts"),
        (policies.Calibrated, "127.0.0.1:0", "needs the calibration of camera 'scene'"),
        (policies.Wrist, "127.0.0.1:0", "needs camera 'wrist' and the mapping has scene"),
        (policies.Reports, "127.0.0.1:0?mapping=nope", "Unknown openpi mapping 'nope'"),
        (policies.Reports, "127.0.0.1:0?execute=99", "execute is 99"),
        (policies.Reports, "0.0.0.0:0", "only this computer's own addresses"),
    ],
)
def test_what_cannot_be_served_is_said_at_the_start(policy, bind, says):
    with pytest.raises(UsageError) as caught:
        serve_at(policy(), f"openpi://{bind}")
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_only_loopback_is_served_by_host_and_port_too():
    with pytest.raises(UsageError, match="only this computer's own addresses"):
        serve_openpi(policies.Reports(), "0.0.0.0", 0, load_mapping("openpi", "touchstone"))


def test_a_taken_port_is_said():
    process = start(f"{HERE}:Reports", "openpi://127.0.0.1:0")
    try:
        address = process.stdout.readline().split(" on ")[1].strip()
        with pytest.raises(UsageError, match=f"Cannot serve on {address}"):
            serve_at(policies.Reports(), address)
    finally:
        process.kill()
        process.communicate()


def test_our_client_and_our_server_carry_a_policy_exactly():
    with serving("hold", "?mapping=exact") as (_, port):
        policy = connect(f"openpi://127.0.0.1:{port}?mapping=exact")
        for _ in range(2):
            policy.reset(samples.BRIEF)
            chunk = policy.infer(samples.observation())
            assert not chunk.actions.any() and chunk.gripper.shape == (1,)
        policy.close()


def test_what_the_wire_does_not_carry_is_nan():
    mapping = load_mapping("openpi", "touchstone")
    decoded = {"observation/image": np.zeros((48, 64, 3), np.uint8), "observation/state": STATE}
    seen = observation_from(mapping, decoded, "Touch cat.", Place(3, "e", 2))
    assert (seen.id, seen.episode, seen.step, seen.clock) == (3, "e", 2, "monotonic")
    assert seen.ee.position == pytest.approx(STATE[:3]) and seen.ee_commanded is seen.ee
    assert seen.gripper.opening == pytest.approx(0.75) and np.isnan(seen.gripper.width)
    assert seen.joints.names == () and np.isnan(seen.cameras["scene"].model.K).all()
    exact = load_mapping("openpi", "exact")
    sent = samples.observation()
    decoded = {
        "observation/image": sent.cameras["scene"].image,
        "observation/ee": np.array(sent.ee.to_list()),
        "observation/commanded": np.array(sent.ee_commanded.to_list()),
        "observation/joints": sent.joints.position,
        "observation/gripper": np.array([sent.gripper.opening]),
    }
    seen = observation_from(exact, decoded, "Touch cat.", Place(1, "e", 0))
    assert seen.ee.to_list() == sent.ee.to_list() and seen.gripper.opening == sent.gripper.opening
    assert np.array_equal(seen.joints.position, sent.joints.position) and np.isnan(seen.joints.velocity).all()
    assert np.array_equal(seen.cameras["scene"].model.K, sent.cameras["scene"].model.K)


def test_a_prompt_is_taken_out_of_its_template():
    mapping = load_mapping("openpi", "touchstone").model_copy(update={"prompt_template": "In: {instruction}\nOut:"})
    assert prompt_of(mapping, {"prompt": "In: Touch cat.\nOut:"}) == "Touch cat."
    assert prompt_of(mapping, {"prompt": "Touch cat."}) == "Touch cat."


values = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=4), st.just(STATE), st.just(np.zeros((2, 2, 3), np.uint8))
)


@given(st.dictionaries(st.sampled_from(["observation/image", "observation/state", "prompt", "x"]), values) | values)
def test_any_message_is_an_observation_or_refused(fields):
    mapping = load_mapping("openpi", "touchstone")
    try:
        observation_from(mapping, fields, prompt_of(mapping, fields), Place(1, "e", 0))
    except WireError as error:
        assert "\n" not in str(error)
