"""Arrays through shared memory: what arrives, what is kept, what a hostile client is told."""

import os
import socket
import subprocess
import tempfile
import threading

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from policy_server.client import connect
from policy_server.shared_memory import PAGE, SLOTS, ClientSegment, Segments, fd_path
from policy_server.wire import Header, WireError, pack, unpack
from tests.policy_server.samples import BRIEF, observation
from tests.policy_server.served import serving, start
from touchstone.errors import UsageError

ODD = "tests.policy_server.odd_policies"


@pytest.fixture
def both(tmp_path):
    """A server's end and a client's end with slots of 64 kB."""
    segments = Segments(f"{tmp_path}/p")
    client = asked(segments, f"{tmp_path}/p", 1 << 16)
    yield segments, client
    client.close()
    segments.close()


def asked(segments, path, slot_bytes, session="me"):
    made = []
    asking = threading.Thread(target=lambda: made.append(ClientSegment(path, session, slot_bytes, 5.0)))
    asking.start()
    while asking.is_alive():
        segments.serve()
    return made[0]


def message(client, arrays):
    placed = client.place(arrays)
    assert placed is not None
    slot, offsets = placed
    return [bytes(f) for f in pack(Header(op="infer", id=1, session="me", slot=slot), arrays, offsets=offsets)]


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(max_size=9), hnp.arrays("float32", hnp.array_shapes(max_side=9)), min_size=1, max_size=4)
)
def test_what_is_placed_is_what_is_read(arrays):
    with tempfile.TemporaryDirectory() as folder:
        segments = Segments(f"{folder}/p")
        client = asked(segments, f"{folder}/p", 1 << 16)
        frames = message(client, arrays)
        assert len(frames) == 1  # nothing travels but the header
        _, back = unpack(frames, segments.lease)
        for name, array in arrays.items():
            assert back[name].tobytes() == array.tobytes() and not back[name].flags.writeable
        del back
        client.close()
        segments.close()


def test_a_slot_is_free_again_when_nothing_holds_its_arrays(both):
    segments, client = both
    arrays = {"a": np.arange(9.0)}
    kept = []
    for _ in range(SLOTS):
        kept.append(unpack(message(client, arrays), segments.lease)[1]["a"])
    assert client.place(arrays) is None  # the message then carries its arrays
    del kept[1]
    slot, _ = client.place(arrays)
    assert slot == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"slot": 200}, "no slot 200"),
        ({"slot": None}, "there is none on this link"),
        ({"session": "somebody"}, "no shared memory here"),
        ({"offset": 1 << 20}, "within its slot"),
        ({"shape": [1 << 20]}, "within its slot"),
    ],
)
def test_a_message_that_points_elsewhere_is_refused(both, change, what):
    segments, client = both
    head = msgpack.unpackb(message(client, {"a": np.arange(9.0)})[0])
    for name, value in change.items():
        (head["arrays"][0] if name in ("offset", "shape") else head)[name] = value
    with pytest.raises(WireError, match=what):
        unpack([msgpack.packb(head)], segments.lease)


def test_a_slot_in_use_cannot_be_written_over_by_a_second_message(both):
    segments, client = both
    frames = message(client, {"a": np.arange(9.0)})
    _, held = unpack(frames, segments.lease)
    with pytest.raises(WireError, match="still in use"):
        unpack(frames, segments.lease)
    assert held["a"][3] == 3.0


def test_the_memory_cannot_be_shrunk_under_the_server(tmp_path):
    segments = Segments(f"{tmp_path}/p")
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link.connect(fd_path(f"{tmp_path}/p"))
    segments.serve()
    link.send(msgpack.packb({"session": "me", "slot_bytes": PAGE}))
    segments.serve()
    _, (descriptor,), _, _ = socket.recv_fds(link, 100, 1)
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, 0)
    os.close(descriptor)
    link.close()
    segments.close()


@pytest.mark.parametrize("words", [b"", b"\x00", b"x" * 900, msgpack.packb({"session": "a", "slot_bytes": 1 << 40})])
def test_a_malformed_wish_for_memory_gets_a_sentence_and_no_memory(tmp_path, words):
    segments = Segments(f"{tmp_path}/p")
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link.connect(fd_path(f"{tmp_path}/p"))
    segments.serve()
    link.send(words)
    segments.serve()
    answer, descriptors, _, _ = socket.recv_fds(link, 1000, 1)
    assert not descriptors and (answer == b"" or answer.endswith(b"."))
    link.close()
    segments.close()


def test_a_policy_may_keep_its_pictures(tmp_path):
    with serving(f"{ODD}:Keeps", f"shm://{tmp_path}/policy") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        for k in range(1, 3 * SLOTS):
            assert client.infer(observation(k)).actions[0, 0] == 0.0  # the kept ones are still what they were
        client.close()


def test_shared_memory_serves_clients_at_once_and_after_larger_pictures(tmp_path):
    with serving(f"{ODD}:Reports", f"shm://{tmp_path}/policy") as (_, url):
        client = connect(url)
        client.reset(BRIEF)
        for k in range(1, 12):
            seen = observation(k)
            assert client.infer(seen).actions[0, 0] == seen.cameras["scene"].image.astype(float).mean()
        client.close()


def test_a_path_that_is_served_is_not_taken_over(tmp_path):
    for scheme in ("ipc", "shm"):
        with serving(f"{ODD}:Reports", f"{scheme}://{tmp_path}/policy") as (_, url):
            process = start(f"{ODD}:Reports", url, stderr=subprocess.PIPE)
            _, err = process.communicate(timeout=60)
            assert process.returncode == 2 and "another server uses it" in err
            connect(url).close()


def test_a_server_without_memory_to_give_is_one_sentence(tmp_path):
    with (
        serving(f"{ODD}:Reports", f"ipc://{tmp_path}/policy") as (_, url),
        pytest.raises(UsageError, match="use ipc://"),
    ):
        client = connect(url.replace("ipc://", "shm://"))
        client.reset(BRIEF)
        client.infer(observation(1))
