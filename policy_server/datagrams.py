"""Messages over a Unix socket on one computer: a datagram holds the number of frames, their lengths, and the frames."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

from policy_server.wire import MAX_ARRAYS, WireError

MAX_DATAGRAM = 128 << 10
#: a datagram of no frames: the arrays that were announced before lie in shared memory now
WRITTEN = bytes(4)
#: two pictures of 640x480 are copied in less [s]
LOOK_S = 300e-6
_ANNOUNCES = 1 << 31


def new_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_DATAGRAM)
    return made


def send(link: socket.socket, frames: list[Any], descriptor: int | None = None, announces: bool = False) -> None:
    """Sends one message. descriptor: a file's, that travels along. announces: `WRITTEN` follows when what the message
    speaks of has been written. Raises OSError, and WireError for a message that is too long."""
    lengths = [len(frame) for frame in frames]
    if sum(lengths) > MAX_DATAGRAM - 4 * (MAX_ARRAYS + 2):
        raise WireError(f"A message of {sum(lengths)} bytes is longer than this link carries.")
    head = struct.pack(f"<{len(frames) + 1}I", len(frames) | (_ANNOUNCES if announces else 0), *lengths)
    if descriptor is None:
        link.sendmsg([head, *frames])
    else:
        socket.send_fds(link, [head, *frames], [descriptor])


def hear_into(link: socket.socket, buffer: bytearray, timeout_s: float) -> int:
    """Reads the next datagram and returns its length, 0 when the link has ended. Looks for it for a moment before it
    sleeps, because waking a sleeping core takes longer. Raises TimeoutError, OSError."""
    link.setblocking(False)
    give_up = time.perf_counter() + min(LOOK_S, timeout_s)
    while time.perf_counter() < give_up:
        try:
            return link.recv_into(buffer)
        except BlockingIOError:
            continue
    link.settimeout(timeout_s)
    return link.recv_into(buffer)


def is_announcement(words: bytes) -> bool:
    """Whether `WRITTEN` follows this datagram."""
    return len(words) >= 4 and bool(words[3] & 0x80)


def split(words: bytes) -> list[memoryview]:
    """The frames of a received datagram. Raises WireError where the lengths do not add up."""
    if len(words) < 4:
        raise WireError("The datagram is too short.")
    count = struct.unpack_from("<I", words)[0] & ~_ANNOUNCES
    if not 0 < count <= MAX_ARRAYS + 1 or len(words) < 4 * (count + 1):
        raise WireError(f"A datagram cannot hold {count} frames.")
    lengths = struct.unpack_from(f"<{count}I", words, 4)
    if 4 * (count + 1) + sum(lengths) != len(words):
        raise WireError("The datagram's lengths do not add up.")
    view, at, frames = memoryview(words), 4 * (count + 1), []
    for length in lengths:
        frames.append(view[at : at + length])
        at += length
    return frames
