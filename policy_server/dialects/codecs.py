"""How each dialect writes arrays into msgpack. Formats by the public sources named at each; the code is our own."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from policy_server.dialects.arrays import array_from, npy_array, pack_tree, unpack_tree
from policy_server.wire import WireError


def pack_openpi(value: Any) -> bytes:
    """openpi_client/msgpack_numpy.py (0.1.2): a map with bytes for keys. Raises WireError."""
    return pack_tree(
        value,
        lambda array: {
            b"__ndarray__": True,
            b"data": array.tobytes(),
            b"dtype": array.dtype.str,
            b"shape": list(array.shape),
        },
    )


def unpack_openpi(message: Any) -> Any:
    """What `pack_openpi`, or openpi's own packer, wrote; a NumPy scalar becomes a number. Raises WireError."""

    def decode(fields: dict) -> Any:
        if b"__ndarray__" in fields:
            return array_from(fields.get(b"data"), fields.get(b"dtype"), fields.get(b"shape"))
        if b"__npgeneric__" in fields:
            if not isinstance(fields.get(b"data"), (bool, int, float)):
                raise WireError("A NumPy scalar is no number.")
            return fields[b"data"]
        return fields

    return unpack_tree(message, decode)


def pack_groot(value: Any) -> bytes:
    """gr00t/policy/server_client.py, `MsgSerializer` (N1.5 to N1.7): .npy files. Raises WireError."""

    def encode(array: np.ndarray) -> dict:
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        return {"__ndarray_class__": True, "as_npy": stream.getvalue()}

    return pack_tree(value, encode)


def unpack_groot(message: Any) -> Any:
    """What `pack_groot`, or GR00T's own serialiser, wrote; a modality configuration stays a map. Raises WireError."""
    return unpack_tree(
        message, lambda fields: npy_array(fields.get("as_npy")) if "__ndarray_class__" in fields else fields
    )


def pack_vla_eval(value: Any) -> bytes:
    """vla_eval/protocol/numpy_codec.py (0.8.0): a map with text for keys; pictures raw, without loss."""
    return pack_tree(
        value,
        lambda array: {
            "__ndarray__": True,
            "data": array.tobytes(),
            "dtype": array.dtype.str,
            "shape": list(array.shape),
        },
    )


def unpack_vla_eval(message: Any) -> Any:
    """What `pack_vla_eval`, or vla-eval's own codec, wrote, but for pictures: a server answers none. WireError."""

    def decode(fields: dict) -> Any:
        if "__image__" in fields:
            raise WireError("The server answers a picture.")
        if "__ndarray__" in fields:
            return array_from(fields.get("data"), fields.get("dtype"), fields.get("shape"))
        return fields

    return unpack_tree(message, decode)
