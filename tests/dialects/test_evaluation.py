"""A whole evaluation over openpi's wire, as a user would type it."""

import subprocess
import sys

import pytest

from tests.dialects.fronts import ROOT, serving
from touchstone.data.reading import read_session


def evaluate(policy: str, out) -> None:
    command = [sys.executable, "-m", "touchstone.cli", "eval", "touch-emoji", "--trials", "1", "--out", str(out)]
    done = subprocess.run([*command, "--policy", policy], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_a_policy_does_the_same_over_openpis_wire_as_without(tmp_path):
    pytest.importorskip("mani_skill")
    evaluate("card-matcher", tmp_path / "direct")
    with serving("card-matcher", "?mapping=exact") as (_, port):
        evaluate(f"openpi://127.0.0.1:{port}?mapping=exact", tmp_path / "served")
    direct, served = (read_session(tmp_path / name) for name in ("direct", "served"))
    assert served.last_run["contract"]["name"] == "openpi:exact"
    facts = direct.read(direct.lines[0]).facts
    assert len(facts) > 5 and served.read(served.lines[0]).facts == facts
