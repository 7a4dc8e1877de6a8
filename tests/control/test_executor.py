import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchstone.control.executor import SLACK_NS, ChunkExecutor
from touchstone.policy import Chunk

DT = 0.2
DT_NS = 200_000_000


def chunk(length: int, t0_ns: int = 0) -> Chunk:
    return Chunk(1, t0_ns, DT, "target_delta", np.zeros((length, 6)), np.ones(length))


def test_each_tick_gets_its_own_element_and_then_the_arm_holds():
    executor = ChunkExecutor()
    executor.load(chunk(3))
    assert [executor.next(k * DT_NS).element for k in range(4)] == [0, 1, 2, None]


def test_nothing_loaded_means_hold():
    due = ChunkExecutor().next(0)
    assert due.element is None and due.why


def test_a_late_chunk_loses_what_has_expired_and_says_how_much():
    executor = ChunkExecutor()
    executor.load(chunk(4))
    due = executor.next(2 * DT_NS + SLACK_NS + 1)
    assert (due.element, due.expired) == (2, 2)


def test_a_chunk_that_came_wholly_too_late_is_never_executed():
    executor = ChunkExecutor()
    executor.load(chunk(2))
    due = executor.next(10 * DT_NS)
    assert due.element is None and due.expired == 2


@given(st.integers(1, 8), st.lists(st.integers(0, 3 * DT_NS), max_size=12))
def test_elements_come_at_most_once_in_order_and_never_expired(length, steps):
    executor = ChunkExecutor()
    executor.load(chunk(length))
    now, seen = 0, []
    for step in steps:
        now += step
        due = executor.next(now)
        if due.element is not None:
            assert now <= (due.element + 1) * DT_NS + SLACK_NS
            assert now >= due.element * DT_NS - SLACK_NS
            seen.append(due.element)
    assert seen == sorted(set(seen))
