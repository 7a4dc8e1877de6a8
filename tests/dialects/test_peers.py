"""The dialects against the real packages, which live in a venv of their own (`.venv-peers`, see benchmarks/peers.txt).

openpi-client has openpi's client and codec and no server: `OPENPI_SERVER` is ours, after openpi's documents, over their
codec. vla-eval has both sides: `VLA_EVAL_SERVER` is a policy of ours in their server.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from policy_server.dialects.openpi_client import connect as connect_openpi
from policy_server.dialects.pictures import fit
from policy_server.dialects.vla_eval_client import connect as connect_vla_eval
from tests.dialects.fronts import serving
from tests.policy_server import samples
from touchstone.errors import ContractMismatch, PolicyFailure

PEERS = Path(__file__).parents[2] / ".venv-peers/bin/python"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not PEERS.exists(), reason="the real packages are not installed: there is no .venv-peers"),
]

OPENPI_CLIENT = """
import json, sys
import numpy as np
from openpi_client.websocket_client_policy import WebsocketClientPolicy
from openpi_client.action_chunk_broker import ActionChunkBroker
policy = WebsocketClientPolicy("127.0.0.1", int(sys.argv[1]))
def ask(prompt, state=np.float32([.3, 0, .2, 0, 0, 0, .75])):
    image = np.full((48, 64, 3), 100, np.uint8)
    return policy.infer({"observation/image": image, "observation/state": state, "prompt": prompt})
first = ask("Touch cat.")
out = {"metadata": policy.get_server_metadata(), "dtype": str(first["actions"].dtype)}
out["rows"] = [ask(prompt)["actions"].tolist() for prompt in ("Touch cat.", "Touch dog.")]
out["infer_ms"] = first["server_timing"]["infer_ms"]
broker = ActionChunkBroker(policy, 1)
image = np.full((48, 64, 3), 100, np.uint8)
out["broker"] = broker.infer(
    {"observation/image": image, "observation/state": np.zeros(7), "prompt": "Touch cat."}
)["actions"].tolist()
try:
    ask("Touch cat.", np.zeros(3))
except RuntimeError as error:
    out["error"] = str(error)
print(json.dumps(out))
"""

OPENPI_SERVER = """
import traceback
import numpy as np
from openpi_client import msgpack_numpy
from websockets.sync.server import serve

def infer(observation):
    image, state = observation["observation/image"], observation["observation/state"]
    assert image.dtype == np.uint8 and state.dtype == np.float32 and state.shape == (8,)
    rows = np.zeros((10, 7), np.float32)
    rows[:, 0] = image[112].mean() / 255
    rows[:, 1] = state[0]
    rows[:, 6] = -1.0
    if observation["prompt"] == "fail":
        raise KeyError("observation/wrist_image")
    return {"actions": rows, "server_timing": {"infer_ms": np.float64(3.5)}}

def handle(socket):
    packer = msgpack_numpy.Packer()
    socket.send(packer.pack({"model": "pi0_libero", "norm": np.float32(2.5)}))
    for message in socket:
        try:
            socket.send(packer.pack(infer(msgpack_numpy.unpackb(message))))
        except Exception:
            socket.send(traceback.format_exc())
            socket.close(1011)

with serve(handle, "127.0.0.1", 0, compression=None, max_size=None) as server:
    print(server.socket.getsockname()[1], flush=True)
    server.serve_forever()
"""

VLA_EVAL_SERVER = """
import sys
import anyio
import numpy as np
from vla_eval.model_servers.predict import PredictModelServer
from vla_eval.model_servers.serve import serve_async
from vla_eval import specs

class Echo(PredictModelServer):
    episodes = 0
    def get_action_spec(self):
        return {"position": specs.POSITION_DELTA, "rotation": specs.ROTATION_AA, "gripper": specs.GRIPPER_01}
    def get_observation_spec(self):
        return {"image": specs.IMAGE_RGB, "language": specs.LANGUAGE}
    def get_observation_params(self):
        return {"send_state": True}
    async def on_episode_start(self, config, ctx):
        self.episodes += 1
        self.task = config["task"]["task_description"]
        await super().on_episode_start(config, ctx)
    def predict(self, obs, ctx):
        if obs["task_description"] == "fail":
            raise KeyError("no such key")
        image = obs["images"]["primary"]
        assert image.dtype == np.uint8 and image.shape == (480, 640, 3) and obs["task_description"] == self.task
        row = np.array([image.mean() / 255, obs["state"][0], self.episodes, 0, 0, ctx.step, 1.0])
        return {"actions": np.tile(row, (4, 1))}

async def main():
    async with anyio.create_task_group() as group:
        size = int(sys.argv[1]) or None
        print(await group.start(serve_async, Echo(chunk_size=size), "127.0.0.1", 0), flush=True)

anyio.run(main)
"""


@contextmanager
def peer(program: str, *arguments: str):
    """Runs a server in the peers' venv; yields the port it prints."""
    process = subprocess.Popen([PEERS, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_the_real_openpi_client_asks_our_server():
    with serving("tests.dialects.policies:Reports") as (_, port):
        done = subprocess.run([PEERS, "-c", OPENPI_CLIENT, str(port)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["metadata"]["policy"] == "reports" and told["dtype"] == "float64" and told["infer_ms"] > 0
    assert told["rows"][0][0] == pytest.approx([100, 1, 0.3, 0, 0, 0, 0.75])
    assert told["rows"][1][0][1] == 2 and told["broker"][1] == 3
    assert "Error in inference server" in told["error"] and "it has 3 numbers" in told["error"]


def test_our_client_asks_a_server_with_openpis_own_codec():
    with peer(OPENPI_SERVER) as port:
        policy = connect_openpi(f"openpi://127.0.0.1:{port}?mapping=libero")
        assert policy.metadata == {"model": "pi0_libero", "norm": 2.5}
        policy.reset(samples.BRIEF)
        observation = samples.observation()
        chunk = policy.infer(observation)
        seen = fit(observation.cameras["scene"].image, 224, 224, "pad")[112].mean() / 255
        assert chunk.actions.shape == (10, 6) and chunk.timing.infer_ms == 3.5
        assert chunk.actions[0, :2] / 0.05 == pytest.approx([seen, 0.3], rel=1e-5)
        assert chunk.gripper == pytest.approx(np.ones(10))
        with pytest.raises(PolicyFailure, match="KeyError: 'observation/wrist_image'"):
            policy.infer(samples.observation(instruction="fail"))
        policy.reset(samples.BRIEF)
        assert policy.infer(samples.observation(2)).answers == 2
        policy.close()


def test_our_client_asks_a_real_vla_eval_model_server():
    with peer(VLA_EVAL_SERVER, "4") as port:
        policy = connect_vla_eval(f"vla-eval://127.0.0.1:{port}")
        assert policy.server["harness_version"] == "0.8.0" and policy.server["model_server"] == "Echo"
        observation = samples.observation()
        for episode in (1, 2):
            policy.reset(samples.BRIEF)
            chunk = policy.infer(observation)
            assert chunk.length == 1 and chunk.gripper == [1.0]
            expected = [observation.cameras["scene"].image.mean() / 255, 0.3, episode, 0, 0, 0]
            assert chunk.actions[0] == pytest.approx(expected, rel=1e-5)
            assert policy.infer(samples.observation(2)).actions[0, 5] == 0, "the second row of the server's own chunk"
        with pytest.raises(ContractMismatch, match="answers axis_angle rotations and the mapping says euler_xyz"):
            connect_vla_eval(f"vla-eval://127.0.0.1:{port}?mapping=simpler")
        policy.close()


def test_a_real_vla_eval_server_may_answer_chunks_and_errors():
    with peer(VLA_EVAL_SERVER, "0") as port:
        policy = connect_vla_eval(f"vla-eval://127.0.0.1:{port}?chunk_length=4&execute=2")
        policy.reset(samples.BRIEF)
        assert policy.infer(samples.observation()).length == 4
        with pytest.raises(PolicyFailure, match="observation_failed: KeyError"):
            policy.infer(samples.observation(2, instruction="fail"))
        assert policy.infer(samples.observation(3)).answers == 3
        policy.close()


PAD = """
import sys
import numpy as np
from openpi_client.image_tools import resize_with_pad
arrays = np.load(sys.argv[1])
np.savez(sys.argv[2], **{n: resize_with_pad(a, *map(int, n.split("_")[1:])) for n, a in arrays.items()})
"""


def test_pictures_are_padded_pixel_for_pixel_as_openpi_pads_them(tmp_path):
    generator = np.random.default_rng(0)
    images = {}
    for rows, columns, height, width in [(480, 640, 224, 224), (640, 480, 224, 224), (31, 97, 64, 50), (8, 9, 33, 20)]:
        images[f"{rows}x{columns}_{height}_{width}"] = generator.integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    np.savez(tmp_path / "in.npz", **images)
    subprocess.run([PEERS, "-c", PAD, tmp_path / "in.npz", tmp_path / "out.npz"], check=True, timeout=120)
    theirs = np.load(tmp_path / "out.npz")
    for name, image in images.items():
        height, width = map(int, name.split("_")[1:])
        assert np.array_equal(fit(image, width, height, "pad"), theirs[name]), name
