"""The round-trip benchmark runs and counts right; what it measures is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from roundtrip import payload, processes, results  # noqa: E402
from roundtrip.measuring import CASES, Tally  # noqa: E402


def benchmark(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, BENCHMARKS / "policy_roundtrip.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )


def figures(p50: float, served: float) -> dict:
    return {
        "p50_ms": p50,
        "p99_ms": 9.0,
        "first_ms": 9.0,
        "client_cpu_ms": 1.0,
        "server_cpu_ms": 1.0,
        "served_per_s": served,
        "n": 10,
    }


def test_our_wire_and_a_memcpy_are_measured(tmp_path):
    out = tmp_path / "deep" / "roundtrip.json"
    done = benchmark(
        *("--cases", "1", "--ways", "touchstone tcp", "memcpy"),
        *("--runs", "2", "--requests", "5", "--blocks", "1", "--json", str(out)),
    )
    assert done.returncode == 0, done.stderr
    assert "touchstone tcp" in done.stdout and "not measured:" not in done.stdout
    found = json.loads(out.read_text())
    assert found["missing"] == {"1 client": {}}
    for way in ("touchstone tcp", "memcpy"):
        runs = found["cases"]["1 client"][way]["runs"]
        assert [run["n"] for run in runs] == [5, 5]
        assert all(0 < run["p50_ms"] <= run["p99_ms"] for run in runs)
    ours, copy = (found["cases"]["1 client"][way] for way in ("touchstone tcp", "memcpy"))
    assert ours["p50_ms"] > copy["p50_ms"]
    assert ours["p50_ratio"] is None and found["targets"][0]["met"] is None


@pytest.mark.long
def test_all_ways_of_all_cases(tmp_path):
    if not processes.PEERS.exists():
        pytest.skip("needs .venv-peers: make peers")
    out = tmp_path / "roundtrip.json"
    done = benchmark("--runs", "1", "--requests", "5", "--blocks", "1", "--json", str(out))
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found["missing"] == {case.title: {} for case in CASES}
    assert set(found["ways"]) == {way.name for case in CASES for way in case.ways}
    assert all(set(found["cases"][case.title]) == {way.name for way in case.ways} for case in CASES)
    assert all(target["measured"] > 0 for target in found["targets"])


@pytest.mark.parametrize("arguments, says", [(["--cases", "4"], "no case 4"), (["--ways", "carrier"], "carrier")])
def test_what_does_not_exist_is_refused_in_one_sentence(arguments, says):
    done = benchmark(*arguments)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


def test_the_ratio_is_the_median_of_the_runs_ratios():
    found = results.summary(
        {
            "openpi": [figures(10.0, 100.0), figures(2.0, 500.0), figures(4.0, 250.0)],
            "touchstone tcp": [figures(1.0, 900.0), figures(1.0, 900.0), figures(1.0, 1000.0)],
        }
    )
    assert found["touchstone tcp"]["p50_ratios"] == [0.1, 0.5, 0.25]
    assert found["touchstone tcp"]["p50_ratio"] == 0.25
    assert found["touchstone tcp"]["served_ratio"] == 4.0
    assert found["openpi"]["p50_ratio"] == 1.0


def test_targets_are_met_missed_or_not_measured():
    one, batching = results.ONE.title, results.BATCHING.title
    found = results.targets(
        {
            one: {"touchstone tcp": {"p50_ratio": 0.4}, "openpi": {"p50_ratio": 1.0}},
            batching: {"touchstone tcp": {"served_ratio": 3.9}},
        }
    )
    assert [target["met"] for target in found] == [True, None, False]


def test_a_tally_counts_every_request_in_cpu_and_the_kept_ones_in_latency():
    tally = Tally(
        ms=[1.0, 2.0, 3.0], first_ms=[7.0, 8.0, 9.0], requests=4, seconds=2.0, client_cpu_s=0.008, server_cpu_s=0.004
    )
    found = tally.figures()
    assert (found["p50_ms"], found["first_ms"], found["n"]) == (2.0, 8.0, 3)
    assert (found["client_cpu_ms"], found["server_cpu_ms"], found["served_per_s"]) == (2.0, 1.0, 2.0)


@pytest.mark.parametrize("number", range(payload.OBSERVATIONS))
def test_an_answer_to_other_pictures_is_noticed(number):
    seen = payload.pictures(number)
    answer = payload.chunk_for(**seen)
    payload.check(number, answer)
    payload.check(number, answer.astype(np.float32))
    for wrong in (
        payload.chunk_for(**payload.pictures((number + 1) % payload.OBSERVATIONS)),
        payload.chunk_for(scene=seen["scene"], wrist=np.zeros_like(seen["wrist"])),
        payload.chunk_for(scene=seen["wrist"], wrist=seen["scene"]),
        answer[:49],
        np.full_like(answer, np.nan),
    ):
        with pytest.raises(RuntimeError, match=f"observation {number} "):
            payload.check(number, wrong, tolerance=1e-3)


def test_a_program_that_ends_is_a_sentence_with_its_last_words():
    with pytest.raises(processes.DoesNotRun, match=r"no_such_module.*No module named"):
        processes.Server(processes.OURS, ["-m", "roundtrip.no_such_module"])


def test_without_the_peers_it_says_how_to_get_them(tmp_path):
    with pytest.raises(processes.DoesNotRun, match="make peers"):
        processes.Server(tmp_path / "python", ["-m", "roundtrip.openpi_server"])
