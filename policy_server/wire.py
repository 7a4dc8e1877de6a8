"""Messages on the wire: one msgpack header frame, then one frame for each array. No pickle, ever.

`docs/protocol.md` describes the same for those who write a client or a server in another language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import structs
from pydantic import ValidationError

from policy_server import jpeg
from touchstone.errors import TouchstoneError

PROTOCOL_VERSION = 2

#: a client silent for longer may lose its seat to another [s]
SESSION_IDLE_S = 10.0

MAX_HEADER_BYTES = 1 << 20
MAX_ARRAYS = 256
MAX_DIMENSIONS = 8
MAX_ARRAY_BYTES = 32 << 20  # a 4K RGB picture is 25 MB
MAX_MESSAGE_BYTES = 128 << 20

_DTYPE_NAMES = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
_DTYPE_NAMES += ("float16", "float32", "float64")
#: little-endian on the wire
DTYPES = {name: np.dtype(name).newbyteorder("<") for name in _DTYPE_NAMES}
_NAMES = {np.dtype(name).newbyteorder(order): name for name in _DTYPE_NAMES for order in "<>"}

NOTHING = msgspec.Raw(b"\x80")  # an empty map

Op = Literal["hello", "reset", "infer", "cancel", "bye", "health", "metrics", "list", "load", "swap", "memory"]
ErrorCode = Literal[
    "bad_request",  # malformed, or not possible here
    "version",  # the two sides speak different versions
    "contract",  # the observation lacks what the policy's contract asks for
    "policy_error",  # the policy raised or answered nonsense
    "no_episode",  # the session has no seat: a restart, a swap, or ten silent seconds took it
    "busy",  # every seat is taken, or too much waits already
    "rate",  # too many messages a second
    "loading",  # the policy is not there yet
    "draining",  # the server is about to end
    "deadline",  # the budget ran out
]


class WireError(TouchstoneError):
    """A message that breaks the protocol. code: for the reply. request_id: of the message, 0 if illegible."""

    def __init__(self, sentence: str, code: ErrorCode = "bad_request", request_id: int = 0):
        super().__init__(sentence)
        self.code: ErrorCode = code
        self.request_id = request_id


class ArrayDescriptor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array. shape: of the decoded array. `jpeg` needs uint8[H,W,3]. offset: in the message's slot, for `shm`."""

    name: Annotated[str, msgspec.Meta(max_length=200)]
    dtype: str
    shape: Annotated[list[int], msgspec.Meta(max_length=MAX_DIMENSIONS)]
    codec: Literal["raw", "jpeg", "shm"] = "raw"
    offset: Annotated[int, msgspec.Meta(ge=0, le=MAX_MESSAGE_BYTES)] | None = None


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first frame. budget_ms: how long the sender waits, None = for ever. error: of a refusal.

    slot: where in shared memory the arrays with codec `shm` lie. body: what `policy_server.codec.parse` reads; when a
    message is made, anything that msgpack carries.
    """

    op: Op
    id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    session: Annotated[str, msgspec.Meta(max_length=64)] = ""
    budget_ms: Annotated[float, msgspec.Meta(gt=0, lt=1e12)] | None = None
    error: ErrorCode | None = None
    slot: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    body: msgspec.Raw = NOTHING
    arrays: Annotated[list[ArrayDescriptor], msgspec.Meta(max_length=MAX_ARRAYS)] = msgspec.field(default_factory=list)
    version: int = PROTOCOL_VERSION


Refuse = Callable[[str], WireError]

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Header).decode


def pack(
    header: Header,
    arrays: Mapping[str, np.ndarray] | None = None,
    as_jpeg: frozenset[str] = frozenset(),
    offsets: Mapping[str, int] | None = None,
) -> list[Any]:
    """The frames of a message: bytes, then a buffer for each array, uncopied where contiguous.

    `header.arrays` is filled from `arrays`; those named in `as_jpeg` are compressed, with loss. offsets: of arrays that
    lie in shared memory already, in `header.slot`; they have no frame. The arrays must not change until the message has
    left. Raises WireError for what the protocol does not carry.
    """
    descriptors, frames = [], []
    for name, array in (arrays or {}).items():
        array = np.asarray(array)
        check_carried(name, array)
        dtype, shape = _NAMES[array.dtype], list(array.shape)
        if offsets is not None and name in offsets:
            descriptors.append(ArrayDescriptor(name, dtype, shape, "shm", offsets[name]))
        elif name in as_jpeg:
            if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
                raise WireError(f"Array '{name}' is no uint8[H,W,3] picture and cannot be sent as JPEG.")
            descriptors.append(ArrayDescriptor(name, dtype, shape, "jpeg"))
            frames.append(jpeg.encode(array))
        else:
            descriptors.append(ArrayDescriptor(name, dtype, shape))
            frames.append(_buffer(array))
    if len(descriptors) > MAX_ARRAYS:
        raise WireError(f"A message carries at most {MAX_ARRAYS} arrays and this one has {len(descriptors)}.")
    try:
        head = _ENCODE(structs.replace(header, arrays=descriptors) if descriptors else header)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"The message holds a value that msgpack does not carry: {error}.") from error
    if len(head) > MAX_HEADER_BYTES:
        raise WireError(f"The header is {len(head)} bytes long and the limit is {MAX_HEADER_BYTES}.")
    return [head, *frames]


def unpack(
    frames: Sequence[Any], lease: Callable[[int], memoryview] | None = None
) -> tuple[Header, dict[str, np.ndarray]]:
    """Header and read-only arrays of a message; raw arrays are views of the frames.

    frames: bytes-like objects. lease: gives the bytes of a slot in shared memory, None where there is none.
    Raises WireError for anything that is not exactly a message of this protocol.
    """
    if not frames:
        raise WireError("The message is empty.")
    header = _unpack_header(memoryview(frames[0]))

    def refuse(why: str) -> WireError:
        return WireError(why, request_id=header.id)

    if not header.arrays and len(frames) == 1 and header.slot is None:
        return header, {}
    sizes = [_checked_size(descriptor, refuse) for descriptor in header.arrays]
    buffers = _buffers(header, sizes, [memoryview(frame) for frame in frames[1:]], lease, refuse)
    if sum(sizes) > MAX_MESSAGE_BYTES or sum(buffer.nbytes for buffer in buffers) > MAX_MESSAGE_BYTES:
        raise refuse(f"The message is larger than {MAX_MESSAGE_BYTES} bytes.")
    arrays: dict[str, np.ndarray] = {}
    for descriptor, buffer, size in zip(header.arrays, buffers, sizes, strict=True):
        if descriptor.name in arrays:
            raise refuse(f"Two arrays are called '{descriptor.name}'.")
        arrays[descriptor.name] = _unpack_array(descriptor, buffer, size, refuse)
    return header, arrays


def check_carried(name: str, array: np.ndarray) -> None:
    """Raises WireError for an array that the protocol does not carry."""
    if array.dtype not in _NAMES:
        raise WireError(f"Array '{name}' has dtype {array.dtype}, which the protocol does not carry.")
    if array.ndim > MAX_DIMENSIONS or array.nbytes > MAX_ARRAY_BYTES:
        raise WireError(f"Array '{name}' of shape {array.shape} is larger than the protocol carries.")


def _buffers(header: Header, sizes: list[int], frames: list[memoryview], lease, refuse: Refuse) -> list[memoryview]:
    """The bytes of each announced array, from the frames or from shared memory."""
    shared = sum(descriptor.codec == "shm" for descriptor in header.arrays)
    if len(frames) != len(header.arrays) - shared:
        raise refuse(f"The header announces {len(header.arrays) - shared} array frames and {len(frames)} came.")
    if not shared:
        return frames
    if lease is None or header.slot is None:
        raise refuse("The message speaks of shared memory and there is none on this link.")
    try:
        slot = lease(header.slot)
    except WireError as error:
        raise refuse(str(error)) from error
    remaining, buffers = iter(frames), []
    for descriptor, size in zip(header.arrays, sizes, strict=True):
        if descriptor.codec != "shm":
            buffers.append(next(remaining))
            continue
        start = descriptor.offset or 0
        # its values come later than its description, so nothing can be checked or copied here
        if descriptor.dtype == "bool" or start % 16:
            raise refuse(f"Array '{descriptor.name}' cannot lie in shared memory: it is bool, or not aligned.")
        if start + size > slot.nbytes:
            raise refuse(f"Array '{descriptor.name}' does not lie within its slot of {slot.nbytes} bytes.")
        buffers.append(slot[start : start + size])
    return buffers


def _buffer(array: np.ndarray) -> memoryview:
    contiguous = np.ascontiguousarray(array, dtype=DTYPES[_NAMES[array.dtype]])
    return memoryview(contiguous).cast("B") if contiguous.size else memoryview(b"")


def _unpack_header(frame: memoryview) -> Header:
    if frame.nbytes > MAX_HEADER_BYTES:
        raise WireError(f"The header is {frame.nbytes} bytes long and the limit is {MAX_HEADER_BYTES}.")
    try:
        header = _DECODE(frame)
    except Exception as error:  # for each kind of damage another type
        raise _illegible(frame, error) from error
    if header.version != PROTOCOL_VERSION:
        raise _illegible(frame, ValueError("version"))
    return header


def _illegible(frame: memoryview, error: Exception) -> WireError:
    """What is wrong with a header that could not be read: no map at all, another version, or a field."""
    try:
        fields = msgspec.msgpack.decode(frame)
    except Exception:
        return WireError("The first frame is not a msgpack header.")
    if not isinstance(fields, dict):
        return WireError("The first frame is not a msgpack map.")
    version, request_id = fields.get("version"), fields.get("id")
    legible_id = request_id if type(request_id) is int and 0 <= request_id < 2**63 else 0
    if version != PROTOCOL_VERSION or isinstance(version, bool):
        return WireError(
            f"The message speaks wire protocol {version!r:.20} and this side speaks {PROTOCOL_VERSION}; "
            "install the same Touchstone on both sides.",
            code="version",
            request_id=legible_id,
        )
    return WireError(f"The header is wrong: {first_complaint(error)}.", request_id=legible_id)


def first_complaint(error: Exception) -> str:
    """The first thing that msgspec or pydantic found, as part of a sentence."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        return f"{where[:80]}: {first['msg']}".rstrip(".")
    return " ".join(str(error).replace("`", "'").split())[:300].rstrip(".")


def _checked_size(descriptor: ArrayDescriptor, refuse: Refuse) -> int:
    """The array's bytes."""
    dtype = DTYPES.get(descriptor.dtype)
    if dtype is None:
        raise refuse(f"Array '{descriptor.name}' has dtype '{descriptor.dtype[:20]}', which is not carried.")
    size = extent = dtype.itemsize
    for n in descriptor.shape:
        # a zero in the shape must not hide a dimension too large for NumPy
        size, extent = size * n, extent * (n or 1)
        if n < 0 or extent > MAX_ARRAY_BYTES:
            raise refuse(f"Array '{descriptor.name}' has a shape that the protocol does not carry.")
    return size


def _unpack_array(descriptor: ArrayDescriptor, buffer: memoryview, size: int, refuse: Refuse) -> np.ndarray:
    dtype = DTYPES[descriptor.dtype]
    if descriptor.codec == "jpeg":
        array = jpeg.decode(buffer, tuple(descriptor.shape), descriptor.dtype)
        if array is None:
            raise refuse(f"Array '{descriptor.name}' is not a JPEG picture of the announced size.")
    else:
        if buffer.nbytes != size:
            raise refuse(f"Array '{descriptor.name}' has {buffer.nbytes} bytes, not {size}.")
        array = np.ndarray(descriptor.shape, dtype, buffer) if size else np.empty(descriptor.shape, dtype)
        if not array.flags.aligned:
            array = array.copy()
    if descriptor.dtype == "bool" and array.size and array.view(np.uint8).max() > 1:
        raise refuse(f"Array '{descriptor.name}' holds bytes that are not booleans.")
    array.setflags(write=False)
    return array
