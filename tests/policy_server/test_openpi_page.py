"""The adapter in docs/openpi-server.md, as printed, against a server that speaks openpi's websocket protocol."""

import re
import threading
from pathlib import Path

import msgpack
import numpy as np
import pytest

from tests.policy_server import samples
from touchstone.spec import Brief

websockets_server = pytest.importorskip("websockets.sync.server")
PAGE = Path(__file__).parents[2] / "docs/openpi-server.md"


@pytest.fixture
def openpi_server():
    seen = []

    def serve(socket):
        socket.send(msgpack.packb({"policy": "stand-in"}))
        for message in socket:
            seen.append(msgpack.unpackb(message, strict_map_key=False))
            actions = np.zeros((10, 7), dtype=np.float32)
            actions[:, 2], actions[:, 6] = -0.01, 1.0
            array = {b"__ndarray__": True, b"data": actions.tobytes(), b"dtype": "<f4", b"shape": actions.shape}
            socket.send(msgpack.packb({"actions": array}))

    with websockets_server.serve(serve, "127.0.0.1", 0, compression=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1], seen
        server.shutdown()
        thread.join(10)


def test_the_printed_adapter_turns_an_openpi_server_into_a_policy(openpi_server):
    port, seen = openpi_server
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL).group(1)
    module: dict = {}
    exec(code.replace("127.0.0.1:8000", f"127.0.0.1:{port}"), module)
    policy = module["OpenpiPolicy"]()
    policy.reset(Brief(episode="e", task="touch-emoji", instruction="Touch squid.", rate_hz=5, step_limit=60, seed=0))
    observation = samples.observation()
    chunk = policy.infer(observation)
    policy.socket.close()
    assert chunk.actions.shape == (10, 6) and np.allclose(chunk.actions[:, 2], -0.01) and chunk.dt == 0.2
    assert seen[0]["prompt"] == observation.instruction
    image = seen[0]["observation/image"]
    assert image[b"data"] == observation.cameras["scene"].image.tobytes()
