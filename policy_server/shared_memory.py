"""A memory file that a client writes arrays into and its server on the same computer reads them from.

The server makes and sizes it and seals it against resizing, so that neither side can pull it from under the other. Its
first page holds one byte for each slot (0 free, 1 in use); a message uses one slot, which the server frees when nothing
holds its arrays any more.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from collections.abc import Mapping

import numpy as np

from policy_server.wire import MAX_MESSAGE_BYTES, WireError

SLOTS = 8
#: a policy that keeps what it sees gets copies from here on, so that its client never waits for a slot
LENT_AT_MOST = SLOTS - 3
PAGE = 4096
ALIGN = 64


class WrittenMemory:
    """The client's end of the file `descriptor`, which is closed."""

    def __init__(self, descriptor: int, slot_bytes: int) -> None:
        self.slot_bytes = slot_bytes
        try:
            self._memory = mmap.mmap(descriptor, PAGE + SLOTS * slot_bytes)
        finally:
            os.close(descriptor)
        self._bytes = np.frombuffer(self._memory, dtype=np.uint8)

    def take(self, arrays: Mapping[str, np.ndarray]) -> tuple[int, dict[str, int]] | None:
        """Takes a free slot. Returns it and where in it each array is to lie; None if none is free."""
        slot = self._memory.find(b"\0", 0, SLOTS)
        if slot < 0:
            return None
        self._memory[slot] = 1
        offset, offsets = 0, {}
        for name, values in arrays.items():
            offsets[name] = offset
            offset += _up(values.nbytes, ALIGN)
        return slot, offsets

    def write(self, slot: int, offsets: Mapping[str, int], arrays: Mapping[str, np.ndarray]) -> None:
        """Copies the arrays to where `take` said."""
        for name, values in arrays.items():
            start = PAGE + slot * self.slot_bytes + offsets[name]
            there = self._bytes[start : start + values.nbytes]
            np.copyto(there.view(values.dtype).reshape(values.shape), values)

    def close(self) -> None:
        del self._bytes
        self._memory.close()


class ReadMemory:
    """The server's end. descriptor: of the file, for the client; to be closed once it was sent."""

    def __init__(self, slot_bytes: int) -> None:
        self.descriptor = os.memfd_create("touchstone", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        size = PAGE + SLOTS * slot_bytes
        os.ftruncate(self.descriptor, size)
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        self._memory = mmap.mmap(self.descriptor, size)
        self._slot_bytes = slot_bytes
        self._lent: dict[int, weakref.ref] = {}

    @property
    def is_short(self) -> bool:
        """Whether the next lease is a copy, of what must have been written by then."""
        return len(self._lent) >= LENT_AT_MOST

    def lease(self, slot: int) -> memoryview:
        """The bytes of a slot, which is free again when nothing holds them. Raises WireError."""
        if not 0 <= slot < SLOTS:
            raise WireError(f"There is no slot {slot}; there are {SLOTS}.")
        if slot in self._lent:
            raise WireError(f"Slot {slot} is still in use; wait until its byte in the first page is 0.")
        start = PAGE + slot * self._slot_bytes
        if self.is_short:
            copy = memoryview(self._memory[start : start + self._slot_bytes])
            self._memory[slot] = 0
            return copy
        lease = (ctypes.c_ubyte * self._slot_bytes).from_buffer(self._memory, start)
        self._lent[slot] = weakref.ref(lease, lambda _: self._free(slot))
        return memoryview(lease).cast("B")

    def _free(self, slot: int) -> None:
        del self._lent[slot]
        self._memory[slot] = 0


def slot_bytes_for(arrays: Mapping[str, np.ndarray]) -> int:
    """What a slot must hold for these arrays."""
    return whole_pages(sum(_up(values.nbytes, ALIGN) for values in arrays.values()))


def whole_pages(count: int) -> int:
    """Rounded up to whole pages. Raises WireError for more than a message may hold."""
    if count > MAX_MESSAGE_BYTES:
        raise WireError(f"A slot of {count} bytes is not to be had; the most is {MAX_MESSAGE_BYTES}.")
    return max(_up(count, PAGE), PAGE)


def _up(count: int, step: int) -> int:
    return -(-count // step) * step
