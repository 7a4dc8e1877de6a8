"""Reads a session folder back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.data import disk
from touchstone.data.mcap_log import EpisodeLog, read_episode
from touchstone.data.records import EpisodeLine, SessionHead
from touchstone.errors import TouchstoneError, UsageError
from touchstone.schema import current

HEAD, LINES, EPISODES, LOGS = "session.json", "episodes.jsonl", "episodes", "logs"


@dataclass(frozen=True)
class SessionRecord:
    """A session read back. lines: the newest line of each episode, by index. path: the folder."""

    path: Path
    head: SessionHead
    lines: tuple[EpisodeLine, ...]

    @property
    def config(self) -> dict[str, Any]:
        return self.head.config

    @property
    def last_run(self) -> dict[str, Any]:
        """The provenance of the latest start; empty if there is none."""
        return self.head.runs[-1] if self.head.runs else {}

    def read(self, line: EpisodeLine) -> EpisodeLog:
        """One episode's facts and events. TouchstoneError if its file is missing, changed or damaged."""
        entry = line.files["mcap"]
        path = self.path / entry.path
        if not path.is_file():
            raise TouchstoneError(f"Episode {line.episode} has lost its file {path}; run the same session again.")
        if disk.sha256(path) != entry.sha256:
            raise TouchstoneError(
                f"Episode {line.episode}: {path} is not the file that was recorded; delete it and resume."
            )
        return read_episode(path)


def read_session(path: Path) -> SessionRecord:
    """The session in a folder. Raises UsageError if there is none or it has no finished episode."""
    path = Path(path)
    if not (path / HEAD).is_file():
        raise UsageError(f"There is no session in {path} (no {HEAD}); give the OUT folder of an evaluation.")
    head = read_head(path / HEAD)
    newest = {line.episode: line for line in read_lines(path / LINES)[0]}
    if not newest:
        raise UsageError(f"The session in {path} holds no finished episode yet; run the evaluation first.")
    return SessionRecord(path, head, tuple(sorted(newest.values(), key=lambda line: (line.index, line.episode))))


def read_head(path: Path) -> SessionHead:
    try:
        return SessionHead.model_validate(_current("head", path.read_bytes(), str(path)))
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is not a session description that can be read; choose another OUT.") from None


def read_lines(path: Path) -> tuple[list[EpisodeLine], int]:
    """The whole lines, and how many bytes they take; what a crash tore off comes after them.

    Raises TouchstoneError for a damaged line before the last, and for one of a newer version.
    """
    data = path.read_bytes() if path.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    rows = whole.splitlines(keepends=True)
    lines, size = [], 0
    for number, row in enumerate(rows, 1):
        try:
            lines.append(EpisodeLine.model_validate(_current("line", row, f"{path}, line {number},")))
        except (ValueError, KeyError, TypeError):
            if number == len(rows):
                break
            raise TouchstoneError(f"{path} is damaged at line {number}; restore it or choose another OUT.") from None
        size += len(row)
    return lines, size


def _current(kind: str, text: bytes, where: str) -> Any:
    data = json.loads(text)
    return current(kind, data, data["schema_version"], where)
