"""Between our meanings and a server's numbers: the published facts, and that nothing is lost on the way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from policy_server.dialects import parts
from policy_server.dialects.mapping import Mapping, load_mapping, names
from policy_server.dialects.translate import chunk_from, question, rows_from
from tests.policy_server import samples
from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.policy import Chunk
from touchstone.robots.base import arm
from touchstone.safety.actions import form_problem
from touchstone.world import JointState

OBSERVATION = samples.observation()
TILTED = Pose(np.array([0.3, -0.1, 0.2]), quaternion_from_rotation(Rotation.from_rotvec([0.3, -1.2, 0.5])))


def read(dialect: str, name: str, row: list[float]) -> Chunk:
    return chunk_from(load_mapping(dialect, name), np.array([row], dtype=np.float32), OBSERVATION, 5.0)


def test_a_libero_action_is_in_units_of_its_controller():
    chunk = read("openpi", "libero", [1, 0, -0.5, 0, 0, 1, -1])
    assert chunk.kind == "target_delta" and chunk.dt == 0.2 and chunk.answers == OBSERVATION.id
    assert chunk.actions[0] == pytest.approx([0.05, 0, -0.025, 0, 0, 0.5])
    assert chunk.gripper == pytest.approx([1.0])
    assert read("openpi", "libero", [0] * 6 + [1.02]).gripper == [0.0]


def test_a_droid_action_is_joint_deltas_and_closes_over_one_half():
    chunk = read("openpi", "droid", [1, 0, 0, -1, 0, 0, 0.5, 0.51])
    assert chunk.kind == "joint_delta" and chunk.actions[0] == pytest.approx([0.2, 0, 0, -0.2, 0, 0, 0.1])
    assert chunk.gripper == [0.0] and read("openpi", "droid", [0] * 7 + [0.49]).gripper == [1.0]


@pytest.mark.parametrize(("dialect", "name"), [("openpi", "bridge"), ("groot", "widowx"), ("vla-eval", "simpler")])
def test_a_bridge_action_turns_by_euler_angles_and_opens_over_one_half(dialect, name):
    chunk = read(dialect, name, [0.01, 0, 0, 0.1, 0.2, 0.3, 0.51])
    expected = Rotation.from_euler("ZYX", [0.3, 0.2, 0.1]).as_rotvec()
    assert chunk.kind == "align2" and chunk.actions[0] == pytest.approx([0.01, 0, 0, *expected])
    assert chunk.gripper == [1.0]


def test_bridge_angles_are_zero_where_the_gripper_points_down():
    # SimplerEnv: euler(rotation @ R.T), which is zero for rotation = R
    poses = [Pose(np.zeros(3), quaternion_from_rotation(parts.BRIDGE_ZERO)), arm("wx250s").ready_tcp]
    for pose in poses:
        angles = parts.vector(("ee_euler_xyz_bridge",), samples.observation(ee=pose))
        assert angles == pytest.approx(np.zeros(3), abs=1e-6)


def test_a_question_holds_pictures_state_and_prompt_by_their_keys():
    asked = question(load_mapping("openpi", "libero"), OBSERVATION)
    assert asked.images["observation/image"].shape == (224, 224, 3) and asked.images["observation/image"].any()
    assert not asked.images["observation/wrist_image"].any()
    state = asked.state["observation/state"]
    assert state.dtype == np.float32 and state.shape == (8,)
    assert state[:3] == pytest.approx(OBSERVATION.ee.position)
    assert state[6:] == pytest.approx([OBSERVATION.gripper.width / 2, -OBSERVATION.gripper.width / 2])
    assert asked.prompt == OBSERVATION.instruction


def test_what_the_observation_lacks_is_said_in_one_sentence():
    mapping = load_mapping("openpi", "libero")
    with pytest.raises(ContractMismatch, match="wants camera 'scene' and the observation has no camera"):
        question(mapping, samples.observation(cameras={}))
    seventh = mapping.model_copy(
        update={"state": (mapping.state[0].model_copy(update={"parts": ("joint_position[6]",)}),)}
    )
    with pytest.raises(ContractMismatch, match="the arm has 6 joints"):
        question(seventh, OBSERVATION)


@pytest.mark.parametrize("rows", [np.zeros((3, 6)), np.zeros(7), np.zeros((1, 2, 7)), np.full((1, 7), "a")])
def test_another_shape_than_the_mapping_says_is_refused(rows):
    with pytest.raises(PolicyFailure, match="where its mapping says numbers of shape"):
        chunk_from(load_mapping("openpi", "libero"), rows, OBSERVATION, 5.0)


@pytest.mark.parametrize(("dialect", "name"), [("openpi", "libero"), ("openpi", "bridge"), ("openpi", "droid")])
def test_a_nan_reaches_the_embodiment_which_refuses_it(dialect, name):
    width = load_mapping(dialect, name).actions.width
    chunk = read(dialect, name, [np.nan] * width)
    assert np.isnan(chunk.actions).any() and np.isnan(chunk.gripper).all()


BUILT_IN = [(dialect, name) for dialect in ("openpi", "groot", "vla-eval") for name in names(dialect)]
NUMBERS = [np.float16, np.float32, np.float64, np.int8, np.uint64, np.bool_]


@pytest.mark.parametrize(("dialect", "name"), BUILT_IN)
@given(data=st.data())
def test_any_array_of_numbers_is_a_chunk_or_refused(dialect, name, data):
    mapping = load_mapping(dialect, name)
    shape = (data.draw(st.integers(0, 3)), data.draw(st.sampled_from([0, 6, mapping.actions.width])))
    rows = data.draw(hnp.arrays(st.sampled_from(NUMBERS), shape))
    with np.errstate(all="ignore"):
        try:
            chunk = chunk_from(mapping, rows, OBSERVATION, 5.0)
        except PolicyFailure:
            assert not len(rows) or rows.shape[1] != mapping.actions.width or rows.dtype == np.bool_
            return
    assert form_problem(chunk, 7 if name == "droid" else 6) is None


def mapping_for(kind: str, rotation: str | None) -> Mapping:
    actions = {"width": 9, "kind": kind, "gripper": {"column": 8, "closed": 1.0, "open": -1.0}}
    if kind.startswith("joint"):
        actions |= {"joints": [5, 4, 3, 2, 1, 0], "joint_scale": 0.2}
    else:
        columns = [3, 4, 5, 6] if rotation and rotation.startswith("quaternion") else [3, 4, 5]
        actions |= {"position": [2, 1, 0], "position_scale": 0.05}
        actions |= {"rotation": {"columns": columns, "format": rotation, "scale": 0.5}}
    return Mapping.model_validate({"actions": actions, "chunk_length": 8, "execute": 1})


KINDS = [("joint_abs", None), ("joint_delta", None)]
KINDS += [
    (kind, rotation)
    for kind in ("target_delta", "align2", "ee_abs")
    for rotation in ("rotation_vector", "euler_xyz", "quaternion_wxyz", "quaternion_xyzw")
]


@pytest.mark.parametrize(("kind", "rotation"), KINDS)
@given(
    numbers=hnp.arrays(np.float64, (4, 6), elements=st.floats(-1.5, 1.5)),
    gripper=hnp.arrays(np.float64, 4, elements=st.floats(0, 1)),
)
def test_what_a_server_of_ours_writes_a_client_of_ours_reads(kind, rotation, numbers, gripper):
    mapping = mapping_for(kind, rotation)
    actions = numbers
    if kind == "ee_abs":
        turns = Rotation.from_rotvec(numbers[:, 3:])
        actions = np.hstack([numbers[:, :3], [quaternion_from_rotation(turn) for turn in turns]])
    chunk = Chunk(answers=OBSERVATION.id, t0_ns=1, dt=0.2, kind=kind, actions=actions, gripper=gripper)
    again = chunk_from(mapping, rows_from(mapping, chunk), OBSERVATION, 5.0)
    assert again.gripper == pytest.approx(gripper)
    if kind == "ee_abs":
        assert again.actions[:, :3] == pytest.approx(actions[:, :3])
        same = np.abs((again.actions[:, 3:] * actions[:, 3:]).sum(axis=1))
        assert same == pytest.approx(np.ones(4))
    else:
        assert again.actions == pytest.approx(actions, abs=1e-6)


@pytest.mark.parametrize("rotation", ["rotation_vector", "euler_xyz", "quaternion_wxyz", "quaternion_xyzw", "bridge"])
def test_what_a_client_of_ours_sends_a_server_of_ours_reads(rotation):
    name = f"ee_{rotation}" if rotation != "bridge" else "ee_euler_xyz_bridge"
    listed = (name, "joint_position", "gripper_closing", "zero", "ee_position[2]", "ee_position[0]", "ee_position[1]")
    known = parts.read_back([(listed, parts.vector(listed, samples.observation(ee=TILTED)))])
    assert known.ee.position == pytest.approx(TILTED.position)
    assert (known.ee.rotation().inv() * TILTED.rotation()).magnitude() == pytest.approx(0, abs=1e-9)
    assert known.joints == pytest.approx(OBSERVATION.joints.position)
    assert known.opening == pytest.approx(OBSERVATION.gripper.opening)
    assert known.commanded is None and np.isnan(known.width)


@given(st.lists(st.sampled_from(list(parts.PARTS)), min_size=1, max_size=5, unique=True), st.integers(-3, 3))
def test_a_vector_of_another_length_is_never_read(listed, more):
    six = samples.observation(joints=JointState(tuple("abcdef"), *np.zeros((3, 6))))
    length = len(parts.vector(tuple(listed), six)) + more
    if length < 0:
        return
    if more == 0 or ("joint_position" in listed and more >= -6):
        parts.read_back([(tuple(listed), np.zeros(length))])
    else:
        with pytest.raises(ValueError, match="numbers"):
            parts.read_back([(tuple(listed), np.zeros(length))])
