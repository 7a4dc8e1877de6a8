"""`touchstone eval int-act` in the twin: two scenes, two workers, killed in mid-suite and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from touchstone.data.journal import finished_episodes
from touchstone.data.suite_folder import session_folders

ROOT = Path(__file__).parents[2]
TASKS = ("widowx_stack_cube", "widowx_put_eggplant_in_basket")


def done(out: Path) -> int:
    return sum(len(finished_episodes(folder)) for folder in session_folders(out))


@pytest.mark.long
def test_the_expert_does_both_scenes_and_a_killed_run_goes_on(tmp_path):
    out = tmp_path / "suite"
    command = [sys.executable, "-m", "touchstone.cli", "eval", "int-act", "--policy", "expert", "--no-pictures"]
    command += ["--tasks", *TASKS, "--episodes", "3", "--seeds", "42", "--workers", "2", "--out", str(out)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + 300
        while done(out) < 1 and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    before = done(out)
    assert 1 <= before < 6
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("suite-s42-") == 6 - before
    scores = json.loads((out / "summary.json").read_text())
    assert {name: task["strict"]["successes"] for name, task in scores["tasks"].items()} == dict.fromkeys(TASKS, 3)
    assert scores["privileged"] and scores["plant"] == "twin"
    assert not list(out.rglob("*.part"))
