"""The lock that lets one driver at a time have an arm."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hardware.lock import Lock
from touchstone.errors import UsageError

HOLDER = """
import sys, time
from hardware.lock import Lock
Lock(sys.argv[1], "it").take()
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def key(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return "arm"


def test_it_is_had_once_and_leaves_nothing_behind(key, tmp_path):
    first, second = Lock(key, "The arm"), Lock(key, "The arm")
    first.take()
    with pytest.raises(UsageError, match=rf"^The arm is in use by process {os.getpid()}; end that process first\.$"):
        second.take()
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []
    second.take()
    with pytest.raises(UsageError):
        first.take()
    second.release()


def test_a_process_that_is_killed_lets_it_go(key, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    root = Path(__file__).parents[2]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, key], stdout=subprocess.PIPE, text=True, cwd=root, env=environment
    )
    try:
        assert holder.stdout.readline() == "taken\n"
        with pytest.raises(UsageError, match=f"in use by process {holder.pid}"):
            Lock(key, "The arm").take()
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    again = Lock(key, "The arm")
    again.take()
    again.release()


def test_a_file_that_was_removed_while_it_was_waited_for_is_no_lock(key, tmp_path, monkeypatch):
    first, second = Lock(key, "The arm"), Lock(key, "The arm")
    first.take()
    opened = os.open

    def open_then_release(*arguments):
        monkeypatch.setattr(os, "open", opened)
        file = opened(*arguments)
        first.release()  # between the other's open and its lock
        return file

    monkeypatch.setattr(os, "open", open_then_release)
    second.take()
    with pytest.raises(UsageError):
        Lock(key, "The arm").take()
    second.release()


def test_a_folder_in_the_way_is_one_sentence(key, tmp_path):
    (tmp_path / f"touchstone-{key}.lock").mkdir()
    with pytest.raises(UsageError, match="Cannot open the lock file"):
        Lock(key, "The arm").take()
