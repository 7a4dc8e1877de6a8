"""Round trip of one 640x480 RGB observation over loopback TCP: the policy server beside two plain ways to do it.

Run `python benchmarks/bench_wire.py`. Each peer is its own server process and answers one action; all three carry
the same picture and the same proprioception, in turns, in one run.

- `touchstone`: PolicyClient and PolicyServer, every check on, a policy that answers at once.
- `msgpack over ZMQ REQ/REP`: the whole observation as one msgpack map with the pictures as bytes.
- `pickle over a TCP socket`: multiprocessing.connection, what a first script does.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import msgpack
import numpy as np
import zmq
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from policy_server.client import PolicyClient
from policy_server.policies.hold import HoldPolicy
from policy_server.server import serve
from touchstone.cameras import preset
from touchstone.geometry import Pose
from touchstone.spec import Brief
from touchstone.world import CameraFrame, GripperState, JointState, Observation

WARM_UP, ROUNDS = 50, 500


def main() -> None:
    observations = [_observation(k) for k in range(8)]
    ways = {"touchstone": _touchstone, "msgpack over ZMQ REQ/REP": _msgpack, "pickle over a TCP socket": _pickle}
    asks, closes = {}, []
    for name, way in ways.items():
        asks[name], close = way()
        closes.append(close)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for k in range(WARM_UP + ROUNDS):
        for name, ask in asks.items():
            began = time.perf_counter()
            ask(observations[k % len(observations)])
            if k >= WARM_UP:
                times[name].append((time.perf_counter() - began) * 1e3)
    for close in closes:
        close()
    table = Table(title=f"640x480 RGB observation, loopback TCP, {ROUNDS} round trips", title_justify="left")
    for column in ("way", "p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, ms in times.items():
        table.add_row(name, f"{np.percentile(ms, 50):.2f}", f"{np.percentile(ms, 99):.2f}")
    Console().print(table)


def _observation(number: int) -> Observation:
    image = np.random.default_rng(number).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    return Observation(
        id=number,
        episode="bench",
        step=0,
        stamp_ns=number,
        clock="sim",
        cameras={"scene": CameraFrame(image, number, "sim", preset("grinningface"))},
        joints=JointState(tuple("abcdef"), np.zeros(6), np.zeros(6), np.zeros(6)),
        ee=Pose.identity(),
        ee_commanded=Pose.identity(),
        gripper=GripperState(1.0, 0.07),
        instruction="Touch cat.",
    )


def _started(target: Callable) -> tuple[multiprocessing.Process, str]:
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=target, args=(far,), daemon=True)
    process.start()
    return process, near.recv()


def _touchstone() -> tuple[Callable, Callable]:
    process, url = _started(_serve_touchstone)
    client = PolicyClient(url)
    client.reset(Brief(episode="bench", task="bench", instruction="", rate_hz=5.0, step_limit=1, seed=0))

    def close() -> None:
        client.close()
        process.terminate()
        process.join()

    return client.infer, close


def _serve_touchstone(ready: Connection) -> None:
    serve(HoldPolicy(), "tcp://127.0.0.1:0", ready.send)


def _msgpack() -> tuple[Callable, Callable]:
    process, url = _started(_serve_msgpack)
    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    socket.connect(url)

    def ask(observation: Observation) -> np.ndarray:
        socket.send(msgpack.packb(_plain(observation, lambda image: (image.shape, image.tobytes()))))
        return np.array(msgpack.unpackb(socket.recv())["action"])

    def close() -> None:
        context.destroy(linger=0)
        process.terminate()
        process.join()

    return ask, close


def _serve_msgpack(ready: Connection) -> None:
    socket = zmq.Context().socket(zmq.REP)
    ready.send(f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}")
    while True:
        shape, data = msgpack.unpackb(socket.recv())["image"]
        np.frombuffer(data, np.uint8).reshape(shape)
        socket.send(msgpack.packb({"action": [0.0] * 7}))


def _pickle() -> tuple[Callable, Callable]:
    process, port = _started(_serve_pickle)
    link = Client(("127.0.0.1", int(port)))

    def ask(observation: Observation) -> np.ndarray:
        link.send(_plain(observation, lambda image: image))
        return link.recv()

    def close() -> None:
        link.close()
        process.join()

    return ask, close


def _serve_pickle(ready: Connection) -> None:
    with Listener(("127.0.0.1", 0)) as listener:
        ready.send(str(listener.address[1]))
        link = listener.accept()
        try:
            while True:
                link.recv()
                link.send(np.zeros(7))
        except EOFError:
            pass


def _plain(observation: Observation, picture: Callable) -> dict:
    return {
        "image": picture(observation.cameras["scene"].image),
        "joints": observation.joints.position.tolist(),
        "ee": observation.ee.to_list(),
        "instruction": observation.instruction,
    }


if __name__ == "__main__":
    main()
