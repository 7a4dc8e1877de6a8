"""`touchstone eval` as a user types it, in one process, with a named policy and with a served one."""

import json
import subprocess
import sys
from pathlib import Path

from tests.policy_server.served import serving
from touchstone.data.journal import read_session

ROOT = Path(__file__).parents[2]


def evaluate(out: Path, policy: str) -> str:
    command = [sys.executable, "-m", "touchstone.cli", "eval", "touch-emoji", "--policy", policy, "--trials", "2"]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def facts(out: Path) -> list:
    session = read_session(out)
    return [session.read(line).facts for line in session.lines]


def test_a_served_policy_scores_as_it_does_in_process_and_ends_with_report_and_next_steps(tmp_path):
    printed = evaluate(tmp_path / "named", "card-matcher")
    with serving("card-matcher") as (_, url):
        evaluate(tmp_path / "served", url)
    assert facts(tmp_path / "named") == facts(tmp_path / "served")
    for out in (tmp_path / "named", tmp_path / "served"):
        summary = json.loads((out / "summary.json").read_text())
        assert summary["overall"]["successes"] == summary["overall"]["trials"] == 2
        assert (out / "report.html").stat().st_size > 10_000
    assert f"Report: {tmp_path / 'named' / 'report.html'}" in printed
    assert "your own policy" in printed and "an openpi server" in printed and "a robot" in printed
