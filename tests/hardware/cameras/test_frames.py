"""What all cameras share: fresh, frozen, black, lost, and the next picture."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.frames import KEPT, Pictures
from hardware.wall_time import from_wall, to_wall
from tests.hardware.cameras.samples import CALIBRATION, HandClock
from touchstone.clock import REAL_TIME, Clock
from touchstone.errors import WorldFailure

MODEL = CALIBRATION.model()


@pytest.fixture
def clock():
    return HandClock(at=(10_000_000_000,))


@pytest.fixture
def pictures(clock):
    return Pictures("The camera", 1.0, clock)


def picture(seed: int, darkest: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(darkest, 256, (24, 32, 3), np.uint8)


def put(pictures, clock, image, after_s=0.1, **more):
    clock.move(after_s)
    pictures.put(image, clock.now_ns(), MODEL, **more)


def test_a_picture_that_repeats_the_one_before_is_stale(pictures, clock):
    put(pictures, clock, picture(1))
    assert not pictures.frame().stale and pictures.health().frozen == 0
    for times in (1, 2, 3):
        put(pictures, clock, picture(1))
        assert pictures.frame().stale and pictures.health().frozen == times
    put(pictures, clock, picture(2))
    assert not pictures.frame().stale and pictures.health().frozen == 0


def test_one_other_value_makes_a_picture_fresh(pictures, clock):
    put(pictures, clock, picture(1))
    other = picture(1)
    other[3, 4, 1] ^= 1
    put(pictures, clock, other)
    assert not pictures.frame().stale


def test_a_covered_lens_is_black_in_spite_of_noise_and_a_hot_pixel(pictures, clock):
    dark = np.random.default_rng(0).integers(0, 12, (24, 32, 3), np.uint8)
    dark[0, 0, 0] = 255
    put(pictures, clock, dark)
    put(pictures, clock, dark // 2)
    assert pictures.health().black == 2
    dim = picture(1) // 8  # most of it under the level, but not all
    put(pictures, clock, dim)
    assert pictures.health().black == 0


def test_lost_pictures_and_the_rate_are_counted(pictures, clock):
    for seed in range(25):
        put(pictures, clock, picture(seed), lost=2 * (seed == 7))
    health = pictures.health()
    assert (health.frames, health.dropped, health.rate_hz) == (25, 2, 10.0)
    clock.move(0.55)
    assert pictures.health().rate_hz == 5.0  # those of 0.1 .. 0.4 s ago have left, 0.55 .. 0.95 have not


def test_a_camera_that_is_silent_for_too_long_is_gone_until_it_speaks(pictures, clock):
    put(pictures, clock, picture(1))
    clock.move(1.0)
    pictures.frame()
    clock.move(0.01)
    with pytest.raises(WorldFailure, match=r"The camera has given no picture for 1.0 s; look at its cable."):
        pictures.frame()
    put(pictures, clock, picture(2), after_s=0)
    assert (pictures.frame().image == picture(2)).all()


def test_next_is_the_first_after_the_stamp_not_the_newest(pictures, clock):
    stamps = []
    for seed in range(KEPT + 2):
        put(pictures, clock, picture(seed))
        stamps.append(clock.now_ns())
    assert pictures.next(stamps[-3], 0.0).stamp_ns == stamps[-2]
    assert pictures.next(stamps[-3] - 1, 0.0).stamp_ns == stamps[-3]
    assert pictures.next(0, 0.0).stamp_ns == stamps[2]  # the oldest that is kept
    with pytest.raises(WorldFailure, match="no new picture within 0 s"):
        pictures.next(stamps[-1], 0.0)


def test_next_waits_for_a_picture_and_a_failure_wakes_it():
    pictures = Pictures("The camera", 1.0, REAL_TIME)
    answers = []

    def wait():
        first = pictures.next(0, 60)
        answers.append(first.image)
        try:
            pictures.next(first.stamp_ns, 60)
        except WorldFailure as failure:
            answers.append(str(failure))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    pictures.put(picture(1), REAL_TIME.now_ns(), MODEL)
    time.sleep(0.05)
    pictures.fail("It was unplugged.")
    pictures.fail("Something else.")
    thread.join(30)
    assert not thread.is_alive()
    assert (answers[0] == picture(1)).all() and answers[1] == "It was unplugged."
    with pytest.raises(WorldFailure, match=r"It was unplugged\."):
        pictures.frame()


def test_pictures_cannot_be_written(pictures, clock):
    put(pictures, clock, picture(1), depth=np.ones((24, 32), np.uint16), depth_scale=0.001)
    frame = pictures.frame()
    assert frame.depth_scale == 0.001 and frame.clock == "monotonic" and frame.model is MODEL
    for array in (frame.image, frame.depth):
        with pytest.raises(ValueError):
            array[0] = 0


@given(st.lists(st.tuples(st.floats(0, 0.2), st.integers(-(10**12), 10**12)), min_size=2, max_size=30))
def test_stamps_go_up_and_never_into_the_future(steps):
    clock = HandClock(at=(10_000_000_000,))
    pictures = Pictures("The camera", 1.0, clock)
    last = None
    for seed, (seconds, off) in enumerate(steps):
        clock.move(seconds + 1e-6)
        pictures.put(picture(seed), clock.now_ns() + off, MODEL)
        stamp = pictures.frame().stamp_ns
        assert last is None or stamp > last
        assert stamp <= clock.now_ns() or stamp == last + 1
        last = stamp


@given(st.integers(-(10**12), 10**9), st.sampled_from([1.0, 0.5, 0.1]))
def test_wall_time_and_back(ago_ns, scale):
    clock = Clock(scale)
    stamp = clock.now_ns() - ago_ns
    # both looks at the clocks may be interrupted; a wrong formula is off by the boot time or the scale
    assert abs(from_wall(to_wall(stamp, clock), clock) - stamp) < 50_000_000
