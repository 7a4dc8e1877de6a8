from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.control.embodiment import Embodiment
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.robots.wx250s import ARM

DT = 0.2


def delta(*numbers: float, gripper: float = 1.0, kind: str = "target_delta") -> Chunk:
    return Chunk(1, 0, DT, kind, np.array([numbers], dtype=float), np.array([gripper]))


def run(chunk: Chunk, measured: Pose | None = None) -> Embodiment:
    embodiment = Embodiment(ARM)
    embodiment.command(chunk, 0, 0)
    embodiment.step(0, 0, measured or embodiment.setpoint.tcp)
    return embodiment


def kinds(embodiment: Embodiment) -> list[str]:
    return [event.kind for event in embodiment.drain_events()]


def test_a_target_delta_moves_the_commanded_tcp_in_base_axes():
    embodiment = run(delta(0.01, 0.02, -0.03, 0, 0, 0))
    assert np.allclose(embodiment.setpoint.tcp.position - ARM.ready_tcp.position, [0.01, 0.02, -0.03], atol=2e-4)
    assert kinds(embodiment) == []


def test_align2_turns_about_the_measured_point():
    turn = 0.1
    measured = Pose(ARM.ready_tcp.position + [0.05, 0, 0], ARM.ready_tcp.quaternion)
    embodiment = run(delta(0, 0, 0, 0, 0, turn, kind="align2"), measured)
    arm = np.array([-0.05, 0.0])
    expected = measured.position[:2] + [arm[0] * np.cos(turn), arm[0] * np.sin(turn)]
    assert np.allclose(embodiment.setpoint.tcp.position[:2], expected, atol=2e-4)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("target_delta", [0.01, 0, 0, 0, 0, 0.01]),
        ("align2", [0.01, 0, 0, 0, 0, 0.01]),
        ("ee_abs", [*(ARM.ready_tcp.position - [0, 0, 0.02]), *ARM.ready_tcp.quaternion]),
        ("joint_abs", np.array(ARM.ready) + 0.02),
        ("joint_delta", [0.02] * 6),
    ],
)
def test_every_kind_moves_the_arm_also_from_read_only_arrays(kind, action):
    chunk = delta(*action, kind=kind)
    chunk.actions.setflags(write=False)
    chunk.gripper.setflags(write=False)
    embodiment = run(chunk)
    assert kinds(embodiment) == []
    assert not np.array_equal(embodiment.setpoint.joints, ARM.ready)


def test_an_unreachable_target_holds_says_so_and_does_not_wind_up():
    embodiment = Embodiment(ARM)
    for k in range(5):
        embodiment.command(replace(delta(0.5, 0, 0, 0, 0, 0), t0_ns=k * 200_000_000), k * 200_000_000, k)
        embodiment.step(k * 200_000_000, k, ARM.ready_tcp)
    assert np.array_equal(embodiment.setpoint.joints, ARM.ready)
    assert set(kinds(embodiment)) <= {"ik_failure", "action_rejected"}
    embodiment.command(replace(delta(0, 0, -0.02, 0, 0, 0), t0_ns=10**9), 10**9, 5)
    embodiment.step(10**9, 5, ARM.ready_tcp)
    assert embodiment.setpoint.tcp.position[2] == pytest.approx(ARM.ready_tcp.position[2] - 0.02, abs=2e-4)


BAD = {
    "NaN": delta(np.nan, 0, 0, 0, 0, 0),
    "infinity": delta(0, 0, np.inf, 0, 0, 0),
    "shape": delta(0, 0, 0),
    "gripper": delta(0, 0, 0, 0, 0, 0, gripper=1.2),
    "frame": replace(delta(0, 0, 0.01, 0, 0, 0), frame="camera"),
    "kind": delta(0, 0, 0, 0, 0, 0, kind="telepathy"),
    "empty": Chunk(1, 0, DT, "target_delta", np.zeros((0, 6)), np.zeros(0)),
    "absurd": delta(0, 0, 0, 0, 0, 1e154),
    "dt": replace(delta(0, 0, 0.01, 0, 0, 0), dt=0.0),
    "quaternion": delta(0.3, 0, 0.1, 2, 0, 0, 0, kind="ee_abs"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_chunk_never_reaches_the_arm_and_says_why(name):
    embodiment = run(BAD[name])
    assert np.array_equal(embodiment.setpoint.joints, ARM.ready) and embodiment.setpoint.opening == 1.0
    events = embodiment.drain_events()
    assert events[0].kind == "action_rejected" and len(events[0].detail) > 20


def test_a_joint_that_would_turn_too_fast_is_refused():
    embodiment = run(delta(1.0, 0, 0, 0, 0, 0, kind="joint_delta"))
    assert np.array_equal(embodiment.setpoint.joints, ARM.ready)
    assert "rad/s" in embodiment.drain_events()[0].detail


def test_joints_beyond_their_limits_are_refused():
    embodiment = run(delta(*(ARM.limits.upper + 0.01), kind="joint_abs"))
    assert kinds(embodiment) == ["action_rejected"]


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6), st.floats())
def test_no_numbers_whatever_bring_the_setpoint_outside_the_limits(numbers, gripper):
    embodiment = run(delta(*numbers, gripper=gripper))
    joints = embodiment.setpoint.joints
    assert np.isfinite(joints).all()
    assert (joints >= ARM.limits.lower).all() and (joints <= ARM.limits.upper).all()
    assert np.abs(joints - ARM.ready).max() <= ARM.limits.velocity.max() * DT + 1e-9
    assert 0 <= embodiment.setpoint.opening <= 1
