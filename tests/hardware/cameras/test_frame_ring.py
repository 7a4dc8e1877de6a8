"""The frame ring: whole pictures or none, one writer, and nothing left in /dev/shm."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.clock import Clock
from touchstone.data import frame_files
from touchstone.data.frame_layout import header
from touchstone.data.frame_ring import SLOTS, FrameReader, FrameWriter, RingFaults, ring_path
from touchstone.errors import UsageError

K = np.array([[350.0, 0, 31.5], [0, 350.0, 23.5], [0, 0, 1]])
ROOT = Path(__file__).parents[3]
#: writes as fast as it can; every value of a picture follows from its number
FAST_WRITER = """
import sys, numpy as np
from touchstone.data.frame_ring import FrameWriter
writer = FrameWriter(sys.argv[1], (160, 120), np.eye(3), 30, depth_scale=0.001)
print("ready", flush=True)
number = 0
while True:
    number += 1
    colour, depth = np.full((120, 160, 3), number % 251, np.uint8), np.full((120, 160), number % 65521, np.uint16)
    writer.write(colour, 7 * number, depth)
"""


@pytest.fixture
def name():
    name = f"test-{uuid4().hex}"
    yield name
    assert not ring_path(name).exists()


@pytest.fixture
def ring(name):
    with FrameWriter(name, (64, 48), K, 30, depth_scale=0.001) as writer:
        reader = FrameReader(name)
        yield writer, reader
        reader.close()


def picture(number: int, width: int = 64, height: int = 48) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(number)
    return random.integers(0, 256, (height, width, 3), np.uint8), random.integers(0, 65536, (height, width), np.uint16)


def fast_writer(name: str) -> subprocess.Popen:
    process = subprocess.Popen([sys.executable, "-c", FAST_WRITER, name], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout.readline()
    return process


def end(process: subprocess.Popen, name: str) -> None:
    process.kill()
    process.wait()
    process.stdout.close()
    frame_files.discard_left(ring_path(name))


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    count=st.integers(0, 3 * SLOTS),
    depth_scale=st.sampled_from([None, 0.001, 0.00025]),
    scale=st.sampled_from([1.0, 0.2]),
)
def test_what_is_written_is_read(width, height, count, depth_scale, scale):
    name = f"test-{uuid4().hex}"
    with FrameWriter(name, (width, height), K, 15, depth_scale=depth_scale, clock=Clock(scale)) as writer:
        reader = FrameReader(name)
        form = reader.format
        assert (form.width, form.height, form.fps, form.depth_scale, form.time_scale) == (
            width,
            height,
            15,
            depth_scale,
            scale,
        )
        assert (form.K == K).all()
        for number in range(1, count + 1):
            colour, depth = picture(number, width, height)
            assert writer.write(colour, 1000 * number, depth if depth_scale else None) == number
        assert reader.newest == count
        for number in range(reader.oldest, count + 1):
            frame, (colour, depth) = reader.read(number), picture(number, width, height)
            assert (frame.number, frame.stamp_ns) == (number, 1000 * number)
            assert (frame.colour == colour).all()
            assert frame.depth is None if depth_scale is None else (frame.depth == depth).all()
        assert reader.read(count + 1) is None
        assert count < SLOTS or reader.read(count - SLOTS + 1 or 1) is not None
        assert count <= SLOTS or reader.read(count - SLOTS) is None
        reader.close()


def test_pictures_are_never_torn_by_a_writer_in_another_process(name):
    process = fast_writer(name)
    try:
        reader = FrameReader(name)
        whole = 0
        while whole < 3000:
            # the slot that is about to be written, and the newest
            for number in (reader.newest - SLOTS + 1, reader.newest):
                frame = reader.read(number) if number > 0 else None
                if frame is not None:
                    whole += 1
                    assert (frame.number, frame.stamp_ns) == (number, 7 * number)
                    assert (frame.colour == number % 251).all() and (frame.depth == number % 65521).all()
        reader.close()
    finally:
        end(process, name)


def test_a_picture_that_is_written_over_while_it_is_copied_is_refused(ring):
    writer, reader = ring

    class Overtaken:
        """A picture that is copied so slowly that the writer comes round."""

        def __init__(self, array):
            self._array = array

        def copy(self):
            for _ in range(SLOTS):
                writer.write(*_arguments(reader.newest + 1))
            return self._array.copy()

    writer.write(*_arguments(1))
    assert reader.read(1) is not None
    slot = reader._layout.slot(reader._memory, 1)
    slow = {**slot, "colour": Overtaken(slot["colour"])}
    layout = reader._layout
    reader._layout = type("Slow", (), {"slot": lambda *_: slow})
    assert reader.read(1) is None
    reader._layout = layout


def _arguments(number: int) -> tuple[np.ndarray, int, np.ndarray]:
    colour, depth = picture(number)
    return colour, 1000 * number, depth


def test_a_picture_that_does_not_fit_is_refused(ring):
    writer, reader = ring
    colour, depth = picture(1)
    for wrong in (
        (colour[:-1], 1, depth),
        (colour.astype(np.float32), 1, depth),
        (colour, 1, None),
        (colour, 1, colour),
    ):
        with pytest.raises(ValueError):
            writer.write(*wrong)
    assert reader.newest == 0
    writer.write(colour, 5, depth)
    with pytest.raises(ValueError, match="came after"):
        writer.write(colour, 5, depth)


def test_faults_reach_the_reader_and_end(ring):
    writer, reader = ring
    assert reader.faults == RingFaults()
    writer.write(*_arguments(1))
    writer.fault(frozen=True, delay_s=0.25, drop=3)
    assert reader.faults == RingFaults(frozen=True, delay_s=0.25, lost_until=4)
    writer.fault(black=True, unplugged=True)
    assert reader.faults == RingFaults(black=True, unplugged=True)
    writer.fault()
    assert reader.faults == RingFaults()


def test_one_writer_at_a_time(ring, name):
    with pytest.raises(UsageError, match="already written"):
        FrameWriter(name, (64, 48), K, 30)
    assert ring[1].written


def test_a_killed_writer_is_noticed_and_replaced(name):
    process = fast_writer(name)
    try:
        reader = FrameReader(name)
        assert reader.written
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not reader.written
        with pytest.raises(UsageError, match="Nobody writes"):
            FrameReader(name)
        with FrameWriter(name, (8, 8), K, 30):
            assert FrameReader(name).format.width == 8
            assert not reader.written  # the old ring stays dead
        reader.close()
    finally:
        end(process, name)


def test_a_closed_ring_is_gone(name):
    writer = FrameWriter(name, (8, 8), K, 30)
    reader = FrameReader(name)
    writer.close()
    writer.close()
    assert not reader.written and not ring_path(name).exists()
    reader.close()
    reader.close()


def test_a_reader_waits_for_its_writer(name):
    made = []

    def later():
        time.sleep(0.2)
        made.append(FrameWriter(name, (8, 8), K, 30))

    thread = threading.Thread(target=later)
    thread.start()
    assert FrameReader(name, wait_s=30).format.width == 8
    thread.join()
    made[0].close()


def test_without_a_writer_there_is_one_sentence(name):
    with pytest.raises(UsageError, match=rf"Nobody writes frames called '{name}' .*; start the process"):
        FrameReader(name)


@pytest.mark.parametrize("bad", ["", "a/b", "../x", "ä", "x" * 81])
def test_bad_names_are_refused(bad):
    with pytest.raises(UsageError, match="is no name for frames"):
        FrameWriter(bad, (8, 8), K, 30)


def test_another_version_is_refused(name):
    with FrameWriter(name, (8, 8), K, 30) as writer:
        header(writer._memory)["version"] = 9
        with pytest.raises(UsageError, match="version 9"):
            FrameReader(name)


def test_a_full_memory_is_one_sentence_and_leaves_nothing(name, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UsageError, match="No space left"):
        FrameWriter(name, (8, 8), K, 30)
