import msgpack
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from msgspec.structs import replace

from policy_server.wire import DTYPES, MAX_HEADER_BYTES, PROTOCOL_VERSION, Header, WireError, pack, unpack

dtypes = st.sampled_from(sorted(DTYPES))
arrays = dtypes.flatmap(lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5)))
headers = st.builds(
    Header,
    op=st.sampled_from(["hello", "infer", "reset", "health", "bye"]),
    id=st.integers(0, 2**63 - 1),
    session=st.text(max_size=64),
    budget_ms=st.none() | st.floats(1e-3, 1e9),
    body=st.dictionaries(st.text(max_size=5), st.none() | st.floats(allow_nan=False) | st.text() | st.booleans()),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
)


def sent(frames):
    return [bytes(frame) for frame in frames]


def refused_or_read(frames):
    try:
        unpack(frames)
    except WireError as error:
        assert str(error) and error.code in ("bad_request", "version")


@given(headers, st.dictionaries(st.text(max_size=20), arrays, max_size=4))
def test_what_is_packed_comes_back_bitwise(header, content):
    got, back = unpack(sent(pack(header, content)))
    assert replace(got, arrays=[], body=msgspec.msgpack.decode(got.body)) == header
    assert list(back) == list(content)
    for name, array in content.items():
        assert back[name].dtype == array.dtype and back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()
        assert not back[name].flags.writeable


@given(hnp.arrays("int32", (4, 6, 3)), st.sampled_from([np.s_[::2], np.s_[:, ::-1], np.s_[1:, 2:4, 0], np.s_[...]]))
def test_views_and_foreign_byte_order_travel_as_their_values(array, cut):
    for view in (array[cut], array[cut].T, array.astype(">i4")[cut]):
        _, back = unpack(sent(pack(Header(op="infer", id=1), {"a": view})))
        np.testing.assert_array_equal(back["a"], view)


def test_contiguous_pictures_are_not_copied():
    picture = np.zeros((48, 64, 3), np.uint8)
    frames = pack(Header(op="infer", id=1), {"a": picture})
    assert np.shares_memory(np.frombuffer(frames[1], np.uint8), picture)
    received = bytes(frames[1])
    _, back = unpack([frames[0], received])
    assert np.shares_memory(back["a"], np.frombuffer(received, np.uint8))


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_random_bytes_are_refused_and_nothing_else(frames):
    with pytest.raises(WireError):
        unpack(frames)


@given(st.data())
@settings(max_examples=150)
def test_mutated_messages_are_read_or_refused_and_nothing_else(data):
    frames = sent(pack(Header(op="infer", id=3, body={"k": [1.5, "x"]}), {"a": np.ones((2, 3)), "b": np.ones(4, bool)}))
    which = data.draw(st.integers(0, len(frames) - 1))
    frame = bytearray(frames[which])
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    frames[which] = bytes(frame[: data.draw(st.integers(0, len(frame)))])
    refused_or_read(frames)


@given(plain, st.dictionaries(st.sampled_from(sorted(Header.__struct_fields__)), plain))
@settings(max_examples=150)
def test_headers_of_wrong_types_are_read_or_refused_and_nothing_else(anything, fields):
    valid = {"version": 1, "op": "infer", "id": 1, "session": "", "budget_ms": None, "error": None, "body": {}}
    for header in (anything, valid | fields, valid | {"arrays": [anything]}, valid | {"body": {"k": anything}}):
        refused_or_read([msgpack.packb(header)])


@given(dtypes, st.lists(st.integers(-(2**63), 2**64 - 1), max_size=9), st.binary(max_size=64), st.booleans())
def test_array_descriptors_that_lie_are_refused(dtype, shape, data, as_jpeg):
    descriptor = {"name": "a", "dtype": dtype, "shape": shape, "codec": "jpeg" if as_jpeg else "raw"}
    refused_or_read([msgpack.packb({"version": 1, "op": "infer", "id": 1, "arrays": [descriptor]}), data])


@pytest.mark.parametrize(
    "value", [b"x", msgpack.Timestamp(1, 2), msgpack.ExtType(4, b""), msgpack.ExtType(4, b"abc"), {1: 2}]
)
def test_only_plain_values_pass_in_a_body(value):
    with pytest.raises(WireError):
        unpack([msgpack.packb({"version": 1, "op": "infer", "id": 1, "body": {"k": value}})])


def test_deep_and_oversized_headers_are_refused():
    nested = b"\x84\xa7version\x01\xa2op\xa5infer\xa2id\x01\xa4body\x81\xa1k" + b"\x91" * 900 + b"\xc0"
    for frame in (nested, nested.replace(b"\x91" * 900, b"\x91" * 100_000), b"\xdf\xff\xff\xff\xff", b"\x80" * 2):
        refused_or_read([frame])
    with pytest.raises(WireError, match="limit"):
        unpack([bytes(MAX_HEADER_BYTES + 1)])
    with pytest.raises(WireError, match="limit"):
        pack(Header(op="infer", id=1, body={"k": "x" * MAX_HEADER_BYTES}))


@pytest.mark.parametrize("array", [np.array([object()]), np.array(["text"]), np.zeros(2, complex)])
def test_dtypes_off_the_list_are_refused_by_the_sender(array):
    with pytest.raises(WireError, match="does not carry"):
        pack(Header(op="infer", id=1), {"a": array})


def test_another_version_is_told_apart_and_keeps_its_request_id():
    with pytest.raises(WireError) as caught:
        unpack([msgpack.packb({"version": 99, "id": 12, "future": True})])
    assert caught.value.code == "version" and caught.value.request_id == 12


def test_jpeg_keeps_the_picture_nearly_and_refuses_another_size():
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    picture = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:48, None], np.uint8(90)), axis=-1)
    frames = sent(pack(Header(op="infer", id=1), {"a": picture}, as_jpeg=frozenset({"a"})))
    assert len(frames[1]) < picture.nbytes / 3
    _, back = unpack(frames)
    assert np.abs(back["a"].astype(int) - picture).max() <= 6
    fields = msgpack.unpackb(frames[0])
    fields["arrays"][0]["shape"] = [64, 48, 3]
    with pytest.raises(WireError, match="JPEG"):
        unpack([msgpack.packb(fields), frames[1]])


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": "dance"},
        {"id": -1},
        {"id": "1"},
        {"budget_ms": 0.0},
        {"budget_ms": float("inf")},
        {"slot": 1000},
        {"x": 1},
    ],
)
def test_a_header_is_strict_about_its_own_fields(wrong):
    fine = {"version": PROTOCOL_VERSION, "op": "infer", "id": 1}
    assert unpack([msgpack.packb(fine)])[0] == Header(op="infer", id=1)
    with pytest.raises(WireError, match="header is wrong"):
        unpack([msgpack.packb(fine | wrong)])
