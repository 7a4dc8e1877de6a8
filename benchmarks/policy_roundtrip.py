"""Round trip of an observation to a policy and its chunk back: ours beside openpi's and vla-eval's, in one run.

    make peers
    .venv/bin/python benchmarks/policy_roundtrip.py [--runs 5] [--requests 200] [--json FILE]

Two 640x480 RGB pictures and a state there, a 50x7 chunk back, over loopback: one client, eight, and eight of a policy
that takes 20 ms for a batch. Clients and servers are processes of their own, with their own project's code (openpi's
server is ours, see `roundtrip/openpi_server.py`).

All ways take turns in blocks. A first block, and the first three requests of every block (one, of a slow way) are left
out of p50 and p99; `first` is the median of the blocks' first requests, which find cold caches, as those of a robot's
5 Hz do. Answers are checked, off the clock. Figures are medians over runs; a ratio is taken within each run, then the
median of the runs'. CPU is user and system time of all threads. `roundtrip/ways.py` says what each way copies and
checks. With one client, client and server keep to a core each, in every way. On a machine that does other work, look at
the ratios, and at CPU, rather than at milliseconds.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import tyro
from rich.console import Console
from roundtrip.measuring import CASES, Case, measure
from roundtrip.results import document, show, show_targets, summary, targets

from touchstone.errors import TouchstoneError, UsageError


@dataclass(frozen=True)
class Options:
    runs: int = 5
    """runs; the medians are printed"""
    requests: int = 200
    """requests of a client in a run of the case with one client; a quarter with eight"""
    blocks: int = 5
    """turns that each way gets in a run"""
    apart: bool = True
    """with one client, client and server keep to a core each, in every way; --no-apart leaves it to the scheduler"""
    cases: tuple[int, ...] = (1, 2, 3)
    """1: one client, 2: eight, 3: eight and a policy of 20 ms a batch"""
    ways: tuple[str, ...] = ()
    """only the ways whose names hold one of these words; all if none is given"""
    json: Path = Path("runs/policy_roundtrip.json")
    """where all figures go, run by run"""


def main(options: Options) -> None:
    console, began = Console(), time.monotonic()
    summaries, missing = {}, {}
    for case in chosen(options):
        # a spinner that turns faster would take part in the measurement
        with console.status(case.title, refresh_per_second=1) as status:
            figures, missing[case.title] = measure(
                case, options.runs, options.requests, options.blocks, say=status.update, apart=options.apart
            )
        summaries[case.title] = summary(figures)
        show(case, summaries[case.title], missing[case.title], console)
    show_targets(targets(summaries), console)
    given = asdict(options) | {"json": str(options.json)}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document(summaries, missing, given), indent=1) + "\n")
    console.print(f"{time.monotonic() - began:.0f} s; all figures: {options.json}", highlight=False)


def chosen(options: Options) -> list[Case]:
    """The cases and ways that were asked for. Raises UsageError where nothing is left of a case."""
    found = []
    for number in options.cases:
        if not 1 <= number <= len(CASES):
            raise UsageError(f"There is no case {number}; they are numbered 1 to {len(CASES)}.")
        case = CASES[number - 1]
        kept = tuple(way for way in case.ways if not options.ways or any(word in way.name for word in options.ways))
        if not kept:
            known = ", ".join(way.name for way in case.ways)
            raise UsageError(
                f"Case {number} has no way named {' or '.join(options.ways)}; it has {known}; choose, or leave it out."
            )
        found.append(replace(case, ways=kept))
    return found


if __name__ == "__main__":
    try:
        main(tyro.cli(Options))
    except TouchstoneError as error:
        sys.exit(str(error))
