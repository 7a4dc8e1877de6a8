"""Versioned JSON as it travels in `std_msgs/String` messages: the one place that encodes and checks it."""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from touchstone.errors import TouchstoneError
from touchstone.facts import Record
from touchstone.policy import Chunk, Timing
from touchstone.schema import SCHEMA, current

RecordType = TypeVar("RecordType", bound=Record)


def encode(kind: str, data: Any) -> str:
    """The JSON text of `data`, a Record or a JSON-able value; `kind` says what it is (`spec`, ...)."""
    body = data.model_dump(mode="json") if isinstance(data, Record) else data
    return json.dumps({"schema": SCHEMA, "kind": kind, "data": body}, ensure_ascii=False, separators=(",", ":"))


def decode(kind: str, text: str) -> Any:
    """The data in `text`, as this version writes it. Raises TouchstoneError if it is not JSON, of another kind, or of
    a newer schema."""
    try:
        message = json.loads(text)
        found, schema, data = message["kind"], message["schema"], message["data"]
    except (ValueError, KeyError, TypeError):
        raise TouchstoneError(f"A '{kind}' message is not JSON with schema, kind and data: {text[:60]!r}.") from None
    if found != kind:
        raise TouchstoneError(f"A '{kind}' message was expected and a '{found}' message came.")
    return current(kind, data, schema, f"A '{kind}' message")


def decode_record(kind: str, text: str, record: type[RecordType]) -> RecordType:
    """The Record in `text`. Raises TouchstoneError as `decode` does, and when a field is wrong."""
    try:
        return record.model_validate(decode(kind, text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TouchstoneError(f"A '{kind}' message does not fit its schema at '{where}': {first['msg']}.") from None


def chunk_to_json(chunk: Chunk) -> dict:
    """A chunk as JSON-able data. Numbers that are not finite become the words `nan`, `inf` and `-inf`."""
    return {
        "answers": chunk.answers,
        "t0_ns": chunk.t0_ns,
        "dt": chunk.dt,
        "kind": chunk.kind,
        "frame": chunk.frame,
        "actions": [_numbers(row) for row in np.atleast_2d(chunk.actions)],
        "gripper": _numbers(np.atleast_1d(chunk.gripper)),
        "gripper_force": chunk.gripper_force,
        "terminate": chunk.terminate,
        "timing": {
            "queue_ms": chunk.timing.queue_ms,
            "infer_ms": chunk.timing.infer_ms,
            "total_ms": chunk.timing.total_ms,
        },
    }


def chunk_from_json(data: dict) -> Chunk:
    """The chunk that `chunk_to_json` wrote."""
    return Chunk(
        answers=data["answers"],
        t0_ns=data["t0_ns"],
        dt=data["dt"],
        kind=data["kind"],
        frame=data["frame"],
        actions=np.array(data["actions"], dtype=np.float64),
        gripper=np.array(data["gripper"], dtype=np.float64),
        gripper_force=data["gripper_force"],
        terminate=data["terminate"],
        timing=Timing(**data["timing"]),
    )


def _numbers(values) -> list[float | str]:
    return [float(v) if math.isfinite(v) else repr(float(v)) for v in values]
