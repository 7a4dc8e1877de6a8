"""Arrays out of foreign messages: known number types, honest sizes, no copies, and nothing that could be code."""

from __future__ import annotations

import io
import math
from typing import Any

import msgpack
import numpy as np

from policy_server.wire import DTYPES, MAX_ARRAY_BYTES, MAX_DIMENSIONS, MAX_MESSAGE_BYTES, WireError

#: how NumPy writes the types that are carried, both byte orders
_BY_TEXT = {kind.str: kind for name in DTYPES for order in "<>" for kind in [np.dtype(name).newbyteorder(order)]}


def array_from(data: Any, dtype: Any, shape: Any) -> np.ndarray:
    """A read-only view of `data`. dtype: as in `numpy.dtype.str`. Raises WireError for what is not exactly an array."""
    if isinstance(dtype, bytes):
        dtype = dtype.decode("latin-1")
    if not isinstance(dtype, str) or dtype not in _BY_TEXT:
        raise WireError(f"An array has dtype {dtype!r:.30}, which is not carried.")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise WireError("An array has no bytes.")
    if not isinstance(shape, (list, tuple)) or len(shape) > MAX_DIMENSIONS:
        raise WireError("An array has a shape that is not carried.")
    # bool is an int in Python
    if any(type(n) is not int or n < 0 for n in shape):
        raise WireError("An array has a shape that is not carried.")
    kind = _BY_TEXT[dtype]
    # a zero in the shape must not hide a dimension too large for NumPy
    if math.prod(max(n, 1) for n in shape) * kind.itemsize > MAX_ARRAY_BYTES:
        raise WireError(f"An array is larger than {MAX_ARRAY_BYTES} bytes.")
    expected = math.prod(shape) * kind.itemsize
    if len(data) != expected:
        raise WireError(f"An array has {len(data)} bytes and its shape needs {expected}.")
    array = np.frombuffer(data, dtype=kind).reshape(shape) if expected else np.empty(shape, kind)
    if kind.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise WireError("An array holds bytes that are not booleans.")
    array.flags.writeable = False
    return array


def npy_array(data: Any) -> np.ndarray:
    """The array in the bytes of an .npy file; pickled ones are refused. Raises WireError."""
    if not isinstance(data, (bytes, bytearray)):
        raise WireError("An array has no bytes.")
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream)
    except Exception as error:  # NumPy raises a different type for each kind of damage
        raise WireError("An array is no .npy file.") from error
    rest = memoryview(data)[stream.tell() :]
    if not fortran:
        return array_from(rest, dtype.str, shape)
    return array_from(rest, dtype.str, tuple(reversed(shape))).T


def checked(array: np.ndarray) -> np.ndarray:
    """The array, contiguous, if dialects carry it. Raises WireError."""
    if array.dtype.name not in DTYPES or array.nbytes > MAX_ARRAY_BYTES or array.ndim > MAX_DIMENSIONS:
        raise WireError(f"An array of {array.dtype}{array.shape} is not carried.")
    # not ascontiguousarray, which turns a number into an array of one
    return np.asarray(array, order="C")


def pack_tree(value: Any, encode) -> bytes:
    """msgpack of plain values and arrays. encode: array -> what stands for it. Raises WireError."""

    def default(other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return encode(checked(other))
        if isinstance(other, np.generic):
            return other.item()
        raise WireError(f"A {type(other).__name__} is not carried.")

    try:
        return msgpack.packb(value, default=default)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"The message holds a value that msgpack does not carry: {error}.") from error


def unpack_tree(message: Any, decode) -> Any:
    """Plain values and arrays of a msgpack message. decode: map -> array or the map. Raises WireError."""
    if not isinstance(message, (bytes, bytearray, memoryview)) or len(message) > MAX_MESSAGE_BYTES:
        raise WireError("The message is no msgpack.")
    try:
        return msgpack.unpackb(message, object_hook=decode, raw=False, strict_map_key=True)
    except WireError:
        raise
    except Exception as error:  # msgpack raises a different type for each kind of damage
        raise WireError("The message is no msgpack.") from error
