"""Each fault makes the arm hold as soon as it can be seen, and where an operator should end that, nobody else does."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.realman.codes import arm_words, joint_words
from hardware.realman.controller import ControllerGone
from hardware.realman.sensing import GRIPPER
from tests.hardware.realman.in_process import Bench
from tests.hardware.realman.test_limits import EAGER, assert_inside_every_limit
from touchstone.errors import WorldFailure
from touchstone.robots.rm75 import ARM
from touchstone.safety.settings import MS
from touchstone.safety.states import State

AWAY = np.array(ARM.ready) + np.array([1.5, 0, 0, 0, 0, 0, 0])
CONTROL_TICKS = 2  # at 10 Hz, the slowest policy's


def moving() -> Bench:
    bench = Bench(EAGER)
    bench.arm()
    for _ in range(30):
        bench.ask(AWAY)
        bench.tick()
    assert bench.loop.decision.velocity[0] > 1
    return bench


# kind of fault, how it comes, how it ends, the state that it leads to
FAULTS = {
    "joint error": (lambda b: b.emulated.fail_joint(2, 0x20), lambda b: b.emulated.clear(), State.STOPPED),
    "controller error": (lambda b: b.emulated.fail(0x100D), lambda b: b.emulated.clear(), State.STOPPED),
    "drive off": (lambda b: _set(b.emulated.enabled, 3, False), lambda b: b.emulated.clear(), State.STOPPED),
    "overheated": (lambda b: _set(b.emulated.temperatures, 4, 71.0), lambda b: b.emulated.clear(), State.STOPPED),
    "hot": (lambda b: _set(b.emulated.temperatures, 4, 61.0), lambda b: b.emulated.clear(), State.RESTING),
    "gripper silent": (lambda b: _missing(b, (GRIPPER,)), lambda b: _missing(b, ()), State.STOPPED),
    "state silent": (lambda b: _talking(b, False), lambda b: _talking(b, True), State.STOPPED),
    "commander silent": (lambda b: None, lambda b: None, State.HOLDING),
}

#: until silence is a fault
SEEN_AFTER = {"commander silent": EAGER.stale_hold, "state silent": EAGER.reading_age}


def _set(values: list, index: int, value) -> None:
    values[index] = value


def _missing(bench: Bench, names: tuple[str, ...]) -> None:
    bench.senses.missing = names


def _talking(bench: Bench, on: bool) -> None:
    bench.talking = on


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_makes_a_moving_arm_hold_within_two_control_ticks(fault):
    begin, end, state = FAULTS[fault]
    bench, asking = moving(), fault != "commander silent"
    begin(bench)
    patience = SEEN_AFTER.get(fault, 0)
    for _ in range((patience + CONTROL_TICKS * 100 * MS) // (10 * MS)):
        if asking:
            bench.ask(AWAY)
        bench.tick()
    assert bench.gate.state == state
    for _ in range(40):
        bench.tick()
    assert not bench.loop.decision.velocity.any()
    assert_inside_every_limit(bench, refusals=state == State.STOPPED)
    end(bench)
    sent = len(bench.ticks)
    for _ in range(700):
        bench.ask(AWAY)
        bench.tick()
    if state == State.STOPPED:
        assert bench.gate.state == State.STOPPED and len(bench.ticks) == sent, "only an operator starts it again"
        bench.arm()
        bench.tick()
        bench.ask(AWAY)
    assert bench.gate.state in (State.RAMPING, State.TRACKING)
    assert_inside_every_limit(bench, refusals=state == State.STOPPED)


def test_a_lost_link_ends_the_loop_with_a_sentence():
    bench = moving()
    bench.errands.gone = ControllerGone("The link is lost.")
    with pytest.raises(WorldFailure, match="The link is lost"):
        bench.tick()


def test_codes_are_told_in_words():
    assert arm_words([0x100D, 0x9999]) == "0x100d (a collision) and 0x9999"
    assert joint_words(0x0048) == "0x0048 (too hot, current too high)"


# what the gate does not see by itself


def test_a_silent_state_is_held_first_and_stopped_then():
    bench = moving()
    bench.talking = False
    states = []
    for _ in range(40):
        bench.ask(np.array(ARM.ready) + np.array([1.5, 0, 0, 0, 0, 0, 0]))
        bench.tick()
        states.append(bench.gate.state)
    hold, stop = states.index(State.HOLDING), states.index(State.STOPPED)
    assert hold == 5 and stop == 10, "at half the age that a state may have, and at all of it"
    assert not bench.loop.live and bench.emulated.status == "stop", "the controller was told to stop, once it stood"
    assert_inside_every_limit(bench)
    sent = len(bench.ticks)
    bench.talking = True
    for _ in range(20):
        bench.ask(np.array(ARM.ready))
        bench.tick()
    assert len(bench.ticks) == sent and bench.gate.state == State.STOPPED, "only an operator starts it again"


def test_a_state_that_comes_back_in_time_lets_it_go_on():
    bench = moving()
    bench.talking = False
    for _ in range(8):
        bench.tick()
    assert bench.gate.state == State.HOLDING and bench.loop.missed > 0
    bench.talking = True
    bench.tick()
    bench.ask(np.array(ARM.ready))
    assert bench.gate.state in (State.RAMPING, State.TRACKING)
    assert_inside_every_limit(bench)


def test_a_loop_that_was_held_up_stops_at_once():
    bench = moving()
    sent = len(bench.ticks)
    bench.ask(np.array(ARM.ready))
    bench.tick(6_000 * MS)
    assert bench.gate.state == State.STOPPED and not bench.loop.live
    assert bench.emulated.status == "stop" and len(bench.ticks) == sent


def test_drives_that_go_off_stop_it():
    bench = moving()
    bench.emulated.enabled[3] = False
    bench.tick()
    assert bench.gate.state == State.STOPPED and "joint_4 lost torque" in bench.gate.why


def test_speeds_are_those_of_the_positions():
    bench = moving()
    assert bench.senses.newest.speeds[0] == pytest.approx(bench.emulated.plant.velocities["joint_1"], rel=0.2)
    assert np.abs(bench.senses.newest.speeds[1:]).max() < 0.01


def test_a_damaged_push_is_counted_and_not_believed():
    bench = moving()
    before = bench.senses.newest
    broken = bench._pushed()
    broken.errCode = -3
    bench.senses.take(broken)
    assert bench.senses.newest is before and bench.senses.damaged == 1
