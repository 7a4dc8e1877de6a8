"""One fault of one arm, in the third episode of a session whose first two are finished."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.bench.world import BenchWorld
from policy_server.policies.expert import ExpertPolicy
from tests.hardware.faults.cases import CONNECT, FOLLOWS, GONE, HOLDING, ITSELF, POWER, RESTING, STOPPED, Case
from tests.hardware.faults.rigs import Rig, Watched, config, journal, raises_world_failure, with_camera
from tests.hardware.faults.swing import ENOUGH, Swing
from tests.hardware.faults.watching import (
    LOST,
    LOWERED,
    Watch,
    assert_clear,
    assert_decisions_inside,
    assert_goals_are_decisions,
)
from touchstone.data.journal import finished_episodes
from touchstone.errors import PolicyFailure, TouchstoneError, UsageError
from touchstone.evaluation.session import run_session
from touchstone.safety.codes import Code
from touchstone.safety.readings import Target
from touchstone.safety.states import State
from touchstone.scoring.score import score_session

TICK_S = 0.2  # of the 5 Hz control
FINISHED = 2
TRIES = 5
QUIET_S = 0.4  # for which an arm is asked to move although it must not


@dataclass(frozen=True)
class Outcome:
    """code: of the gate, what it did first, or `-`. held_ms: from when the fault could be seen until the arm was told
    to hold, None if it never was. stands_ms: from the fault until the last set-point that moved it."""

    case: Case
    code: str
    held_ms: float | None
    stands_ms: float


def finish_two(rig: Rig, out: Path) -> None:
    """A session of two finished episodes, through the same wire; one that a busy machine stops is gone on with."""
    for left in reversed(range(TRIES)):
        rig.reset()
        try:
            with rig.bench() as (world, _):
                return run_session(config(rig.name, FINISHED), out, world, ExpertPolicy())
        except TouchstoneError:
            if not left:
                raise


def carry_out(case: Case, rig: Rig, finished: Path, out: Path) -> Outcome:
    """Runs it, and asserts everything but the time to hold. finished: of `finish_two`; out: a new folder.

    A machine that is so busy that the arm stops before there was any fault gets more tries.
    """
    for _ in range(TRIES - 1):
        begun: list[int] = []
        try:
            return _carry_out(case, rig, finished, out, begun)
        except (TouchstoneError, AssertionError):
            if begun:
                raise
            shutil.rmtree(out)
    return _carry_out(case, rig, finished, out, [])


def _carry_out(case: Case, rig: Rig, finished: Path, out: Path, begun: list[int]) -> Outcome:
    shutil.copytree(finished, out)
    before = journal(out)
    rig.reset()
    with with_camera(rig) if case.camera else contextlib.nullcontext():
        with rig.bench() as (world, driver):
            watch = Watch(driver._gate)
            outcome = _break(case, rig, world, driver, watch, out, begun)
            _assert_inside(rig, watch)
            _mend(case, rig)
            if case.ends == STOPPED:
                _assert_nobody_else_moves_it(rig, driver, watch)
            if case.power:
                with contextlib.suppress(UsageError):
                    driver.rearm("a test")
                assert driver.state().gate == State.STOPPED, "it was re-armed with a fault"
            elif case.who != CONNECT:
                _assert_it_goes_on(case, rig, driver)
            _assert_inside(rig, watch)
        if case.power:
            rig.reset()
        if case.who in (CONNECT, POWER):
            with rig.bench() as (_, driver):
                _assert_it_takes_a_target(rig, driver)
    after = journal(out)
    assert {name: after[name] for name in before} == before, "a finished episode was changed"
    assert len(finished_episodes(out)) == FINISHED and score_session(out).trials == FINISHED
    return outcome


def _break(
    case: Case, rig: Rig, world: BenchWorld, driver: Watched, watch: Watch, out: Path, begun: list[int]
) -> Outcome:
    """begun: is given the fault's stamp [ns] as soon as it comes."""

    def begin() -> None:
        begun.append(rig.clock.now_ns())
        if case.operation is not None:
            name, arguments = case.operation
            rig.emulator.ask(name, **arguments)
        if case.camera is not None:
            rig.pictures.fault(**case.camera)

    said = _sentence(lambda: run_session(config(rig.name, 3), out, world, Swing(begin, rig.clock, case.pause_s)))
    if case.who == ITSELF:
        world.close()  # or the arm would miss its commander next
        driver.hold()
    assert begun, f"the episode ended before the fault: {said}"
    assert said.endswith(".") and "\n" not in said, said
    assert (said == ENOUGH) == (case.ends in (FOLLOWS, RESTING) or case.pause_s == 0.5), said
    assert rig.until(lambda: _state(driver) in _leads_to(case)), f"{_state(driver)}: {said}"
    with contextlib.suppress(TouchstoneError):
        driver.take_interventions()
    at_ns = begun[0]
    first = next((each for each in driver.told if each.stamp_ns > at_ns and each.code != Code.MISSED_TICK), None)
    if case.codes:
        counted = {each.code.value for each in driver.told if each.stamp_ns > at_ns}
        assert counted & set(case.codes), f"the gate did {counted}"
    code = "-" if first is None or not case.codes else first.code.value
    return Outcome(case, code, *_times(case, at_ns, driver, watch))


def _times(case: Case, at_ns: int, driver: Watched, watch: Watch) -> tuple[float | None, float]:
    if case.pause_s and case.codes:  # what makes silence a fault is that the newest target has expired
        held = watch.held_ns(at_ns)
        expired = max((ns for ns in driver.expiries if held is None or ns < held + 50_000_000), default=at_ns)
        return None if held is None else _ms(held - expired), _ms(watch.moved_ns(at_ns, held) - at_ns)
    if case.pause_s:
        moved = watch.moved_ns(at_ns, at_ns + round(case.pause_s * 1e9))
        return _ms(moved - at_ns), _ms(moved - at_ns)
    moved = watch.moved_ns(at_ns)
    if case.ends == FOLLOWS:
        return None, _ms(moved - at_ns)
    if case.ends == HOLDING:  # nothing is wrong with the arm: it stands since nobody moves it
        return _ms(moved - at_ns), _ms(moved - at_ns)
    # without a link there may be no cycle any more in which the gate could say so: the last set-point counts
    held = watch.held_ns(at_ns) or moved
    return max(0.0, _ms(held - at_ns) - case.seen_s * 1e3), _ms(moved - at_ns)


def _ms(ns: float) -> float:
    return ns / 1e6


def _leads_to(case: Case) -> tuple[str, ...]:
    return {
        STOPPED: ("stopped",),
        GONE: (GONE,),
        RESTING: ("resting",),
        HOLDING: ("holding", "tracking", "ramping", "stopped"),
        FOLLOWS: ("holding", "tracking", "ramping"),
    }[case.ends] + (("gone",) if case.ends == STOPPED else ())


def _state(driver: Watched) -> str:
    try:
        return driver.state().gate.value
    except TouchstoneError:
        return GONE


def _sentence(session) -> str:
    try:
        session()
    except (PolicyFailure, TouchstoneError) as failure:
        return str(failure)
    raise AssertionError("the episode was finished in spite of the fault")


def _mend(case: Case, rig: Rig) -> None:
    if case.operation is None or case.power:
        return
    if case.operation[0] == "disconnect":
        rig.emulator.ask("reconnect")
    rig.emulator.ask("clear")


def _assert_inside(rig: Rig, watch: Watch) -> None:
    """Nothing out of limits was decided, and nothing but what was decided reached a motor."""
    times, joints = rig.goals()
    cycles = list(watch.cycles)
    assert_decisions_inside(cycles, rig.arm, watch.settings)
    assert len(joints) > 20
    watched = joints[times > cycles[0].ns]
    assert_goals_are_decisions(watched[2:], cycles, rig.arm)
    assert_clear(watched, rig.arm, watch.settings, LOWERED[rig.name])
    assert (np.abs(np.diff(joints, axis=0)) <= rig.arm.limits.velocity * 0.05 + 2 * LOST[rig.name]).all()


def _ask(rig: Rig, driver: Watched) -> bool:
    """Whether a small motion is taken. Raises WorldFailure where nobody is there to take it."""
    now = rig.clock.now_ns()
    joints = driver.state().joints.position.copy()
    joints[0] += 0.05
    return driver.servo(Target(joints, now, now + 300_000_000, source="again")) is None


def _assert_nobody_else_moves_it(rig: Rig, driver: Watched, watch: Watch) -> None:
    assert rig.until(lambda: _state(driver) == "stopped")
    assert rig.until(lambda: not watch.cycles[-1].velocity.any())
    begin_ns = watch.last_ns
    end = rig.clock.now() + QUIET_S
    while rig.clock.now() < end:
        taken: list[bool] = []
        raises_world_failure(lambda: taken.append(_ask(rig, driver)))  # noqa: B023
        assert not any(taken), "a stopped arm took a target"
        rig.clock.sleep(0.02)
    assert watch.moved_ns(begin_ns) == begin_ns, "a stopped arm was moved"
    assert _state(driver) == "stopped"


def _assert_it_goes_on(case: Case, rig: Rig, driver: Watched) -> None:
    if case.who != ITSELF:

        def rearmed() -> bool:
            with contextlib.suppress(TouchstoneError):
                driver.rearm("a test")
            return _state(driver) == "holding"

        assert rig.until(rearmed)
    _assert_it_takes_a_target(rig, driver)


def _assert_it_takes_a_target(rig: Rig, driver: Watched) -> None:
    def taken() -> bool:
        answers: list[bool] = []
        raises_world_failure(lambda: answers.append(_ask(rig, driver)))
        return any(answers)

    assert rig.until(taken)
