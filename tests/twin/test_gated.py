"""The gate in the twin: its three modes, without a simulator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_server.policies.expert import ExpertPolicy
from sim_twin.gated import TwinGate
from sim_twin.world import make_world
from touchstone.bench import TABLE_Z
from touchstone.errors import UsageError
from touchstone.evaluation.episode import run_episode
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.codes import Code
from touchstone.tasks.base import task
from touchstone.world import WorldRequest

READY = np.array(ARM.ready)
STEP_NS = 10_000_000


def on_the_table() -> np.ndarray:
    """Joints with the fingertips 20 mm under the table's top."""
    pose = Pose(np.array([0.3, 0.0, TABLE_Z - 0.010]), ARM.ready_tcp.quaternion)
    return ARM.kinematics.inverse(pose, READY).joints


class Standing:
    """Drives of an arm that is where it was sent, and spends nothing."""

    def __init__(self, joints: np.ndarray = READY) -> None:
        self._joints = joints

    def positions(self) -> np.ndarray:
        return self._joints

    def velocities(self) -> np.ndarray:
        return np.zeros(6)

    def effort(self, targets: np.ndarray) -> np.ndarray:
        return np.zeros(6)


def drive(gate: TwinGate, goal: np.ndarray, seconds: float, first_ns: int = 0) -> np.ndarray:
    """A straight line to `goal` as the twin interpolates it, the arm where it is sent; what was sent, [k, n]."""
    sent, at = [], READY
    steps = round(seconds * 1e9 / STEP_NS)
    for k in range(1, steps + 1):
        now = first_ns + k * STEP_NS
        line = READY + (goal - READY) * k / steps
        at, _ = gate.pass_on(line, 1.0, now, Standing(at))
        sent.append(at)
    return np.array(sent)


def test_off_passes_everything_and_says_nothing():
    gate = TwinGate(ARM, "off")
    gate.begin(READY, 1.0)
    wild = np.full(6, np.nan)
    assert gate.pass_on(wild, 7.0, 0, Standing())[0] is wild
    assert gate.drain_events(0) == [] and gate.counts == {}


def test_observe_changes_nothing_and_tells_what_it_would_have_done():
    gate = TwinGate(ARM, "observe")
    gate.begin(READY, 1.0)
    sent = drive(gate, on_the_table(), 2.0)
    assert np.allclose(sent[-1], on_the_table(), atol=1e-12)
    events = gate.drain_events(3)
    codes = [event.detail.split(":")[0] for event in events]
    assert "clearance" in codes and len(set(codes)) == len(codes)
    for event in events:
        assert event.kind == "intervention" and event.step == 3 and 0 < event.stamp_ns <= 2_000_000_000
    assert gate.counts[Code.CLEARANCE] > 1 and gate.drain_events(3) == []


def test_enforce_keeps_the_fingers_off_the_table():
    gate = TwinGate(ARM, "enforce")
    gate.begin(READY, 1.0)
    sent = drive(gate, on_the_table(), 2.0)
    heights = LinkHeights(ARM)
    tips = [heights.at(joints).tips for joints in sent]
    assert 0.001 <= min(tips) < 0.05
    assert any(event.detail.startswith("clearance: ") for event in gate.drain_events(0))


def test_a_motion_inside_the_limits_is_not_touched_and_needs_no_ramp():
    gate = TwinGate(ARM, "enforce")
    for _ in range(3):  # episodes, whose time starts anew
        gate.begin(READY, 1.0)
        goal = READY + np.array([0.3, 0.1, -0.1, 0, 0, 0.2])
        sent = drive(gate, goal, 2.0)
        for _ in range(100):
            at, _ = gate.pass_on(goal, 1.0, 2_000_000_000 + (_ + 1) * STEP_NS, Standing(goal))
        assert np.allclose(at, goal) and np.abs(sent[100] - (READY + goal) / 2).max() < 0.08
        assert gate.drain_events(0) == []


@given(st.lists(st.lists(st.floats(-4, 4) | st.just(float("nan")), min_size=6, max_size=6), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_whatever_is_asked_what_is_sent_obeys_the_limits(goals):
    gate = TwinGate(ARM, "enforce")
    gate.begin(READY, 1.0)
    limits, now, sent = ARM.limits, 0, [READY]
    for goal in goals:
        for _ in range(20):
            now += STEP_NS
            at, _ = gate.pass_on(np.array(goal), 0.5, now, Standing(sent[-1]))
            sent.append(at)
    path = np.array(sent)
    assert (path >= limits.lower - 1e-9).all() and (path <= limits.upper + 1e-9).all()
    assert (np.abs(np.diff(path, axis=0)) <= limits.velocity * 0.01 + 1e-9).all()


def test_a_start_that_no_gate_is_armed_at_and_an_unknown_mode_are_one_sentence():
    with pytest.raises(UsageError, match="cannot be armed where the episode starts"):
        TwinGate(ARM, "enforce").begin(on_the_table(), 1.0)
    with pytest.raises(UsageError, match="choose one of: off, observe, enforce"):
        TwinGate(ARM, "loud")


@pytest.fixture(scope="module", params=["off", "observe", "enforce"])
def touched(request):
    """Facts and events of an expert's touch under each mode."""
    world = make_world(
        WorldRequest(robot="wx250s", camera="grinningface", pictures=False, privileged=True, gate=request.param)
    )
    spec = task("touch-emoji").plan("val", 0, 1, ARM)
    kept = Kept()
    verdict = run_episode(world, ExpertPolicy(), task("touch-emoji"), spec, kept)
    world.close()
    return request.param, verdict, kept


def test_a_gated_twin_still_touches_and_an_observing_one_is_not_changed(touched):
    mode, verdict, kept = touched
    assert verdict.success
    assert kept.facts[-1].tcp.value[2] < TABLE_Z + 0.06
    if mode == "off":
        assert not [event for event in kept.events if event.kind == "intervention"]


class Kept:
    def __init__(self) -> None:
        self.facts, self.events = [], []

    def tick(self, observation, facts, events, chunk, stages_ms) -> None:
        self.facts.append(facts)
        self.events += events
