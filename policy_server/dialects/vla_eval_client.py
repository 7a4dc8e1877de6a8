"""Any vla-eval model server as a policy: `vla-eval://127.0.0.1:8000`.

The wire, as in vla_eval 0.8.0 (protocol/messages.py, model_servers/serve.py): websocket, one msgpack map a message with
type, payload, seq and timestamp. HELLO is answered by HELLO; an OBSERVATION by an ACTION or ERROR with its seq;
EPISODE_START and EPISODE_END by nothing, or by an ERROR. A late answer is known by its seq and dropped.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import numpy as np

from policy_server.dialects.address import Address, parse_address
from policy_server.dialects.codecs import pack_vla_eval, unpack_vla_eval
from policy_server.dialects.remote import CONNECT_S, Answer, RemotePolicy, first_line, meeting, rows_of
from policy_server.dialects.stream import Stream
from policy_server.dialects.translate import Question
from policy_server.wire import WireError
from touchstone import __version__
from touchstone.errors import ContractMismatch, DeadlineExceeded, PolicyFailure
from touchstone.spec import Brief

PROTOCOL_VERSION = 1
FAREWELL_S = 1.0

#: vla_eval/specs.py: formats that a server may declare -> what they mean in a mapping. Others are not checked.
_ROTATIONS = {"euler_xyz": "euler_xyz", "axis_angle": "rotation_vector", "quaternion_xyzw": "quaternion_xyzw"}
_POSITIONS = {"delta_xyz": ("target_delta", "align2"), "absolute_xyz": ("ee_abs",)}
#: format -> the sign of open minus closed
_GRIPPERS = {"binary_close_positive": -1, "binary_close_negative": 1, "continuous_01": 1, "binary_close_01": -1}


def connect(url: str, timeout_s: float = CONNECT_S) -> VlaEvalPolicy:
    """The policy served at `url`, after the hello. Raises UsageError or ContractMismatch."""
    return VlaEvalPolicy(parse_address(url, "vla-eval"), timeout_s)


class VlaEvalPolicy(RemotePolicy):
    """server: what the server's hello says of itself."""

    def __init__(self, address: Address, timeout_s: float = CONNECT_S):
        super().__init__(address)
        self._stream: Stream | None = None
        self._seq = 0
        self._start = 0
        self._in_episode = False
        self._lost: str | None = None
        with meeting(address, "start one with `vla-eval serve`"):
            self.server = self._open(time.monotonic() + timeout_s)
        try:
            self._agree()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with suppress(PolicyFailure):
            self._end_episode(time.monotonic() + FAREWELL_S)
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _begin(self, brief: Brief, deadline: float) -> None:
        self._lost = None
        if self._stream is None and pack_vla_eval(self._open(deadline)) != pack_vla_eval(self.server):
            self.close()
            raise PolicyFailure(f"Another server listens at {self._address.url} now: its hello changed; start again.")
        self._end_episode(deadline)
        task = {"name": brief.task, "task_description": brief.instruction}
        self._start = self._tell("episode_start", {"task": task}, deadline)
        self._in_episode = True

    def _ask(self, asked: Question, deadline: float) -> Answer:
        if self._lost is not None:
            raise PolicyFailure(self._lost)
        if self._stream is None:
            raise PolicyFailure(f"The link to the server at {self._address.url} is closed.")
        payload = {"images": asked.images, **asked.state, self._mapping.prompt_key: asked.prompt}
        seq = self._tell("observation", payload, deadline)
        kind, payload = self._receive(seq, deadline)
        if kind != "action":
            raise WireError(f"It answers an observation with '{kind}'.")
        keys = self._mapping.actions.keys
        if any(key not in payload for key in keys):
            raise WireError(f"Its action has {', '.join(str(k)[:40] for k in list(payload)[:8])} and no {keys[0]}.")
        return Answer(np.hstack([rows_of(payload[key]) for key in keys]))

    def _end_episode(self, deadline: float) -> None:
        if self._in_episode:
            self._in_episode = False
            self._tell("episode_end", {}, deadline)

    def _tell(self, kind: str, payload: dict, deadline: float) -> int:
        self._seq += 1
        message = {"type": kind, "payload": payload, "seq": self._seq, "timestamp": time.time()}
        try:
            self._stream.send(pack_vla_eval(message), deadline)
        except PolicyFailure as error:
            self._lose(error)
            raise
        return self._seq

    def _receive(self, seq: int, deadline: float) -> tuple[str, dict]:
        """Type and payload of the answer to `seq`; older answers are dropped. Raises PolicyFailure for an ERROR."""
        while True:
            try:
                message = self._stream.receive(deadline, keep=True)
            except DeadlineExceeded:
                raise
            except PolicyFailure as error:
                self._lose(error)
                raise
            kind, payload, number = _parse(message)
            # an episode's start has no other answer than an error
            if kind == "error" and number in (seq, self._start):
                raise PolicyFailure(
                    f"The server at {self._address.url} reports an error: {first_line(payload.get('error'))}"
                )
            if number == seq:
                return kind, payload

    def _lose(self, error: PolicyFailure) -> None:
        """What the server knew of the episode is lost with the link."""
        self._stream, self._in_episode, self._lost = None, False, str(error)

    def _open(self, deadline: float) -> dict[str, Any]:
        self._stream = Stream(self._address.host, self._address.port, self._address.url, deadline)
        self._in_episode = False
        try:
            seq = self._tell("hello", {"harness_version": __version__, "protocol_version": PROTOCOL_VERSION}, deadline)
            kind, payload = self._receive(seq, deadline)
            if kind != "hello":
                raise WireError(f"It answers a hello with '{kind}'.")
        except BaseException:
            if self._stream is not None:
                self._stream.drop()
            self._stream = None
            raise
        return payload

    def _agree(self) -> None:
        """Raises ContractMismatch where the hello contradicts the mapping."""

        def refuse(what: str) -> None:
            raise ContractMismatch(
                f"The server at {self._address.url} {what}; write a mapping that fits, or see docs/dialects.md."
            )

        version = self.server.get("protocol_version")
        if version != PROTOCOL_VERSION:
            refuse(f"speaks protocol {version!r:.20} and this client speaks {PROTOCOL_VERSION}")
        mapping, wants = self._mapping, self.server.get("observation_params")
        if isinstance(wants, dict) and wants.get("send_state") and not mapping.state:
            refuse("wants the arm's state and the mapping sends none")
        if isinstance(wants, dict) and wants.get("send_wrist_image") and len(mapping.images) < 2:
            refuse("wants a wrist picture and the mapping sends one picture")
        actions = mapping.actions
        position, rotation, gripper = (self._format(part) for part in ("position", "rotation", "gripper"))
        if position in _POSITIONS and actions.kind not in _POSITIONS[position]:
            refuse(f"answers {position} positions and the mapping says '{actions.kind}'")
        ours = None if actions.rotation is None else actions.rotation.format
        if rotation in _ROTATIONS and _ROTATIONS[rotation] != ours:
            refuse(f"answers {rotation} rotations and the mapping says {ours}")
        if gripper in _GRIPPERS and _GRIPPERS[gripper] * (actions.gripper.open - actions.gripper.closed) < 0:
            refuse(f"answers {gripper} gripper numbers and the mapping says {actions.gripper.open:g} is open")

    def _format(self, part: str) -> str | None:
        """How the server says it writes a part of its actions; None if it does not say."""
        declared = self.server.get("action_spec")
        found = declared.get(part) if isinstance(declared, dict) else None
        written = found.get("format") if isinstance(found, dict) else None
        return written if isinstance(written, str) else None


def _parse(message: bytes | str) -> tuple[str, dict, int]:
    fields = unpack_vla_eval(message)
    if not isinstance(fields, dict):
        raise WireError("The message is no map.")
    kind, payload, seq = fields.get("type"), fields.get("payload"), fields.get("seq")
    if not isinstance(kind, str) or not isinstance(payload, dict) or type(seq) is not int:
        raise WireError("The message has no type, payload and seq.")
    return kind[:40], payload, seq
