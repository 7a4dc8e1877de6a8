"""Bridge's numbers against golden values worked out by hand from the published statistics and formulas."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from policy_server.vla import bridge
from policy_server.vla.bridge import ACTION, PROPRIO
from tests.vla.samples import TOP_DOWN, observation
from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.robots.wx250s import ARM

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "bridge_statistics.json"
OURS = Path(bridge.__file__).with_name("bridge_statistics.json")

actions = arrays(np.float64, (4, 7), elements=st.floats(-1, 1))


def test_the_statistics_are_the_published_ones():
    if not FACTS.exists():
        pytest.skip("the shared facts are not here")
    ours, facts = json.loads(OURS.read_text()), json.loads(FACTS.read_text())
    assert "INT-ACT" in ours.pop("source")
    for name in ("action", "proprio"):
        assert ours[name] == {key: facts[name][key] for key in ("mean", "std", "p01", "p99")}
    assert {name: ours[name] for name in ("num_transitions", "num_trajectories")} == {
        name: facts[name] for name in ("num_transitions", "num_trajectories")
    }


def test_percentiles_as_printed_in_the_facts():
    assert np.allclose(ACTION.p01[:6], (-0.02854, -0.04143, -0.02598, -0.08021, -0.09213, -0.20549), atol=5e-6)
    assert np.allclose(ACTION.p99[:6], (0.02812, 0.04063, 0.03995, 0.08122, 0.07724, 0.20214), atol=5e-6)


def test_the_ends_and_the_middle_of_the_range():
    golden = {
        -1.0: (-0.02854, -0.04143, -0.02598, -0.08021, -0.09213, -0.20549),
        0.0: (-0.000209, -0.000401, 0.006986, 0.000505, -0.007443, -0.001673),
        0.5: (0.013957, 0.020115, 0.023467, 0.040862, 0.034900, 0.100234),
        1.0: (0.02812, 0.04063, 0.03995, 0.08122, 0.07724, 0.20214),
    }
    for value, expected in golden.items():
        assert np.allclose(bridge.from_bounds(np.full(6, value), ACTION), expected, atol=6e-6), value


def test_what_lies_outside_the_range_is_not_clipped():
    assert bridge.from_bounds(np.array([3.0]), ACTION)[0] == pytest.approx(2 * 0.0281222761 + 0.0285395527, abs=1e-9)


def test_octo_is_scaled_by_mean_and_deviation():
    raw = bridge.from_gaussian(np.array([1.0, -2.0, 0.0, 0, 0, 0]), ACTION)
    assert raw[:3] == pytest.approx([0.0002175840 + 0.0096322202, 0.0001250783 - 0.0270019690, -0.0001710901], abs=1e-9)


@given(actions)
def test_scaling_there_and_back(values):
    assert np.allclose(bridge.to_bounds(bridge.from_bounds(values, ACTION), ACTION), values, atol=1e-5)


@given(arrays(np.float64, 7, elements=st.floats(-100, 100)), arrays(np.float64, 7, elements=st.floats(0, 10)))
def test_a_scaled_state_is_bounded_and_monotone(state, more):
    low, high = bridge.to_bounds(state, PROPRIO), bridge.to_bounds(state + more, PROPRIO)
    assert (np.abs(low) <= 1).all() and (high >= low).all()


def test_roll_pitch_yaw_turn_about_fixed_axes_in_this_order():
    # x by 90 degrees, then z by 90 degrees: z -> -y -> x, so the whole turns about (1, 1, 1) by 120 degrees
    vector = bridge.rotation_vectors(np.array([[np.pi / 2, 0, np.pi / 2]]))[0]
    assert np.allclose(vector, np.full(3, 2 * np.pi / 3 / np.sqrt(3)))
    # one axis alone is its own rotation vector
    assert np.allclose(bridge.rotation_vectors(np.diag([0.1, -0.2, 0.3])), np.diag([0.1, -0.2, 0.3]))


@given(arrays(np.float64, (3, 3), elements=st.floats(-0.2, 0.2)))
def test_rotation_vectors_are_the_product_of_three_turns(euler):
    def turn(axis, angle):
        c, s = np.cos(angle), np.sin(angle)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        matrix = np.eye(3)
        matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
        return matrix

    for angles, vector in zip(euler, bridge.rotation_vectors(euler), strict=True):
        matrix = turn(2, angles[2]) @ turn(1, angles[1]) @ turn(0, angles[0])
        angle = np.linalg.norm(vector)
        axis = vector / angle if angle else vector
        cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
        rodrigues = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        assert np.allclose(matrix, rodrigues, atol=1e-9)


def test_the_gripper_is_open_over_one_half_and_nan_stays():
    values = np.array([-1.0, 0.0, 0.5, np.nextafter(0.5, 1), 1.0, 7.0, np.nan])
    expected = [0, 0, 0, 1, 1, 1, np.nan]
    assert np.array_equal(bridge.opening(values), expected, equal_nan=True)
    assert np.array_equal(bridge.opening(values, "close_is_one"), 1 - np.array(expected), equal_nan=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("column", range(7))
def test_what_is_not_finite_is_never_turned_into_a_motion(bad, column):
    raw = np.zeros((2, 7))
    raw[1, column] = bad
    made = bridge.to_actions(raw)
    assert np.isfinite(made.actions[0]).all() and made.gripper[0] == 0
    if column < 6:
        assert not np.isfinite(made.actions[1]).all()
    else:
        assert np.isnan(made.gripper[1]) == np.isnan(bad)


def test_a_whole_action_by_hand():
    made = bridge.to_actions(bridge.from_bounds(np.array([[1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 0.7]]), ACTION))
    # the sixth in its bounds is 0.20214 about z; the small roll and pitch of the middle of their ranges come with it
    assert np.allclose(made.actions[0, :3], (0.028122, -0.041432, 0.006986), atol=1e-6)
    assert made.actions[0, 5] == pytest.approx(0.20214, abs=1e-4)
    assert np.linalg.norm(made.actions[0, 3:5] - (0.000505, -0.007443)) < 1e-3
    assert made.gripper[0] == 1


def test_pointing_down_is_bridges_zero_orientation():
    made = bridge.state(observation(ee=TOP_DOWN, opening=0.25))
    # 5.425 mm back along the TCP's x, which points down here
    assert np.allclose(made, [0.3, 0.0, 0.2 + 0.005425, 0, 0, 0, 0.25], atol=1e-12)


@given(arrays(np.float64, 3, elements=st.floats(-1.2, 1.2)))
def test_a_turn_away_from_pointing_down_comes_back_as_its_angles(euler):
    from scipy.spatial.transform import Rotation

    turned = Rotation.from_euler("xyz", euler) * TOP_DOWN.rotation()
    made = bridge.state(observation(ee=Pose(TOP_DOWN.position, quaternion_from_rotation(turned))))
    assert np.allclose(made[3:6], euler, atol=1e-9)


def test_the_position_is_that_of_the_gripper_link():
    joints = np.array([0.3, -0.4, 0.5, 0.2, 0.6, -0.1])
    made = bridge.state(observation(ee=ARM.kinematics.link_pose(joints, "tcp")))
    assert np.allclose(made[:3], ARM.kinematics.link_pose(joints, "ee_gripper_link").position, atol=1e-9)


def test_a_scaled_state_by_hand():
    middle = Pose(np.array([0.30, 0.0, 0.10 - 0.005425]), TOP_DOWN.quaternion)
    made = bridge.scaled_state(observation(ee=middle, opening=1.0))
    # 2 (v - p01) / (p99 - p01) - 1 with the facts' numbers, worked out by hand to four digits
    assert made == pytest.approx([-0.0811, -0.1613, 0.2279, -0.01775, 0.3245, -0.1530, 0.9780], abs=2e-4)
