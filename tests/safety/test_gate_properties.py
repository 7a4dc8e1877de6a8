"""Whatever goes into the gate, nothing comes out that breaks a limit of place, speed or acceleration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.safety.driving import Driven
from touchstone.bench import TABLE_Z
from touchstone.geometry import Pose
from touchstone.robots.base import arm
from touchstone.safety.clearance import LinkHeights
from touchstone.safety.settings import Box, GateSettings

ARMS = {name: arm(name) for name in ("wx250s", "rm75")}
HEIGHTS = {name: LinkHeights(each) for name, each in ARMS.items()}
# low enough that random targets run into the box, wide enough that they run into the table, too
SETTINGS = GateSettings(box=Box((-0.2, -0.4, -0.10), (0.5, 0.4, 0.9)), step=3.0, ramp_speed=1.0)

NAN, INF = float("nan"), float("inf")
numbers = st.one_of(st.floats(-1.2, 1.2), st.sampled_from([NAN, INF, -INF, 1e300, 0.0]))


@st.composite
def streams(draw):
    """A list of steps: (kind, numbers or fraction, ms until the next tick)."""
    kinds = st.sampled_from(
        ["near", "far", "down", "wild", "stale", "future", "frame", "shape", "none", "flood", "hold"]
    )
    step = st.tuples(
        kinds, st.lists(st.floats(-1, 1), min_size=7, max_size=7), numbers, st.sampled_from([1, 5, 10, 20, 200])
    )
    return draw(st.lists(step, min_size=5, max_size=60))


def ask(driven: Driven, kind: str, at: np.ndarray, number: float) -> None:
    limits, n = driven.arm.limits, len(driven.arm.joint_names)
    here, at = driven.reading.joints, at[:n]
    far = limits.lower + (at + 1) / 2 * (limits.upper - limits.lower)
    if kind == "near":
        driven.ask(here + 0.3 * at)
    elif kind == "far":
        driven.ask(far)
    elif kind == "down":  # straight at the table: shoulder and elbow bend forward
        down = here.copy()
        down[1] += 0.5 * abs(at[1])
        down[2 if n == 6 else 3] += 0.5 * at[2]
        driven.ask(down)
    elif kind == "wild":
        driven.ask(np.where(at > 0, number, far), opening=number)
    elif kind == "stale":
        driven.ask(far, stamp_ns=driven.now - 10_000_000_000, expires_ns=driven.now - 1)
    elif kind == "future":
        driven.ask(far, stamp_ns=driven.now + 10_000_000_000)
    elif kind == "frame":
        driven.ask(far, frame="camera")
    elif kind == "shape":
        driven.ask(far[:3])
    elif kind == "flood":
        for k in range(20):
            driven.ask(far if k % 2 else here, stamp_ns=driven.now + k + 1)
    elif kind == "hold":
        driven.gate.hold()


def assert_inside_every_limit(driven: Driven, heights: LinkHeights) -> None:
    limits, set_up = driven.arm.limits, driven.gate.settings
    q = np.array([decision.joints for decision in driven.decisions])
    assert np.isfinite(q).all()
    assert (q >= limits.lower - 1e-9).all() and (q <= limits.upper + 1e-9).all()
    # a tick that came late moves as far as the longest one may, so its speed is measured over that time
    dt = np.minimum(np.diff(driven.stamps), set_up.longest_tick)[:, None] / 1e9
    speed = np.diff(q, axis=0) / dt
    assert (np.abs(speed) <= limits.velocity + 1e-6).all()
    assert (np.abs([d.velocity for d in driven.decisions]) <= limits.velocity + 1e-6).all()
    said = np.array([d.velocity for d in driven.decisions])
    assert (np.abs(np.diff(said, axis=0)) <= limits.acceleration * dt + 1e-6).all()
    # between set-points, where motors interpolate, the mean speeds change no faster either
    if len(speed) > 1:
        middle = (dt[1:] + dt[:-1]) / 2
        assert (np.abs(np.diff(speed, axis=0)) <= limits.acceleration * middle + 1e-6).all()
    for joints in q:
        found = heights.at(joints)
        assert found.links >= set_up.link_clearance and found.tips >= set_up.tip_clearance
        assert (found.tcp >= set_up.box.lower).all() and (found.tcp <= set_up.box.upper).all()


@pytest.mark.parametrize("name", ARMS)
@settings(deadline=None, max_examples=40)
@given(stream=streams())
def test_nothing_leaves_the_gate_outside_a_limit(name, stream):
    driven = Driven(ARMS[name], SETTINGS).armed()
    for kind, at, number, ms in stream:
        ask(driven, kind, np.array(at), number)
        for _ in range(4):
            driven.tick(ms * 1_000_000)
    driven.run(1.5)
    assert_inside_every_limit(driven, HEIGHTS[name])
    assert driven.decisions[-1].velocity.max() == 0 or driven.decisions[-1].state in ("tracking", "ramping")


def low_places(name: str) -> list[np.ndarray]:
    """Joints with the fingertips 2 to 6 mm over the table, here and there: each allowed, not every way between them."""
    arm, places = ARMS[name], []
    for radius in (0.20, 0.26, 0.32, 0.38, 0.42):
        for turn in (-0.6, 0.0, 0.6):
            for height in (0.002, 0.006):
                point = np.array([radius * np.cos(turn), radius * np.sin(turn), TABLE_Z + height + 0.010])
                found = arm.kinematics.inverse(Pose(point, arm.ready_tcp.quaternion), arm.ready)
                reached = HEIGHTS[name].at(found.joints)
                if found.ok and reached.tips > 0.0016 and reached.links > 0.021:
                    places.append(found.joints)
    return places


@pytest.mark.parametrize("name", ARMS)
def test_the_way_between_two_allowed_places_is_guarded_too(name):
    driven, places = Driven(ARMS[name], SETTINGS).armed(), low_places(name)
    assert len(places) > 5
    refused_before = stopped_on_the_way = 0
    for k in np.random.default_rng(3).permutation(len(places) * 3):
        refused_before += driven.ask(places[k % len(places)]) is not None
        for _ in range(100):
            told = driven.tick().interventions
            stopped_on_the_way += any(each.code == "clearance" for each in told)
        driven.gate.hold()
    assert_inside_every_limit(driven, HEIGHTS[name])
    assert refused_before == 0 and stopped_on_the_way > 0


def test_the_checks_of_this_file_can_fail():
    driven = Driven(ARMS["wx250s"], SETTINGS).armed()
    driven.run(0.2, driven.reading.joints + 0.2)
    driven.decisions[-1].joints[1] += 0.5
    with pytest.raises(AssertionError):
        assert_inside_every_limit(driven, HEIGHTS["wx250s"])


@pytest.mark.parametrize("name", ARMS)
def test_a_low_sweep_over_the_table_is_stopped_at_the_fingertips_clearance(name):
    driven = Driven(ARMS[name], GateSettings(step=3.0)).armed()
    bend = np.zeros(len(driven.arm.joint_names))
    bend[[1, 4 if name == "wx250s" else 5]] = 0.02, -0.02  # forward, the gripper kept upright
    for _ in range(3000):
        driven.ask(driven.reading.joints + bend)
        driven.tick()
        if "clearance" in driven.codes():
            break
    driven.run(1.0)
    assert_inside_every_limit(driven, HEIGHTS[name])
    assert HEIGHTS[name].at(driven.reading.joints).tips < 0.01, "the sweep never came near the table"
    assert "clearance" in driven.codes()
