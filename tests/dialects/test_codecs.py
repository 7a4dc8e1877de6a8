"""Every decoder against random bytes, random messages and arrays that are not what they say."""

import io

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from policy_server.dialects import codecs
from policy_server.dialects.arrays import array_from, npy_array
from policy_server.wire import DTYPES, MAX_ARRAY_BYTES, WireError

CODECS = {
    "openpi": (codecs.pack_openpi, codecs.unpack_openpi),
    "groot": (codecs.pack_groot, codecs.unpack_groot),
    "vla-eval": (codecs.pack_vla_eval, codecs.unpack_vla_eval),
}
each_codec = pytest.mark.parametrize("dialect", CODECS)
MARKS = [b"__ndarray__", "__ndarray__", b"__npgeneric__", "__ndarray_class__", "__image__", "__ModalityConfig_class__"]
FIELDS = [b"data", b"dtype", b"shape", "data", "dtype", "shape", "as_npy", "as_json"]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=40),
    st.sampled_from([*DTYPES, "<f4", "|u1", b"<f8", "O", "|O", "V8"]),
    st.lists(st.integers(-2, 2**40), max_size=4),
)
keys = st.one_of(st.sampled_from(MARKS + FIELDS), st.text(max_size=3), st.binary(max_size=3))
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6))


def decode(unpack, message: bytes):
    """The decoder's result, or None where it refused; anything but WireError is a failure of this test."""
    try:
        return unpack(message)
    except WireError as error:
        assert "\n" not in str(error) and len(str(error)) < 300
        return None


@each_codec
@given(st.binary(max_size=200))
def test_random_bytes_are_decoded_or_refused(dialect, message):
    decode(CODECS[dialect][1], message)


@each_codec
@given(trees)
def test_random_messages_are_decoded_or_refused(dialect, tree):
    decode(CODECS[dialect][1], msgpack.packb(tree))


@each_codec
@given(trees, st.data())
def test_a_cut_or_changed_message_is_decoded_or_refused(dialect, tree, data):
    pack, unpack = CODECS[dialect]
    message = bytearray(pack({"actions": np.arange(6.0).reshape(2, 3), "more": np.uint8([1]), "n": 1}))
    for _ in range(data.draw(st.integers(0, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    decode(unpack, bytes(message[: data.draw(st.integers(0, len(message)))]))


ARRAYS = hnp.arrays(
    st.sampled_from([np.dtype(name) for name in DTYPES]).flatmap(lambda t: st.sampled_from([t, t.newbyteorder(">")])),
    hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
)


@each_codec
@given(ARRAYS)
def test_an_array_comes_back_as_it_was(dialect, array):
    pack, unpack = CODECS[dialect]
    again = unpack(pack({"a": array, "b": [array, "text", 1.5]}))
    for found in (again["a"], again["b"][0]):
        assert found.dtype == array.dtype and found.shape == array.shape and found.tobytes() == array.tobytes()
        assert not found.flags.writeable
    assert again["b"][1:] == ["text", 1.5]


def test_each_codec_writes_the_form_of_its_source():
    array = np.array([[1.0, 2.0]], dtype=np.float32)
    raw = array.tobytes()
    openpi = msgpack.unpackb(codecs.pack_openpi(array), strict_map_key=False)
    assert openpi == {b"__ndarray__": True, b"data": raw, b"dtype": "<f4", b"shape": [1, 2]}
    vla_eval = msgpack.unpackb(codecs.pack_vla_eval(array))
    assert vla_eval == {"__ndarray__": True, "data": raw, "dtype": "<f4", "shape": [1, 2]}
    groot = msgpack.unpackb(codecs.pack_groot(array))
    assert groot.keys() == {"__ndarray_class__", "as_npy"}
    assert np.array_equal(np.load(io.BytesIO(groot["as_npy"]), allow_pickle=False), array)


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (b"12345678", "|O", [1]),
        (b"12345678", "O", [1]),
        (b"12345678", "V8", [1]),
        (b"12345678", "<c8", [1]),
        (b"12345678", "<M8[ns]", [1]),
        (b"12345678", "<U2", [1]),
        (b"12345678", "S8", [1]),
        (b"12345678", "f4,f4", [1]),
        (b"12345678", "<f8", [2]),
        (b"1234", "<f8", []),
        (b"12345678", "<f8", [-1]),
        (b"12345678", "<f8", [True]),
        (b"12345678", "<f8", [1.0]),
        (b"12345678", "<f8", "1"),
        (b"12345678", "<f8", [1] * 9),
        (b"", "<f8", [0, 2**62]),
        (b"", "<f8", [2**40]),
        ("12345678", "<f8", [1]),
        (None, "<f8", [1]),
        (b"12345678", None, [1]),
        (b"\x02", "|b1", [1]),
    ],
)
def test_an_array_that_is_not_what_it_says_is_refused(data, dtype, shape):
    with pytest.raises(WireError):
        array_from(data, dtype, shape)


def npy(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


def test_an_npy_file_keeps_its_column_order():
    array = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    assert np.array_equal(npy_array(npy(array)), array)


def test_pickles_in_npy_files_are_refused_and_never_read():
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("a pickle was read",)

    for data in (npy(np.array([Trap(), 1], dtype=object), allow_pickle=True), npy(np.zeros(1, "f4,f4"))):
        with pytest.raises(WireError):
            npy_array(data)


@pytest.mark.parametrize("shape", [f"({MAX_ARRAY_BYTES},)", "(0, 9223372036854775807)", "(-1,)", "(10**9,)", "(2,)"])
def test_an_npy_file_that_announces_more_than_it_holds_is_refused_before_anything_is_set_aside(shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    with pytest.raises(WireError):
        npy_array(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8))


@each_codec
def test_deep_nesting_is_refused(dialect):
    with pytest.raises(WireError):
        CODECS[dialect][1](b"\x91" * 100_000 + b"\xc0")


@each_codec
@pytest.mark.parametrize("value", [object(), {1, 2}, 2**70, np.array([object()]), np.zeros(2, complex)])
def test_what_no_dialect_carries_is_not_sent(dialect, value):
    with pytest.raises(WireError):
        CODECS[dialect][0]({"value": value})


def test_a_picture_in_an_answer_is_not_opened():
    with pytest.raises(WireError, match="picture"):
        codecs.unpack_vla_eval(msgpack.packb({"__image__": True, "format": "png", "data": b"", "shape": [1, 1, 3]}))
