import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchstone.cameras import preset
from touchstone.geometry import Pose, look_at

coordinate = st.floats(-2, 2)
quaternions = (
    st.lists(st.floats(-1, 1), min_size=4, max_size=4)
    .map(np.array)
    .filter(lambda q: np.linalg.norm(q) > 1e-3)
    .map(lambda q: q / np.linalg.norm(q))
)
poses = st.builds(Pose, st.tuples(coordinate, coordinate, coordinate).map(np.array), quaternions)


@given(poses, poses)
def test_composition_agrees_with_matrices(a, b):
    assert np.allclose((a @ b).matrix(), a.matrix() @ b.matrix(), atol=1e-9)


@given(poses)
def test_inverse_undoes_a_pose(pose):
    assert np.allclose((pose @ pose.inverse()).matrix(), np.eye(4), atol=1e-9)


@given(poses)
def test_a_pose_survives_its_list_and_its_matrix(pose):
    assert np.array_equal(Pose.from_list(pose.to_list()).position, pose.position)
    assert np.allclose(Pose.from_matrix(pose.matrix()).matrix(), pose.matrix(), atol=1e-9)


def test_quaternions_are_scalar_first():
    quarter_turn_about_z = Pose(np.zeros(3), np.array([np.sqrt(0.5), 0, 0, np.sqrt(0.5)]))
    assert np.allclose(quarter_turn_about_z.rotation().apply([1, 0, 0]), [0, 1, 0])


def test_look_at_puts_the_target_on_the_optical_axis_with_up_upwards():
    camera = look_at((0.1, -0.2, 0.5), (0.4, -0.05, -0.1))
    target = camera.inverse().matrix() @ [0.4, -0.05, -0.1, 1]
    assert np.allclose(target[:2], 0) and target[2] > 0
    assert (camera.inverse().rotation().apply([0, 0, 1]))[1] < 0  # y points down


def test_grinningface_camera_is_the_published_one():
    model = preset("grinningface")
    assert abs(model.K[1, 1] - 350.8) < 0.05  # vertical fov 1.2 rad at 480 lines
    target_in_base = np.array([0.15, 0.65, 0.0]) - np.array([-0.25, 0.70, 0.10])
    assert np.allclose(model.project(target_in_base), [[319.5, 239.5]])
