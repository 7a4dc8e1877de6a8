"""The scores that the README prints, run again: 100 trials a row, in one process, with pictures."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long

ROWS = [
    ("card-matcher", "val", {"execution": (0.97, 1.0), "recognition": (0.97, 1.0)}),
    ("card-matcher", "hard", {"execution": (0.97, 1.0), "recognition": (0.97, 1.0)}),
    ("expert", "val", {"overall": (0.98, 1.0)}),
    ("random-card", "val", {"execution": (0.95, 1.0)}),
    ("random", "val", {"execution": (0.0, 0.05)}),
]


@pytest.mark.parametrize(
    ("policy", "protocol", "bounds"), ROWS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_hundred_trials_score_what_is_promised(tmp_path, policy, protocol, bounds):
    command = [sys.executable, "-m", "touchstone.cli", "eval", "touch-emoji", "--world", "twin", "--trials", "100"]
    subprocess.run([*command, "--policy", policy, "--protocol", protocol, "--out", str(tmp_path)], check=True)
    summary = json.loads((tmp_path / "summary.json").read_text())
    for score, (lowest, highest) in bounds.items():
        assert lowest <= summary[score]["rate"] <= highest, (score, summary[score])
    if policy == "random-card":
        low, high = summary["recognition"]["ci95"]
        assert low <= 1 / 3 <= high
