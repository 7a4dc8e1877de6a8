"""What came out: medians over runs, ratios to the reference run by run, targets; as tables and as JSON."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import numpy as np
from rich.console import Console
from rich.table import Table

from roundtrip import ways
from roundtrip.measuring import CASES, DROPPED, Case
from roundtrip.ways import REFERENCE, Way

FIGURES = ("p50_ms", "p99_ms", "first_ms", "client_cpu_ms", "server_cpu_ms", "served_per_s")
ONE, _, BATCHING = CASES

#: (what is meant, case, way, ratio to the reference, at most or at least)
TARGETS = (
    ("p50 over tcp", ONE, ways.TCP, "p50_ratio", "<=", 0.4),
    ("p50 through shared memory", ONE, ways.SHM, "p50_ratio", "<=", 0.12),
    ("observations served with batching", BATCHING, ways.TCP, "served_ratio", ">=", 4.0),
)


def summary(figures: dict[str, list[dict]]) -> dict[str, dict]:
    """Way's name -> `runs`, the median of each figure over runs, and of the ratios run by run; None without reference.

    Ratios below 1 in `p50_ratio` and above 1 in `served_ratio` are in favour of the way.
    """
    reference = figures.get(REFERENCE)
    found = {}
    for name, runs in figures.items():
        found[name] = {"runs": runs} | {key: _median([run[key] for run in runs]) for key in FIGURES}
        for ratio, key in (("p50_ratio", "p50_ms"), ("served_ratio", "served_per_s")):
            each = (
                None
                if reference is None
                else [run[key] / other[key] for run, other in zip(runs, reference, strict=True)]
            )
            found[name][f"{ratio}s"] = each
            found[name][ratio] = None if each is None else _median(each)
    return found


def targets(summaries: dict[str, dict[str, dict]]) -> list[dict]:
    """Each target with what was measured; `met` is None where it could not be measured."""
    found = []
    for what, case, way, ratio, relation, bound in TARGETS:
        measured = summaries.get(case.title, {}).get(way.name, {}).get(ratio)
        met = None if measured is None else measured <= bound if relation == "<=" else measured >= bound
        found.append(
            {"what": what, "way": way.name, "ratio": ratio, "target": f"{relation} {bound:g}", "measured": measured}
            | {"met": met}
        )
    return found


def document(summaries: dict[str, dict[str, dict]], missing: dict[str, dict[str, str]], options: dict) -> dict:
    """All of it, for JSON."""
    return {
        "benchmark": "policy_roundtrip",
        "payload": "two 640x480 RGB pictures and a state there, a 50x7 chunk back",
        "machine": {"cpus": os.cpu_count(), "load_at_the_end": os.getloadavg(), "system": platform.platform()},
        "versions": {name: version(name) for name in ("touchstone-vla", "pyzmq", "numpy")},
        "options": options | {"dropped_of_each_block": DROPPED},
        "ways": {way.name: way.does for case in CASES for way in case.ways},
        "cases": summaries,
        "missing": missing,
        "targets": targets(summaries),
    }


def show(case: Case, found: dict[str, dict], missing: dict[str, str], console: Console) -> None:
    """Prints one case."""
    caption = f"ms; first: after a pause; CPU: client + server, of a request; ratios to {REFERENCE}"
    table = Table(title=case.title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("way", no_wrap=True)
    for head in ("p50", "p99", "first", "CPU", "per s", "p50 ratio", "served ratio"):
        table.add_column(head, justify="right", no_wrap=head == "CPU")
    for way in case.ways:
        if way.name in found:
            table.add_row(way.name, *_cells(way, found[way.name]))
    console.print(table)
    for name, why in missing.items():
        console.print(f"{name} was not measured: {why}", markup=False, highlight=False)


def show_targets(found: list[dict], console: Console) -> None:
    table = Table("target", "way", "wanted", "measured", "", title="against openpi", title_justify="left")
    for target in found:
        measured = "-" if target["measured"] is None else f"{target['measured']:.2f}"
        verdict = {None: "not measured", True: "met", False: "missed"}[target["met"]]
        table.add_row(target["what"], target["way"], target["target"], measured, verdict)
    console.print(table)


def _cells(way: Way, found: dict) -> list[str]:
    cpu = _number(found["client_cpu_ms"]) + ("" if way.server is None else f"+{_number(found['server_cpu_ms'])}")
    before, after = ("p50_ms", "p99_ms", "first_ms"), ("served_per_s", "p50_ratio", "served_ratio")
    return [*(_number(found[key]) for key in before), cpu, *(_number(found[key]) for key in after)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def _median(values: list[float]) -> float:
    return float(np.median(values))
