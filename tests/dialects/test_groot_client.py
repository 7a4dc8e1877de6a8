"""GR00T's ZMQ as a policy, against a server that speaks it and against ones that do not."""

import io
import json

import numpy as np
import pytest

from policy_server.dialects.groot_client import connect
from policy_server.dialects.parts import BRIDGE_ZERO
from tests.dialects.servers import GrootServer, deaf_listener, modality, npy
from tests.policy_server import samples
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure, UsageError
from touchstone.geometry import Pose, quaternion_from_rotation


def seen(number: int = 1):
    """Down as a Bridge gripper is, where its Euler angles are zero."""
    down = Pose(samples.READY.position, quaternion_from_rotation(BRIDGE_ZERO))
    return samples.observation(number, ee=down)


OBSERVATION = seen()
KEYS = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")
WIDOWX = {
    "video": modality(["image_0"]),
    "state": modality(["x", "y", "z", "roll", "pitch", "yaw", "pad", "gripper"]),
    "action": modality(list(KEYS), 8),
    "language": modality(["annotation.human.action.task_description"]),
}


def n16_answer(steps: int = 8, value: float = 0.01) -> list:
    return [{key: npy(np.full((1, steps, 1), value, dtype=np.float32)) for key in KEYS}, {}]


def n16(**changes) -> GrootServer:
    return GrootServer(
        {
            "reset": lambda data: {},
            "get_action": lambda data: n16_answer(),
            "get_modality_config": lambda _: WIDOWX,
        }
        | changes
    )


def meet(server: GrootServer, mapping: str = "widowx"):
    policy = connect(f"groot://127.0.0.1:{server.port}?mapping={mapping}")
    policy.reset(samples.BRIEF)
    return policy


def test_a_groot_server_is_a_policy():
    with n16() as server:
        policy = meet(server)
        chunk = policy.infer(OBSERVATION)
        policy.close()
        policy.close()
    assert policy.contract.chunk_length == 8 and policy.contract.action_kind == "align2"
    assert chunk.actions.shape == (8, 6) and chunk.actions[0, :3] == pytest.approx([0.01] * 3)
    assert chunk.gripper == pytest.approx(np.zeros(8))
    assert [name for name, _ in server.seen] == ["ping", "get_modality_config", "reset", "get_action"]
    asked = server.seen[-1][1]["observation"]
    assert server.seen[-1][1]["options"] is None
    assert asked["language"] == {"annotation.human.action.task_description": [[OBSERVATION.instruction]]}
    image = np.load(io.BytesIO(asked["video"]["image_0"]["as_npy"]))
    assert image.shape == (1, 1, 480, 640, 3) and image.dtype == np.uint8
    x = np.load(io.BytesIO(asked["state"]["x"]["as_npy"]))
    assert x.shape == (1, 1, 1) and x.dtype == np.float32 and x.item() == pytest.approx(OBSERVATION.ee.position[0])


FLAT = """
images: [{key: webcam, width: 320, height: 240}]
state: [{key: arm, parts: [joint_position]}, {key: gripper, parts: [gripper_opening]}]
prompt_key: annotation.human.task_description
nested: false
actions: {keys: [arm, gripper], kind: joint_abs, width: 7, joints: [0, 1, 2, 3, 4, 5],
          gripper: {column: 6, closed: 0, open: 1}}
chunk_length: 16
execute: 8
"""


def test_an_n15_server_is_a_policy_too(tmp_path):
    (tmp_path / "flat.yaml").write_text(FLAT)

    def config(keys, steps=1):
        text = json.dumps({"modality_keys": keys, "delta_indices": list(range(steps))})
        return {"__ModalityConfig_class__": True, "as_json": text}

    answers = {
        "get_modality_config": lambda _: {
            "video": config(["video.webcam"]),
            "state": config(["state.arm", "state.gripper"]),
            "action": config(["action.arm", "action.gripper"], 16),
            "language": config(["annotation.human.task_description"]),
        },
        "get_action": lambda data: {"action.arm": npy(np.ones((16, 6))), "action.gripper": npy(np.zeros(16))},
    }
    with GrootServer(answers) as server:
        policy = meet(server, f"{tmp_path}/flat.yaml")
        chunk = policy.infer(OBSERVATION)
        policy.close()
    assert chunk.actions.shape == (16, 6) and chunk.gripper == pytest.approx(np.zeros(16))
    assert [name for name, _ in server.seen] == ["ping", "get_modality_config", "get_action"]
    asked = server.seen[-1][1]
    assert asked.keys() == {"video.webcam", "state.arm", "state.gripper", "annotation.human.task_description"}
    assert asked["annotation.human.task_description"] == [OBSERVATION.instruction]


def test_a_server_that_declares_nothing_is_taken_at_its_mappings_word():
    with n16(get_modality_config=lambda _: {}) as server:
        policy = meet(server)
        assert policy.contract.chunk_length == 8 and policy.infer(OBSERVATION).length == 8
        policy.close()


@pytest.mark.parametrize(
    ("modalities", "says"),
    [
        (WIDOWX | {"video": modality(["image_0", "wrist"])}, "has video image_0, wrist"),
        (WIDOWX | {"state": modality(["joints"])}, "has state joints"),
        (WIDOWX | {"action": modality(["joints"], 8)}, "has action joints"),
        (WIDOWX | {"language": modality(["annotation.human.task_description"])}, "has language"),
        (WIDOWX | {"video": modality(["image_0"], 2)}, "wants 2 steps of video"),
        (WIDOWX | {"action": modality(list(KEYS), 0)}, "answers 0 actions"),
    ],
)
def test_a_misfit_is_found_at_connect(modalities, says):
    with n16(get_modality_config=lambda _: modalities) as server, pytest.raises(ContractMismatch) as caught:
        meet(server)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"error": "CUDA out of memory\nmore"}, "CUDA out of memory"),
        (b"ERROR", "reports an error"),
        (b"\xc1", "no msgpack"),
        (n16_answer()[0], "no pair"),
        ([[], {}], "no map"),
        ([{**n16_answer()[0], "x": npy(np.zeros((8, 1)))}, {}], "not (1, steps, numbers)"),
        ([{**n16_answer()[0], "x": npy(np.zeros((2, 8, 1)))}, {}], "not (1, steps, numbers)"),
        ([{**n16_answer()[0], "x": npy(np.zeros((1, 7, 1)))}, {}], "differ in length"),
        ([{key: value for key, value in n16_answer()[0].items() if key != "yaw"}, {}], "no yaw"),
        ([{**n16_answer()[0], "x": [1.0] * 8}, {}], "list and no array"),
        ([{**n16_answer()[0], "x": npy(np.zeros((1, 8, 1), dtype="f4,f4"))}, {}], "not carried"),
        (n16_answer(9), "9 actions where its contract says 8"),
    ],
)
def test_a_wrong_answer_is_one_sentence_and_the_next_question_is_asked(answer, says):
    answers = [answer, n16_answer()]
    with n16(get_action=lambda data: answers.pop(0)) as server:
        policy = meet(server)
        with pytest.raises(PolicyFailure) as caught:
            policy.infer(OBSERVATION)
        assert policy.infer(seen(2)).answers == 2
        policy.close()
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_after_a_timeout_a_fresh_socket_asks_anew():
    answers = [None, n16_answer()]
    with n16(get_action=lambda data: answers.pop(0)) as server:
        policy = meet(server)
        with pytest.raises(DeadlineExceeded, match="did not answer 'get_action' in time"):
            policy.infer(OBSERVATION, 100)
        assert policy.infer(seen(2)).answers == 2
        policy.close()


def test_a_server_gone_in_mid_episode_is_one_sentence():
    with n16() as server:
        policy = meet(server)
        policy.infer(OBSERVATION)
    with pytest.raises(PolicyFailure, match="in time"):
        policy.infer(seen(2), 200)
    policy.close()
    with pytest.raises(PolicyFailure, match="closed"):
        policy.infer(OBSERVATION)


def test_silence_at_connect_is_given_up_in_time():
    with (
        deaf_listener() as port,
        pytest.raises(UsageError, match=r"did not answer 'ping' in time.*; start one"),
    ):
        connect(f"groot://127.0.0.1:{port}?mapping=widowx", 0.2)
    with n16(ping=lambda _: None) as server, pytest.raises(UsageError, match="did not answer 'ping' in time"):
        connect(f"groot://127.0.0.1:{server.port}?mapping=widowx", 0.2)


def test_the_server_is_never_told_to_end():
    with n16() as server:
        policy = meet(server)
        policy.infer(OBSERVATION)
        policy.close()
    assert "kill" not in [name for name, _ in server.seen]
