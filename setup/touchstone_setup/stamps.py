"""Remembers, inside the venv, what each finished stage was made from; a stage whose sources changed runs again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

SKIPPED = {"__pycache__", "build", "dist", ".pytest_cache"}


class Stamp:
    """`current(digest)` is true after `write(digest)`; `clear` before a stage starts, so that a kill shows."""

    def __init__(self, venv: Path, name: str) -> None:
        self.path = venv / ".touchstone" / name

    def current(self, digest: str) -> bool:
        return self.path.is_file() and self.path.read_text() == digest

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)

    def write(self, digest: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(digest)


def digest(parts: Iterable[str], files: Iterable[Path] = ()) -> str:
    """Of texts, and of files by name and content."""
    total = hashlib.sha256("\0".join(parts).encode())
    for path in files:
        total.update(f"\0{path}\0".encode() + path.read_bytes())
    return total.hexdigest()


def sources(folder: Path) -> list[Path]:
    """The files of a source folder, sorted, without what builds leave there."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        left_by_build = any(part in SKIPPED or part.endswith(".egg-info") for part in parts)
        if path.is_file() and not left_by_build:
            found.append(path)
    return found
