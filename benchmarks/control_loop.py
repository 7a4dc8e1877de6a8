"""Control loops on both emulated arms: rate, jitter, missed ticks, latencies and CPU, beside the vendor's SDK alone.

    .venv/bin/python benchmarks/control_loop.py [--seconds 5] [--runs 1] [--json FILE]

At each tick a loop reads the joints, looks at the newest picture if there is a camera, and commands a target whose
first joint steps by 0.05 rad every 0.45 s. `wire` is from the command to the first goal that went on, as the emulator
stamped it; `motion` until the emulated arm had moved by 1 mrad, looked at every 3 ms; `photon` from the picture's
capture to that goal. Emulators are processes of their own, in real time. CPU is of one core; `loop` is the process
that holds the loop, with driver, gate and camera. All ways take turns in a run; figures are medians over runs.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tyro
from loops.measuring import measure
from loops.ways import DOES, emulator, opened, ready
from rich.console import Console
from rich.table import Table

from touchstone.errors import TouchstoneError, UsageError

ARMS = ("wx250s", "rm75")


@dataclass(frozen=True)
class Options:
    seconds: float = 5.0
    """of each loop; there are two of them for every way and rate"""
    runs: int = 1
    """runs; the medians are printed"""
    rates: tuple[float, ...] = (5.0, 10.0, 30.0, 100.0)
    """of the control [Hz]"""
    arms: tuple[str, ...] = ARMS
    json: Path = Path("runs/control_loop.json")
    """where all figures go, run by run"""


def main(options: Options) -> None:
    unknown = set(options.arms) - set(ARMS)
    if unknown or options.seconds < 2 or options.runs < 1 or min(options.rates) <= 0:
        raise UsageError(f"Arms are {', '.join(ARMS)}, rates over 0, a loop takes 2 s or more, runs 1 or more.")
    console, began, load = Console(width=170), time.monotonic(), os.getloadavg()
    figures: dict = {arm: {way: {str(rate): [] for rate in options.rates} for way in DOES} for arm in options.arms}
    for run in range(options.runs):
        for arm in options.arms:
            with emulator(arm) as there:
                for name in DOES:
                    console.print(f"run {run + 1} of {options.runs}: {arm}, {name}", highlight=False)
                    with opened(name, arm, there) as way:
                        for rate in options.rates:
                            found = measure(way, there, ready(arm), rate, options.seconds)
                            figures[arm][name][str(rate)].append(found)
    for arm, ways in figures.items():
        console.print(table(arm, ways))
    document = {
        "benchmark": "control_loop",
        "machine": {"cpus": os.cpu_count(), "load_before": load, "load_after": os.getloadavg()},
        "system": platform.platform(),
        "versions": {name: version(name) for name in ("touchstone-vla", "dynamixel-sdk", "Robotic_Arm", "numpy")},
        "options": asdict(options) | {"json": str(options.json)},
        "ways": DOES,
        "figures": figures,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    console.print(f"{time.monotonic() - began:.0f} s; load {load[0]:.1f}; all figures: {options.json}", highlight=False)


def table(arm: str, ways: dict[str, dict[str, list[dict]]]) -> Table:
    """One arm's medians."""
    shown = Table(title=arm, caption="ms unless said otherwise; CPU in % of a core", title_justify="left")
    heads = ("Hz", "way", "achieved Hz", "period p50", "p99", "missed", "wire p50", "max", "motion", "photon", "CPU")
    for head in heads:
        shown.add_column(head, justify="left" if head in ("way", "CPU") else "right", no_wrap=True)
    for rate in next(iter(ways.values())):
        for name, rates in ways.items():
            runs = rates[rate]
            cells = [_median(runs, key) for key in ("rate_hz", "period_p50_ms", "period_p99_ms")]
            missed, ticks = sum(run["missed"] for run in runs), sum(run["ticks"] + run["missed"] for run in runs)
            keys = ("command_to_wire_p50_ms", "command_to_wire_max_ms", "command_to_motion_p50_ms")
            cells += [f"{missed}/{ticks}", *(_median(runs, key) for key in (*keys, "photon_to_wire_p50_ms"))]
            cpu = {each: np.median([run["cpu_percent"][each] for run in runs]) for each in runs[0]["cpu_percent"]}
            shown.add_row(f"{float(rate):g}", name, *cells, ", ".join(f"{each} {cpu[each]:.0f}" for each in cpu))
        shown.add_section()
    return shown


def _median(runs: list[dict], key: str) -> str:
    values = [run[key] for run in runs if run[key] is not None]
    return f"{np.median(values):.1f}" if values else "-"


if __name__ == "__main__":
    try:
        main(tyro.cli(Options))
    except TouchstoneError as error:
        sys.exit(str(error))
