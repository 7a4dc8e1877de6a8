"""The journal of a session: a folder that survives a crash and resumes at the first episode that is missing.

    session.json  episodes.jsonl  episodes/NAME.{mcap,mp4,jpg}  logs/  summary.json  report.html

An episode's files are written as `.part`, synced and renamed; only then is its line appended and synced.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from touchstone.data import disk
from touchstone.data.labels import world_label
from touchstone.data.mcap_log import EpisodeLog, read_episode
from touchstone.data.reading import (
    EPISODES,
    HEAD,
    LINES,
    LOGS,
    SessionRecord,
    read_head,
    read_lines,
    read_session,
)
from touchstone.data.recorder import EpisodeRecorder
from touchstone.data.records import EpisodeLine, SessionHead, config_hash, differing_keys, now
from touchstone.errors import UsageError
from touchstone.spec import Spec

__all__ = [
    "EpisodeLine",
    "EpisodeLog",
    "EpisodeRecorder",
    "Session",
    "SessionRecord",
    "check_resumable",
    "finished_episodes",
    "read_episode",
    "read_session",
]


class Session:
    """A session that is being written, by one process at a time; `close` frees the folder."""

    def __init__(self, path: Path, head: SessionHead, lines: list[EpisodeLine], lock) -> None:
        self.path = path
        self.config_hash = head.config_hash
        self._lock = lock
        self._world = world_label(head.runs[-1].get("plant", "?"), head.runs[-1].get("path", "?"))
        self._finished = _with_files(path, lines)

    @staticmethod
    def open(out: Path, config: dict[str, Any], provenance: dict[str, Any]) -> Session:
        """Creates the session in `out`, or resumes it.

        config: JSON-able, what defines the result; scores need task, world, robot, policy, protocol, seed.
        provenance: JSON-able, what may differ between runs: plant, path, versions, offer, contract, command.
        Raises UsageError if `out` cannot be written, is in use, or holds another configuration.
        """
        out = Path(out)
        disk.writable_folder(out)
        lock = disk.lock(out / ".lock")
        try:
            head = _head_for(out, config)
            head.runs.append({"started_at": now(), **provenance})
            with disk.told_in_one_sentence(out):
                (out / EPISODES).mkdir(exist_ok=True)
                (out / LOGS).mkdir(exist_ok=True)
                disk.replace_whole(out / HEAD, _pretty(head.model_dump(mode="json")))
                lines = _recover(out)
        except BaseException:
            lock.close()
            raise
        return Session(out, head, lines, lock)

    def finished(self) -> dict[str, EpisodeLine]:
        """The episodes that need not run again, by name."""
        return dict(self._finished)

    def record(self, spec: Spec) -> EpisodeRecorder:
        """Begins an episode that is not finished yet."""
        if spec.episode in self._finished:
            raise ValueError(f"episode {spec.episode} is already in the journal")
        return EpisodeRecorder(self.path, self._world, spec, self.append)

    def close(self) -> None:
        self._lock.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def append(self, line: EpisodeLine) -> None:
        disk.append_line(self.path / LINES, line.model_dump_json())
        self._finished[line.episode] = line


def finished_episodes(out: Path) -> dict[str, EpisodeLine]:
    """The episodes that a session in `out` need not run again, by name; empty if there is no session."""
    return _with_files(out, read_lines(out / LINES)[0])


def check_resumable(out: Path, config: dict[str, Any]) -> None:
    """Raises UsageError if the folder `out` holds a session of another configuration; writes nothing."""
    if (out / HEAD).exists():
        _head_for(out, config)


def _with_files(path: Path, lines: list[EpisodeLine]) -> dict[str, EpisodeLine]:
    return {line.episode: line for line in lines if (path / line.files["mcap"].path).is_file()}


def _head_for(out: Path, config: dict[str, Any]) -> SessionHead:
    config = json.loads(json.dumps(config))
    if not (out / HEAD).exists():
        return SessionHead(config=config, config_hash=config_hash(config))
    head = read_head(out / HEAD)
    if head.config_hash != config_hash(config):
        keys = differing_keys(head.config, config)
        changed = ", ".join(f"{key} {_value(head.config, key)} -> {_value(config, key)}" for key in keys)
        raise UsageError(f"OUT {out} holds another configuration ({changed}); choose another OUT.")
    return head


def _value(config: dict[str, Any], dotted: str) -> str:
    value: Any = config
    for part in dotted.split("."):
        value = value.get(part, "(none)") if isinstance(value, dict) else "(none)"
    return str(value)


def _recover(out: Path) -> list[EpisodeLine]:
    """Cuts off a torn last line and removes files that no line speaks of: what a killed run left."""
    path = out / LINES
    lines, size = read_lines(path)
    if path.exists() and path.stat().st_size != size:
        with path.open("r+b") as stream:
            stream.truncate(size)
        disk.sync(path)
    known = {entry.path for line in lines for entry in line.files.values()}
    for kind in ("*.part", "*.mcap", "*.mp4", "*.jpg"):
        for file in (out / EPISODES).glob(kind):
            if f"{EPISODES}/{file.name}" not in known:
                file.unlink()
    return lines


def _pretty(data: Any) -> bytes:
    return (json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
