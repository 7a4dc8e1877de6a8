"""Arrays through shared memory: what arrives, what is kept, what a hostile client is told."""

import os
import socket
import subprocess
import time

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from policy_server import datagrams
from policy_server.client import connect
from policy_server.link import LinkLost
from policy_server.shared_memory import LENT_AT_MOST, PAGE, SLOTS, ReadMemory, WrittenMemory, slot_bytes_for
from policy_server.wire import Header, WireError, pack, unpack
from tests.policy_server.samples import BRIEF, observation
from tests.policy_server.served import serving, start
from touchstone.errors import PolicyFailure

ODD = "tests.policy_server.odd_policies"


@pytest.fixture
def both():
    """A server's end and a client's end with slots of 64 kB."""
    server = ReadMemory(1 << 16)
    client = WrittenMemory(os.dup(server.descriptor), 1 << 16)
    yield server, client
    client.close()
    os.close(server.descriptor)


def message(client, arrays):
    slot, offsets = client.take(arrays)
    client.write(slot, offsets, arrays)
    return [bytes(f) for f in pack(Header(op="infer", id=1, slot=slot), arrays, offsets=offsets)]


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(max_size=9), hnp.arrays("f4", hnp.array_shapes(max_side=9)), min_size=1, max_size=4))
def test_what_is_placed_is_what_is_read(arrays):
    server = ReadMemory(slot_bytes_for(arrays))
    client = WrittenMemory(server.descriptor, slot_bytes_for(arrays))
    frames = message(client, arrays)
    assert len(frames) == 1  # nothing travels but the header
    _, back = unpack(frames, server.lease)
    for name, array in arrays.items():
        assert back[name].tobytes() == array.tobytes() and not back[name].flags.writeable
    del back
    client.close()


def test_a_slot_is_free_again_when_nothing_holds_its_arrays(both):
    server, client = both
    arrays = {"a": np.arange(9.0)}
    kept = [unpack(message(client, arrays), server.lease)[1]["a"] for _ in range(3)]
    del kept[1]
    assert client.take(arrays)[0] == 1


def test_a_policy_that_keeps_everything_gets_copies_and_its_client_never_waits(both):
    server, client = both
    kept = []
    for k in range(5 * SLOTS):
        kept.append(unpack(message(client, {"a": np.full(9, k)}), server.lease)[1]["a"])
    assert [int(a[0]) for a in kept] == list(range(5 * SLOTS)) and LENT_AT_MOST < SLOTS


def test_without_a_free_slot_nothing_is_written(both):
    _, client = both
    for _ in range(SLOTS):
        assert client.take({"a": np.zeros(3)}) is not None
    assert client.take({"a": np.zeros(3)}) is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"slot": 200}, "no slot 200"),
        ({"slot": None}, "there is none on this link"),
        ({"offset": 1 << 20}, "within its slot"),
        ({"shape": [1 << 20]}, "within its slot"),
        ({"offset": -8}, "header is wrong"),
        ({"shape": [-1]}, "a shape"),
    ],
)
def test_a_message_that_points_elsewhere_is_refused(both, change, what):
    server, client = both
    head = msgpack.unpackb(message(client, {"a": np.arange(9.0)})[0])
    for name, value in change.items():
        (head["arrays"][0] if name in ("offset", "shape") else head)[name] = value
    with pytest.raises(WireError, match=what):
        unpack([msgpack.packb(head)], server.lease)


def test_a_slot_in_use_cannot_be_written_over_by_a_second_message(both):
    server, client = both
    frames = message(client, {"a": np.arange(9.0)})
    _, held = unpack(frames, server.lease)
    with pytest.raises(WireError, match="still in use"):
        unpack(frames, server.lease)
    assert held["a"][3] == 3.0


def test_the_memory_cannot_be_shrunk_under_the_server(both):
    server, _ = both
    with pytest.raises(PermissionError):
        os.ftruncate(server.descriptor, 0)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    with serving(f"{ODD}:Reports", f"shm://{tmp_path_factory.mktemp('shm')}/policy") as (_, url):
        yield url


def test_pictures_arrive_exactly_and_a_policy_may_keep_them(tmp_path, reports):
    client = connect(reports)
    client.reset(BRIEF)
    for k in range(1, 12):
        seen = observation(k)
        assert client.infer(seen).actions[0, 0] == seen.cameras["scene"].image.astype(float).mean()
    client.close()
    with serving(f"{ODD}:Keeps", f"shm://{tmp_path}/policy") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        for k in range(1, 3 * SLOTS):
            assert client.infer(observation(k)).actions[0, 0] == 0.0  # the kept ones are still what they were
        client.close()


@pytest.mark.parametrize(
    "words",
    [b"", b"\x00", b"x" * 900, b"\xff" * 8, b"\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00ab", b"memory" * 9],
)
def test_rubbish_is_refused_and_harms_nobody(reports, words):
    raw = datagrams.new_socket()
    raw.settimeout(5)
    raw.connect(reports.removeprefix("shm://"))
    if words:
        raw.send(words)
        header, _ = unpack(datagrams.split(raw.recv(1 << 16)))
        assert header.error in ("bad_request", "version")
    raw.close()
    client = connect(reports)
    client.reset(BRIEF)
    client.close()


def test_too_much_memory_is_refused_in_one_sentence(reports):
    raw = datagrams.new_socket()
    raw.settimeout(5)
    raw.connect(reports.removeprefix("shm://"))
    datagrams.send(raw, pack(Header(op="memory", id=1, body={"slot_bytes": 1 << 40})))
    words, descriptors, _, _ = socket.recv_fds(raw, 1 << 16, 1)
    header, _ = unpack(datagrams.split(words))
    assert not descriptors and header.error == "bad_request"
    raw.close()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_a_datagram_is_split_or_refused(words):
    try:
        frames = datagrams.split(words)
    except WireError as error:
        assert str(error).endswith(".")
    else:
        assert sum(map(len, frames)) <= len(words)


def test_a_path_that_is_served_is_not_taken_over(tmp_path):
    for scheme in ("ipc", "shm"):
        with serving(f"{ODD}:Reports", f"{scheme}://{tmp_path}/policy") as (_, url):
            process = start(f"{ODD}:Reports", url, stderr=subprocess.PIPE)
            _, err = process.communicate(timeout=60)
            assert process.returncode == 2 and "another server uses it" in err
            connect(url).close()


def test_a_server_that_comes_back_is_found_again(tmp_path):
    url = f"shm://{tmp_path}/policy"
    with serving(f"{ODD}:Slow", url) as (process, _):
        client = connect(url)
        client.reset(BRIEF)
        assert client.infer(observation(1, instruction="0")).answers == 1
        process.kill()
        process.wait()
    with pytest.raises(LinkLost, match="is gone"):
        client.infer(observation(2, instruction="0"), budget_ms=300)
    with serving(f"{ODD}:Slow", url):
        assert client.infer(observation(3, instruction="0")).answers == 3
        client.close()


def test_a_request_that_was_given_up_is_never_answered_to_the_next(tmp_path):
    with serving(f"{ODD}:Slow", f"shm://{tmp_path}/policy") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        for k in range(1, 4):
            with pytest.raises(PolicyFailure):
                client.infer(observation(k, instruction="0.2"), budget_ms=30)
        assert client.infer(observation(9, instruction="0")).answers == 9
        client.close()


def test_a_lane_is_stopped_cleanly(tmp_path):
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        with serving(f"{ODD}:Slow", f"shm://{tmp_path}/policy") as (process, url):
            client = connect(url)
            client.reset(BRIEF)
            started = time.monotonic()
            process.send_signal(number)
            assert process.wait(10) == 0 and time.monotonic() - started < 9
            client.close()
        assert not (tmp_path / "policy").exists()


def test_a_file_that_is_no_socket_is_not_replaced(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("of value")
    for scheme in ("ipc", "shm"):
        process = start(f"{ODD}:Reports", f"{scheme}://{notes}", stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2 and "there is a file of that name" in err and notes.read_text() == "of value"


def test_a_session_with_the_longest_name_gets_its_memory(reports):
    raw = datagrams.new_socket()
    raw.settimeout(5)
    raw.connect(reports.removeprefix("shm://"))
    datagrams.send(raw, pack(Header(op="memory", id=1, session="s" * 64, budget_ms=1e9, body={"slot_bytes": PAGE})))
    words, descriptors, _, _ = socket.recv_fds(raw, 1 << 16, 1)
    assert unpack(datagrams.split(words))[0].error is None and len(descriptors) == 1
    os.close(descriptors[0])
    raw.close()
