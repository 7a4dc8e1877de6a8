"""Arrays through shared memory: a server's memory file that a client on the same computer writes into.

The file is made, sized and sealed against resizing by the server, so that neither side can pull it from under the
other. It travels as a file descriptor over a socket of its own, `PATH.fd` beside the messages' `ipc://PATH`. Its first
page holds one byte for each slot (0 free, 1 in use); a message uses one slot, which the server frees when nothing holds
its arrays.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import socket
import weakref
from collections.abc import Mapping
from contextlib import suppress

import msgpack
import numpy as np

from policy_server.wire import MAX_MESSAGE_BYTES, WireError
from touchstone.errors import UsageError

SLOTS = 4
PAGE = 4096
ALIGN = 64
MAX_SEGMENTS = 16
HANDSHAKE_BYTES = 1024


def fd_path(path: str) -> str:
    """Where the memory's descriptor is handed over, for messages at `ipc://PATH`."""
    return path + ".fd"


class ClientSegment:
    """A client's end. Asks for `slot_bytes` a slot; raises UsageError where the server hands out none."""

    def __init__(self, path: str, session: str, slot_bytes: int, timeout_s: float) -> None:
        self.slot_bytes = _pages(slot_bytes)
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._link.settimeout(timeout_s)
            self._link.connect(fd_path(path))
            self._link.send(msgpack.packb({"session": session, "slot_bytes": self.slot_bytes}))
            answer, descriptors, _, _ = socket.recv_fds(self._link, HANDSHAKE_BYTES, 1)
        except OSError as error:
            self._link.close()
            raise UsageError(
                f"The policy server at shm://{path} hands out no shared memory ({error}); use ipc://{path} instead."
            ) from error
        if not descriptors:
            self._link.close()
            why = answer.decode("utf-8", "replace") or "it hung up"
            raise UsageError(f"The policy server at shm://{path} hands out no shared memory: {why}")
        try:
            self._memory = mmap.mmap(descriptors[0], PAGE + SLOTS * self.slot_bytes)
        finally:
            os.close(descriptors[0])
        self._bytes = np.frombuffer(self._memory, dtype=np.uint8)

    @staticmethod
    def bytes_for(arrays: Mapping[str, np.ndarray]) -> int:
        """What a slot must hold."""
        return sum(_aligned(a.nbytes) for a in arrays.values())

    def place(self, arrays: Mapping[str, np.ndarray]) -> tuple[int, dict[str, int]] | None:
        """Copies the arrays into a free slot. Returns the slot and each array's offset in it; None if none is free."""
        if self.bytes_for(arrays) > self.slot_bytes:
            return None
        slot = next((k for k in range(SLOTS) if self._bytes[k] == 0), None)
        if slot is None:
            return None
        self._bytes[slot] = 1
        start, offset, offsets = PAGE + slot * self.slot_bytes, 0, {}
        for name, values in arrays.items():
            end = start + offset + values.nbytes
            np.copyto(self._bytes[start + offset : end].view(values.dtype).reshape(values.shape), values)
            offsets[name] = offset
            offset += _aligned(values.nbytes)
        return slot, offsets

    def close(self) -> None:
        self._link.close()
        del self._bytes
        self._memory.close()


class Segments:
    """A server's end: hands out memory at `PATH.fd`, and gives it back when the client's link ends."""

    def __init__(self, path: str) -> None:
        self._path = fd_path(path)
        if os.path.exists(self._path):
            os.unlink(self._path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(self._path)
        self._listener.listen(MAX_SEGMENTS)
        self._listener.setblocking(False)
        self._links: dict[int, tuple[socket.socket, str]] = {}
        self._of: dict[str, Segment] = {}
        self._ready = select.epoll()
        self._ready.register(self._listener, select.EPOLLIN)

    def fileno(self) -> int:
        """Readable when there is something for `serve` to do."""
        return self._ready.fileno()

    def serve(self) -> None:
        for descriptor, _ in self._ready.poll(0):
            if descriptor == self._listener.fileno():
                self._accept()
            else:
                self._hear(descriptor)

    def lease(self, session: str, slot: int) -> memoryview:
        """The bytes of a client's slot, which is free again when nothing holds them. Raises WireError."""
        segment = self._of.get(session)
        if segment is None:
            raise WireError("This session has no shared memory here; ask for some first.")
        return segment.lease(slot)

    def close(self) -> None:
        for link, _ in self._links.values():
            link.close()
        self._listener.close()
        self._ready.close()
        if os.path.exists(self._path):
            os.unlink(self._path)

    def _accept(self) -> None:
        try:
            link, _ = self._listener.accept()
        except OSError:
            return
        if len(self._links) >= MAX_SEGMENTS:
            _refuse(link, f"{MAX_SEGMENTS} clients have some already.")
            link.close()
            return
        link.setblocking(False)
        self._links[link.fileno()] = (link, "")
        self._ready.register(link, select.EPOLLIN)

    def _hear(self, descriptor: int) -> None:
        link, session = self._links[descriptor]
        try:
            words = link.recv(HANDSHAKE_BYTES)
        except OSError:
            words = b""
        if not words or session:
            self._drop(descriptor)
            return
        try:
            wish = msgpack.unpackb(words)
            session, slot_bytes = wish["session"], wish["slot_bytes"]
            if not (isinstance(session, str) and 0 < len(session) <= 64 and type(slot_bytes) is int):
                raise ValueError
        except Exception:  # damaged msgpack raises many types
            _refuse(link, "the request is malformed.")
            self._drop(descriptor)
            return
        if not 0 < slot_bytes <= MAX_MESSAGE_BYTES:
            _refuse(link, f"a slot of {slot_bytes} bytes is not to be had; the most is {MAX_MESSAGE_BYTES}.")
            self._drop(descriptor)
            return
        # a client that needs larger slots asks again, before its first link is seen to end
        for earlier in [d for d, (_, owner) in self._links.items() if owner == session]:
            self._drop(earlier)
        segment = Segment(_pages(slot_bytes))
        try:
            socket.send_fds(link, [b"ok"], [segment.descriptor])
        except OSError:
            self._drop(descriptor)
            return
        finally:
            os.close(segment.descriptor)
        self._links[descriptor] = (link, session)
        self._of[session] = segment

    def _drop(self, descriptor: int) -> None:
        link, session = self._links.pop(descriptor)
        self._ready.unregister(descriptor)
        link.close()
        # arrays that a policy still holds keep the memory alive
        self._of.pop(session, None)


class Segment:
    """One client's memory. descriptor: of the file, to be closed once it was sent."""

    def __init__(self, slot_bytes: int) -> None:
        self.descriptor = os.memfd_create("touchstone", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        size = PAGE + SLOTS * slot_bytes
        os.ftruncate(self.descriptor, size)
        _seal(self.descriptor)
        self._memory = mmap.mmap(self.descriptor, size)
        self._slot_bytes = slot_bytes
        self._held: dict[int, weakref.ref] = {}

    def lease(self, slot: int) -> memoryview:
        if not 0 <= slot < SLOTS:
            raise WireError(f"There is no slot {slot}; there are {SLOTS}.")
        if slot in self._held:
            raise WireError(f"Slot {slot} is still in use; wait until its byte in the first page is 0.")
        lease = (ctypes.c_ubyte * self._slot_bytes).from_buffer(self._memory, PAGE + slot * self._slot_bytes)
        self._held[slot] = weakref.ref(lease, lambda _: self._free(slot))
        return memoryview(lease).cast("B")

    def _free(self, slot: int) -> None:
        del self._held[slot]
        self._memory[slot] = 0


def _refuse(link: socket.socket, sentence: str) -> None:
    with suppress(OSError):
        link.send(sentence.encode())


def _seal(descriptor: int) -> None:
    import fcntl  # not on Windows, where a client may still use tcp

    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)


def _aligned(count: int) -> int:
    return -(-count // ALIGN) * ALIGN


def _pages(count: int) -> int:
    return -(-count // PAGE) * PAGE
