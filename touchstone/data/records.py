"""What `session.json` and `episodes.jsonl` hold."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from typing import Any

import numpy as np
from pydantic import Field

from touchstone.facts import Record
from touchstone.schema import SCHEMA
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict


class FileEntry(Record):
    """A file of an episode: `path` relative to the session folder, its SHA-256 and its size in bytes."""

    path: str
    sha256: str
    bytes: int


class StageStats(Record):
    """Percentiles of one stage's latency [ms], measured `n` times."""

    p50: float
    p99: float
    n: int


class EpisodeLine(Record):
    """One finished episode: one line of `episodes.jsonl`.

    files: `mcap`, `mp4`, `jpg` (the last two only where there is a camera). events: how many of each kind.
    started_at: ISO 8601, UTC. duration_s: wall-clock seconds. world: plant and path in one familiar name.
    """

    schema_version: int = SCHEMA
    episode: str
    index: int
    world: str
    spec: Spec
    verdict: Verdict
    steps: int
    events: dict[str, int]
    latency_ms: dict[str, StageStats]
    files: dict[str, FileEntry]
    started_at: str
    duration_s: float


class SessionHead(Record):
    """`session.json`. config: what defines the result. runs: one entry per start, with what may differ."""

    schema_version: int = SCHEMA
    config: dict[str, Any]
    config_hash: str
    runs: list[dict[str, Any]] = Field(default_factory=list)


def stage_stats(values: list[float]) -> StageStats:
    """Percentiles of some milliseconds (at least one), to a microsecond."""
    p50, p99 = np.percentile(values, [50, 99])
    return StageStats(p50=round(float(p50), 3), p99=round(float(p99), 3), n=len(values))


def now() -> str:
    """The present time, ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def config_hash(config: dict[str, Any]) -> str:
    """The first 12 hex digits of the SHA-256 over the canonical JSON of `config`."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differing_keys(one: dict[str, Any], other: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of the keys whose values differ, sorted."""
    out: list[str] = []
    for key in sorted(one.keys() | other.keys()):
        left, right = one.get(key), other.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            out += differing_keys(left, right, f"{prefix}{key}.")
        elif left != right or (key in one) != (key in other):
            out.append(f"{prefix}{key}")
    return out
