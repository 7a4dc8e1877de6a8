"""Small servers that speak each dialect as its public source documents it, without a line of the code under test."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgpack
import numpy as np
import zmq
from websockets.sync.server import ServerConnection, serve

ROWS = np.tile(np.array([0.01, 0.0, -0.02, 0.0, 0.0, 0.1, 1.0], dtype=np.float32), (10, 1))


@contextmanager
def websocket_server(handle: Callable[[ServerConnection], None]) -> Iterator[int]:
    """Serves each connection with `handle` in a thread of its own; yields the port."""
    with serve(handle, "127.0.0.1", 0, compression=None, max_size=None, close_timeout=0.2) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join(10)


@contextmanager
def deaf_listener() -> Iterator[int]:
    """Accepts at the TCP level and never says a word: a half-open peer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def openpi_array(array: np.ndarray) -> dict:
    array = np.ascontiguousarray(array)
    return {b"__ndarray__": True, b"data": array.tobytes(), b"dtype": array.dtype.str, b"shape": array.shape}


class OpenpiServer:
    """answer: what is sent for the n-th question (from 0): bytes, text, None for silence, or an exception to raise.

    seen: the questions, arrays as maps. connections: how many were opened.
    """

    def __init__(self, answer=lambda n: openpi_answer(), metadata: object = None):
        self._answer, self._metadata = answer, {"model": "stand-in"} if metadata is None else metadata
        self.seen: list[dict] = []
        self.connections = 0

    def handle(self, connection: ServerConnection) -> None:
        self.connections += 1
        first = self._metadata
        connection.send(first if isinstance(first, (str, bytes)) else msgpack.packb(first))
        for message in connection:
            self.seen.append(msgpack.unpackb(message, strict_map_key=False))
            reply = self._answer(len(self.seen) - 1)
            if isinstance(reply, Exception):
                connection.socket.shutdown(socket.SHUT_RDWR)
                return
            if reply is not None:
                connection.send(reply)


def openpi_answer(rows: object = ROWS, **more) -> bytes:
    actions = openpi_array(rows) if isinstance(rows, np.ndarray) else rows
    return msgpack.packb({"actions": actions, "server_timing": {"infer_ms": 12.5}, **more})


def npy(array: np.ndarray) -> dict:
    stream = io.BytesIO()
    np.save(stream, array)
    return {"__ndarray_class__": True, "as_npy": stream.getvalue()}


def modality(keys: list[str], steps: int = 1) -> dict:
    return {
        "__ModalityConfig_class__": True,
        "as_json": {"modality_keys": keys, "delta_indices": list(range(steps)), "action_configs": None},
    }


class GrootServer:
    """answers: endpoint -> a function of the request's data to what is packed; None is silence for ever.

    seen: (endpoint, data) as they came. A REP socket in a thread, as GR00T's.
    """

    def __init__(self, answers: dict[str, Callable]):
        self._answers = {"ping": lambda _: {"status": "ok"}, "get_modality_config": lambda _: {}} | answers
        self.seen: list[tuple[str, dict]] = []
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self.port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> GrootServer:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(10)
        self._socket.close()
        self._context.term()

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._socket.poll(20):
                continue
            # ROUTER instead of REP, so that one question can stay without an answer
            peer, empty, message = self._socket.recv_multipart()
            request = msgpack.unpackb(message)
            self.seen.append((request["endpoint"], request.get("data")))
            reply = self._answers.get(request["endpoint"], lambda _: {"error": "Unknown endpoint"})(request.get("data"))
            if reply is not None:
                packed = reply if isinstance(reply, bytes) else msgpack.packb(reply)
                self._socket.send_multipart([peer, empty, packed])


class VlaEvalServer:
    """hello: the payload of its HELLO. answer: (n, seq, send) for the n-th observation.

    seen: every message, arrays as maps.
    """

    def __init__(self, answer=None, hello: dict | None = None, on_start=None):
        self._answer = answer or (lambda n, seq, send: send("action", {"actions": vla_array(ROWS[0])}, seq))
        self._hello = {"protocol_version": 1, "harness_version": "0.8.0", "capabilities": {}} | (hello or {})
        self._on_start = on_start
        self.seen: list[dict] = []

    def handle(self, connection: ServerConnection) -> None:
        def send(kind: str, payload: object, seq: object) -> None:
            connection.send(msgpack.packb({"type": kind, "payload": payload, "seq": seq, "timestamp": 0.0}))

        for raw in connection:
            message = msgpack.unpackb(raw)
            self.seen.append(message)
            if message["type"] == "hello":
                send("hello", self._hello, message["seq"])
            elif message["type"] == "episode_start" and self._on_start:
                self._on_start(message["seq"], send)
            elif message["type"] == "observation":
                count = sum(earlier["type"] == "observation" for earlier in self.seen) - 1
                self._answer(count, message["seq"], send)

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.seen]


def vla_array(array: np.ndarray) -> dict:
    return {"__ndarray__": True, "data": array.tobytes(), "dtype": array.dtype.str, "shape": list(array.shape)}
