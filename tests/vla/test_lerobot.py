"""A real LeRobot ACT, tiny and random, served by our script from LeRobot's interpreter and asked over the wire.

Needs an interpreter with LeRobot and what the script's header lists; LEROBOT_PYTHON names it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from policy_server.client import connect
from policy_server.vla import bridge, pictures
from tests.vla.samples import brief, observation

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "policy_server" / "vla" / "lerobot.py"
NEEDS = "import lerobot, torch, pydantic, scipy, tyro, zmq, msgpack, msgspec, prometheus_client"

pytestmark = pytest.mark.long


def run(python: str, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return subprocess.run([python, *arguments], env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def python() -> str:
    named = os.environ.get("LEROBOT_PYTHON", sys.executable)
    if run(named, "-c", NEEDS).returncode != 0:
        pytest.skip(f"LEROBOT_PYTHON names no interpreter with LeRobot and {SCRIPT.name}'s other needs")
    return named


@pytest.fixture(scope="module")
def checkpoints(python, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("lerobot")
    seen = observation()
    image = seen.cameras["scene"].image
    state = [*seen.ee.position, *seen.ee.rotation().as_rotvec(), seen.gripper.opening]
    given = {
        "act/observation.images.scene": pictures.unit(pictures.area(image, 64, 48)),
        "act/observation.state": np.array(state, dtype=np.float32),
        "act/observation.joints": seen.joints.position.astype(np.float32),
        "bridge/observation.images.scene": pictures.unit(pictures.lanczos(image, 224, 224)),
        "bridge/observation.state": bridge.scaled_state(seen).astype(np.float32),
    }
    np.savez(root / "observation.npz", **{key: value[None] for key, value in given.items()})
    made = run(python, str(Path(__file__).with_name("make_lerobot.py")), str(root))
    assert made.returncode == 0, made.stderr[-3000:]
    return root


@contextmanager
def served(python: str, checkpoint: Path, *options: str):
    """The address of a server of this checkpoint; the server ends with the block."""
    command = [python, str(SCRIPT), "--checkpoint", str(checkpoint), "--bind", "tcp://127.0.0.1:0", *options]
    # from another folder, so that the script must find the repository by itself
    process = subprocess.Popen(command, cwd=checkpoint.parent, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith("serving "), f"printed {line!r}"
        yield line.split(" on ")[1].strip()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@contextmanager
def client(address: str):
    policy = connect(address, timeout_s=120.0)
    try:
        yield policy
    finally:
        policy.close()


def test_a_checkpoint_answers_as_lerobot_itself(python, checkpoints):
    expected = np.load(checkpoints / "expected.npz")["act"]
    with served(python, checkpoints / "act", "--gripper", "continuous") as address, client(address) as policy:
        contract = policy.contract
        assert (contract.name, contract.action_kind) == ("lerobot-act", "target_delta")
        assert (contract.chunk_length, contract.execute, contract.rate_hz) == (6, 3, None)
        need = contract.cameras[0]
        assert (need.name, need.width, need.height, need.resize) == ("scene", 64, 48, "stretch")
        policy.reset(brief(rate_hz=20.0))
        chunk = policy.infer(observation())
        assert chunk.kind == "target_delta" and chunk.dt == pytest.approx(0.05)
        assert np.allclose(chunk.actions, expected[:, :6], atol=1e-5)
        assert np.allclose(chunk.gripper, np.clip(expected[:, 6], 0, 1), atol=1e-5)
        # another picture, another answer: the picture really reaches the model
        dark = observation(image=np.zeros((480, 640, 3), dtype=np.uint8))
        assert not np.allclose(policy.infer(dark).actions, chunk.actions, atol=1e-5)


def test_the_bridge_layout(python, checkpoints):
    raw = np.load(checkpoints / "expected.npz")["bridge"]
    motion = (raw[:, :6] + 1) / 2 * (bridge.ACTION.p99[:6] - bridge.ACTION.p01[:6]) + bridge.ACTION.p01[:6]
    motion[:, 3:] = Rotation.from_euler("xyz", motion[:, 3:]).as_rotvec()
    with served(python, checkpoints / "act-bridge", "--layout", "bridge") as address, client(address) as policy:
        contract = policy.contract
        assert (contract.action_kind, contract.rate_hz, contract.embodiments) == ("align2", 5.0, ("wx250s",))
        policy.reset(brief())
        chunk = policy.infer(observation())
        assert np.allclose(chunk.actions, motion, atol=1e-5)
        assert np.array_equal(chunk.gripper, raw[:, 6] > 0.5)


def test_two_clients_share_the_weights(python, checkpoints):
    with (
        served(python, checkpoints / "act", "--batch", "8") as address,
        client(address) as one,
        client(address) as other,
    ):
        one.reset(brief(1))
        other.reset(brief(2))
        first = one.infer(observation(3))
        assert np.allclose(other.infer(observation(3)).actions, first.actions, atol=1e-5)
        assert one.contract.batch == 8


BATCH = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from policy_server.vla.lerobot import connect
from tests.vla.samples import brief, observation
policy = connect(f"lerobot://{sys.argv[2]}?batch=4&device=cpu")
sessions = [policy.session() for _ in range(3)]
for k, session in enumerate(sessions):
    session.reset(brief(k))
seen = [observation(k, opening=k / 3) for k in range(3)]
together = policy.infer_batch(sessions, seen)
for session, each, chunk in zip(sessions, seen, together, strict=True):
    alone = session.infer(each)
    assert np.abs(alone.actions - chunk.actions).max() < 1e-5 and chunk.answers == each.id
assert np.abs(together[0].actions - together[1].actions).max() > 1e-4
print("equal")
"""


def test_a_batch_answers_as_one_by_one(python, checkpoints):
    done = run(python, "-c", BATCH, str(ROOT), str(checkpoints / "act"))
    assert done.stdout.strip().endswith("equal"), done.stderr[-3000:]


SIGNED = """
import sys
import numpy as np
import torch
sys.path.insert(0, sys.argv[1])
from types import SimpleNamespace
from lerobot.policies.pi0.modeling_pi0 import PI0Policy
from policy_server.vla import pictures
image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
config = SimpleNamespace(image_features=["observation.images.top"], image_resolution=(224, 224))
owner = SimpleNamespace(config=config, parameters=lambda: iter([torch.zeros(1)]))
seen, _ = PI0Policy._preprocess_images(owner, {"observation.images.top": torch.from_numpy(pictures.unit(image))[None]})
assert np.allclose(seen[0][0].numpy(), pictures.signed(image), atol=1e-6)
print("equal")
"""


def test_lerobots_pi0_scales_a_unit_picture_to_what_int_act_gives_it(python):
    done = run(python, "-c", SIGNED, str(ROOT))
    if "transformers" in done.stderr and "Error" in done.stderr:
        pytest.skip("this LeRobot has not what its pi0 needs")
    assert done.stdout.strip().endswith("equal"), done.stderr[-3000:]


CONNECT = """
import sys
sys.path.insert(0, sys.argv[1])
from policy_server.vla.lerobot import connect
from touchstone.errors import TouchstoneError
try:
    connect(sys.argv[2])
except TouchstoneError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("wide", "has 6 numbers in 'observation.state' and the layout 'touchstone' has 7"),
        ("act?layout=bridge", "wants observation.joints, which the layout 'bridge' has not"),
        ("act?execute=7", "predicts 6 actions; execute at most as many"),
        ("bare", "has no processors"),
        ("empty", "could not be loaded"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_in_one_sentence(python, checkpoints, path, sentence):
    (checkpoints / "empty").mkdir(exist_ok=True)
    if path == "bare":
        (checkpoints / "bare").mkdir(exist_ok=True)
        for name in ("config.json", "model.safetensors"):
            (checkpoints / "bare" / name).write_bytes((checkpoints / "act" / name).read_bytes())
    done = run(python, "-c", CONNECT, str(ROOT), f"lerobot://{checkpoints}/{path}")
    assert done.stdout.startswith("UsageError ") and sentence in done.stdout, done.stdout + done.stderr[-2000:]
