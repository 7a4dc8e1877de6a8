"""Whatever becomes of the answers - late, lost, twice, out of order - nothing stale is carried out."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.control.executor import SLACK_NS, ChunkExecutor
from touchstone.control.strategies import make
from touchstone.policy import Chunk, PolicyContract

TICKS = 25
STRATEGIES = ["sync", "receding", "ensemble", "ensemble:m=0.5", "async", "async:g=1,new=0.3", "rtc", "rtc:s=1,d=3"]


@dataclass(frozen=True)
class Fate:
    """What becomes of one inference. arrivals: ticks after it was asked, none when lost; patience: ticks until the
    driver gives it up and may ask again. length: of the answer."""

    arrivals: tuple[int, ...]
    patience: int
    length: int


fates = st.lists(
    st.builds(
        Fate,
        arrivals=st.lists(st.integers(0, 12), max_size=3).map(tuple),
        patience=st.integers(0, 10),
        length=st.integers(4, 8),
    ),
    min_size=1,
    max_size=TICKS,
)


@dataclass
class Run:
    """What a driver saw. executed: (tick, the moment that the action was planned for, action, gripper)."""

    executed: list = field(default_factory=list)
    handed: list = field(default_factory=list)
    priors: list = field(default_factory=list)


def drive(text: str, schedule: list[Fate], dt_ns: int, kind: str, shuffle: int) -> Run:
    """Every action carries the moment [ticks] for which it was planned, and a mark of its chunk."""
    strategy, executor, run = make(text), ChunkExecutor(), Run()
    contract = PolicyContract(name="p", version="1", action_kind=kind, chunk_length=8, execute=4, inpaints=True)
    strategy.begin(contract, dt_ns)
    mail: list[tuple[int, int, Chunk]] = []
    waiting_until = waiting_asked = -1
    fate = iter(schedule)
    random = np.random.default_rng(shuffle)
    for tick in range(TICKS):
        now = tick * dt_ns
        due = [item for item in mail if item[0] == tick]
        for place in random.permutation(len(due)):
            _, asked, chunk = due[place]
            waiting_until = -1 if asked == waiting_asked else waiting_until
            take(strategy, executor, run, chunk, now)
        if tick >= waiting_until:
            ask = strategy.ask(now)
            if ask is not None:
                run.priors.append((tick, ask.prior))
                one = next(fate, Fate((0,), 0, 8))
                chunk = planned(tick, one.length, dt_ns, kind, random.uniform(0, 50))
                mail += [(tick + delay, tick, chunk) for delay in one.arrivals if delay > 0]
                waiting_until, waiting_asked = tick + one.patience, tick
                for _ in range(one.arrivals.count(0)):
                    take(strategy, executor, run, chunk, now)
                    waiting_until = -1
        element = executor.next(now).element
        if element is not None:
            loaded = executor.chunk
            due_ns = loaded.t0_ns + element * dt_ns
            assert due_ns - SLACK_NS <= now <= due_ns + dt_ns + SLACK_NS
            run.executed.append((tick, loaded.actions[element][0], loaded.actions[element], loaded.gripper[element]))
    return run


def take(strategy, executor, run: Run, chunk: Chunk, now: int) -> None:
    handed = strategy.answer(chunk, now)
    if handed is not None:
        run.handed.append(handed)
        executor.load(handed)


def planned(tick: int, length: int, dt_ns: int, kind: str, mark: float) -> Chunk:
    actions = np.zeros((length, 7 if kind == "ee_abs" else 6))
    actions[:, 0] = tick + np.arange(length)
    actions[:, 1] = mark
    if kind == "ee_abs":
        actions[:, 3], actions[:, 6] = np.cos(mark / 60), np.sin(mark / 60)
    return Chunk(tick, tick * dt_ns, dt_ns / 1e9, kind, actions, np.full(length, mark / 50))


@pytest.mark.parametrize("text", STRATEGIES)
@settings(deadline=None, max_examples=40)
@given(
    schedule=fates,
    dt_ns=st.sampled_from([20_000_000, 50_000_000, 200_000_000]),
    kind=st.sampled_from(["target_delta", "ee_abs"]),
    shuffle=st.integers(0, 2**16),
)
def test_no_schedule_of_answers_brings_a_stale_action_or_an_old_chunk_back(text, schedule, dt_ns, kind, shuffle):
    run = drive(text, schedule, dt_ns, kind, shuffle)
    for tick, moment, action, gripper in run.executed:
        # planned for this very tick; the last action of a chunk may begin one tick late
        late = (tick - moment) * dt_ns
        assert -1e-3 <= late <= dt_ns + SLACK_NS
        assert text.startswith(("sync", "receding")) or late == pytest.approx(0.0, abs=1e-3)
        assert 0.0 <= gripper <= 1.0
        if kind == "ee_abs":
            assert np.linalg.norm(action[3:]) == pytest.approx(1.0)
    answered = [handed.answers for handed in run.handed]
    assert answered == sorted(set(answered))


@settings(deadline=None, max_examples=120)
@given(schedule=fates, shuffle=st.integers(0, 2**16), text=st.sampled_from(["rtc", "rtc:s=1,d=3", "rtc:s=2,d=0"]))
def test_what_rtc_calls_frozen_is_carried_out_as_it_was_told(schedule, shuffle, text):
    run = drive(text, schedule, 50_000_000, "target_delta", shuffle)
    executed = {tick: action for tick, _, action, _ in run.executed}
    # a frozen element stays until the next inference begins, and is then what that one is told
    for (asked, prior), (asked_next, told_next) in zip(run.priors, [*run.priors[1:], (TICKS, None)], strict=True):
        if prior is None:
            continue
        assert 0 <= prior.frozen <= len(prior.actions) and prior.actions[0][0] == asked
        for tick in range(asked, min(asked + prior.frozen, TICKS)):
            frozen = prior.actions[tick - asked]
            assert np.array_equal(frozen, executed[tick] if tick < asked_next else told_next.actions[tick - asked_next])


@settings(deadline=None, max_examples=40)
@given(schedule=fates, shuffle=st.integers(0, 2**16))
def test_the_arm_never_idles_while_a_whole_answer_in_time_is_at_hand(schedule, shuffle):
    """Ensembling with nothing lost and nothing late carries out an action at every tick."""
    prompt = [Fate((0,), 0, fate.length) for fate in schedule]
    run = drive("ensemble", prompt, 50_000_000, "target_delta", shuffle)
    assert [tick for tick, *_ in run.executed] == list(range(TICKS))
