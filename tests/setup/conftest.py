"""The set-up program is run, not installed: its folder goes on the path for these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def setup_program(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "setup"))


@pytest.fixture
def fake_programs(tmp_path, monkeypatch):
    """Puts shell scripts first on PATH: `fake_programs({"dpkg-query": "echo hello"})`."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(scripts: dict[str, str]) -> None:
        for name, body in scripts.items():
            program = folder / name
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return put
