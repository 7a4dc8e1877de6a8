"""Any server with GR00T's ZMQ protocol as a policy: `groot://127.0.0.1:5555?mapping=widowx`.

The wire, as in Isaac-GR00T's gr00t/policy/server_client.py (N1.6, N1.7), gr00t/eval/service.py (N1.5) and starVLA's
tools/zmq_policy_server.py: REQ/REP, one msgpack map each way, {"endpoint", "data"}, errors as {"error": text}. Nothing
carries an id, so a socket whose answer is late is given up for a fresh one. `kill` is never sent.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import zmq

from policy_server.dialects.address import Address, parse_address
from policy_server.dialects.codecs import pack_groot, unpack_groot
from policy_server.dialects.remote import CONNECT_S, Answer, RemotePolicy, first_line, meeting, rows_of
from policy_server.dialects.translate import Question
from policy_server.link import OwnContext
from policy_server.wire import MAX_MESSAGE_BYTES, WireError
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure
from touchstone.spec import Brief


def connect(url: str, timeout_s: float = CONNECT_S) -> GrootPolicy:
    """The policy served at `url`, after its ping and modality configuration. Raises UsageError or ContractMismatch."""
    return GrootPolicy(parse_address(url, "groot"), timeout_s)


class GrootPolicy(RemotePolicy):
    """Serves one robot: batches of one."""

    def __init__(self, address: Address, timeout_s: float = CONNECT_S):
        super().__init__(address)
        self._context = OwnContext()
        self._socket: zmq.Socket | None = None
        deadline = time.monotonic() + timeout_s
        try:
            with meeting(address, "start one with GR00T's run_gr00t_server.py"):
                pong = self._call("ping", None, deadline)
                if not isinstance(pong, dict):
                    raise WireError("It answers a ping with no map.")
                modalities = self._call("get_modality_config", None, deadline)
            self.contract = self._declare(self._agree(modalities))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._drop()
        self._context.term()

    def _begin(self, brief: Brief, deadline: float) -> None:
        if self._mapping.nested:  # N1.5 has no reset
            self._call("reset", {"options": None}, deadline)

    def _ask(self, asked: Question, deadline: float) -> Answer:
        answer = self._call("get_action", self._observation(asked), deadline)
        if self._mapping.nested:
            if not isinstance(answer, list) or len(answer) != 2:
                raise WireError("It answers no pair of actions and info, as GR00T from N1.6 on does.")
            answer = answer[0]
        if not isinstance(answer, dict):
            raise WireError("It answers no map of actions.")
        keys = [key if self._mapping.nested else f"action.{key}" for key in self._mapping.actions.keys]
        missing = [key for key in keys if key not in answer]
        if missing:
            raise WireError(f"It answers {', '.join(str(k)[:40] for k in list(answer)[:10])} and no {missing[0]}.")
        arrays = [_rows(answer[key], self._mapping.nested) for key in keys]
        if len({len(array) for array in arrays}) > 1:
            raise WireError("Its action arrays differ in length.")
        return Answer(np.hstack(arrays))

    def _observation(self, asked: Question) -> dict[str, Any]:
        language = self._mapping.prompt_key
        if not self._mapping.nested:  # N1.5: one map, time first
            return {
                **{f"video.{key}": image[None] for key, image in asked.images.items()},
                **{f"state.{key}": vector[None] for key, vector in asked.state.items()},
                language: [asked.prompt],
            }
        observation = {
            "video": {key: image[None, None] for key, image in asked.images.items()},
            "state": {key: vector[None, None] for key, vector in asked.state.items()},
            "language": {language: [[asked.prompt]]},
        }
        return {"observation": observation, "options": None}

    def _call(self, endpoint: str, data: dict | None, deadline: float) -> Any:
        request = {"endpoint": endpoint} if data is None else {"endpoint": endpoint, "data": data}
        try:
            reply = self._exchange(pack_groot(request), deadline)
        except zmq.Again as error:
            raise DeadlineExceeded(
                f"The server at {self._address.url} did not answer '{endpoint}' in time; it is slow, or gone."
            ) from error
        if reply == b"ERROR":
            raise PolicyFailure(f"The server at {self._address.url} reports an error; its log says why.")
        answer = unpack_groot(reply)
        if isinstance(answer, dict) and "error" in answer:
            raise PolicyFailure(
                f"The server at {self._address.url} reports an error in '{endpoint}': {first_line(answer['error'])}"
            )
        return answer

    def _exchange(self, message: bytes, deadline: float) -> bytes:
        """Raises zmq.Again when the time is up; a socket in mid-question is never used again."""
        if self._context.closed:
            raise PolicyFailure(f"The link to the server at {self._address.url} is closed.")
        if self._socket is None:
            self._socket = self._open()
        socket, done = self._socket, False
        try:
            socket.setsockopt(zmq.SNDTIMEO, _left_ms(deadline))
            socket.send(message)
            socket.setsockopt(zmq.RCVTIMEO, _left_ms(deadline))
            frames = socket.recv_multipart()
            done = True
        finally:
            if not done:
                self._drop()
        if len(frames) != 1:
            raise WireError(f"It answers in {len(frames)} frames.")
        return frames[0]

    def _open(self) -> zmq.Socket:
        socket = self._context.socket(zmq.REQ)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.IMMEDIATE, 1),  # nothing is queued for a server that is not there
            (zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES),
            (zmq.IPV6, int(":" in self._address.host)),
        ):
            socket.setsockopt(option, value)
        socket.connect(f"tcp://{self._address.netloc}")
        return socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    def _agree(self, modalities: Any) -> int | None:
        """The chunk length that the server declares, None if it declares nothing. Raises ContractMismatch."""
        mapping = self._mapping
        told = modalities if isinstance(modalities, dict) else {}
        known = {name: _modality(told.get(name)) for name in ("video", "state", "language", "action")}
        ours = {
            "video": [slot.key for slot in mapping.images],
            "state": [slot.key for slot in mapping.state],
            "language": [mapping.prompt_key],
            "action": list(mapping.actions.keys),
        }
        for name, declared in known.items():
            if declared is None:
                continue
            theirs, steps = declared
            # what a server asks for must be sent; of what it answers, some may be left unread
            lacking = set(ours[name]) - set(theirs) if name == "action" else set(theirs) - set(ours[name])
            if lacking:
                raise ContractMismatch(
                    f"The server at {self._address.url} has {name} {', '.join(theirs)} and the mapping "
                    f"'{self._address.mapping_name}' has {', '.join(ours[name]) or 'none'}; write one that fits."
                )
            if name in ("video", "state") and steps > 1:
                raise ContractMismatch(
                    f"The server at {self._address.url} wants {steps} steps of {name} at once, and this client sends "
                    "the latest only."
                )
        length = known["action"][1] if known["action"] is not None else None
        if length is not None and length < mapping.execute:
            raise ContractMismatch(
                f"The server at {self._address.url} answers {length} actions and the mapping executes "
                f"{mapping.execute}; add `execute={length}` to the address."
            )
        return length


def _modality(value: Any) -> tuple[list[str], int] | None:
    """Keys (without N1.5's `video.` in front) and number of steps of a ModalityConfig; None for anything else."""
    if isinstance(value, dict) and "__ModalityConfig_class__" in value:
        value = value.get("as_json")
        try:
            value = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return None
    if not isinstance(value, dict):
        return None
    keys, steps = value.get("modality_keys"), value.get("delta_indices")
    if not isinstance(keys, list) or not isinstance(steps, list) or not all(isinstance(key, str) for key in keys):
        return None
    flat = ("video.", "state.", "action.")
    return [key.split(".", 1)[1] if key.startswith(flat) else key for key in keys], len(steps)


def _rows(values: Any, batched: bool) -> np.ndarray:
    """[N,D] of an action array: [1,N,D] batched; flat, [N,D] or [N] with one number a step."""
    if isinstance(values, np.ndarray) and not batched and values.ndim == 1:
        return values[:, None]
    if isinstance(values, np.ndarray) and batched and (values.ndim != 3 or values.shape[0] != 1):
        raise WireError(f"Its actions have shape {values.shape}, not (1, steps, numbers).")
    return rows_of(values)


def _left_ms(deadline: float) -> int:
    return max(0, round((deadline - time.monotonic()) * 1e3))
