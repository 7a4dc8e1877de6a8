"""Success against charged latency, for every way of carrying out chunks, in the twin.

    python benchmarks/latency_study.py [--trials 12] [--out runs/latency]

The policy is the chunking expert, which knows where things lie and looks at nothing: what is lost is lost to latency
alone. It is asked for chunks of 1.6 s, once as deltas and once as poses; beside it the single-action expert. Writes
`latency.json`, `latency.png` and `latency.svg` into the folder.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from matplotlib import colormaps
from matplotlib.figure import Figure
from rich.console import Console

from policy_server.policies.expert import ExpertPolicy
from policy_server.policies.expert_chunks import ExpertChunksPolicy
from sim_twin.world import make_world
from touchstone.cameras import DEFAULT_PRESET
from touchstone.evaluation.episode import run_episode
from touchstone.evaluation.execution import Execution
from touchstone.policy import Policy
from touchstone.registry import ROBOTS, load
from touchstone.scoring.rates import rate
from touchstone.tasks.base import task as find_task
from touchstone.world import World, WorldRequest

#: an arm that stood still may begin an answer of up to 1 s from its beginning
PATIENT = "patience=1000"
STRATEGIES = ("sync", f"sync:{PATIENT}", *(f"{name}:{PATIENT}" for name in ("receding", "ensemble", "async", "rtc")))
KINDS = {"target_delta": "deltas", "ee_abs": "poses"}
#: of a chunk [s]; at 5 Hz 8 actions, at 20 Hz 32
CHUNK_S = 1.6
SINGLE = "single actions"


@dataclass(frozen=True)
class Options:
    trials: int = 12
    """episodes a point"""
    tasks: tuple[str, ...] = ("touch-emoji", "pick-emoji")
    latencies_ms: tuple[int, ...] = (0, 100, 200, 300, 400, 500)
    robot: str = "wx250s"
    seed: int = 0
    out: Path = Path("runs/latency")


@dataclass(frozen=True)
class Case:
    """One line of the plot: a policy for a task, carried out in one way."""

    task: str
    kind: str
    strategy: str
    policy: Callable[[], Policy]

    @property
    def label(self) -> str:
        return self.strategy if self.strategy == SINGLE else self.strategy.replace(f":{PATIENT}", ", patient")


class _Counting:
    """A recorder that counts."""

    def __init__(self) -> None:
        self.ticks = 0
        self.events: Counter[str] = Counter()

    def tick(self, observation, facts, events, chunk, stages_ms) -> None:
        self.ticks += 1
        self.events.update(event.kind for event in events)


def main(options: Options) -> None:
    world = make_world(WorldRequest(options.robot, DEFAULT_PRESET, privileged=True, pictures=False))
    options.out.mkdir(parents=True, exist_ok=True)
    console, points = Console(), []
    for case in cases(options.tasks):
        for ms in options.latencies_ms:
            point = measure(world, case, ms, options)
            points.append(point)
            console.print(
                f"{case.task} {KINDS[case.kind]} {case.label} {ms} ms: {point['successes']}/{options.trials}, "
                f"median {point['median_s']} s, {point['events']}",
                highlight=False,
                soft_wrap=True,
            )
        # after every line of the plot, since the whole takes long
        result = {"robot": options.robot, "seed": options.seed, "chunk_s": CHUNK_S, "points": points}
        (options.out / "latency.json").write_text(json.dumps(result, indent=1) + "\n")
    world.close()
    for suffix in ("png", "svg"):
        plot(points, options, options.out / f"latency.{suffix}")
    console.print(f"{options.out / 'latency.json'}, {options.out / 'latency.png'}")


def cases(tasks: tuple[str, ...]) -> Iterator[Case]:
    for task in tasks:
        length = round(CHUNK_S * find_task(task).rate_hz)
        for kind in KINDS:
            for strategy in STRATEGIES:
                yield Case(task, kind, strategy, lambda n=length, kind=kind: ExpertChunksPolicy(n, kind))
        yield Case(task, "target_delta", SINGLE, ExpertPolicy)


def measure(world: World, case: Case, ms: int, options: Options) -> dict:
    """One point: the same episodes for every case and latency."""
    task, arm = find_task(case.task), load(ROBOTS, options.robot)
    execution = Execution.parse("receding" if case.strategy == SINGLE else case.strategy, str(ms))
    successes, seconds, events = 0, [], Counter()
    for index in range(options.trials):
        spec = task.plan("val", options.seed, index, arm)
        recorder = _Counting()
        verdict = run_episode(world, case.policy(), task, spec, recorder, execution)
        events += recorder.events
        if verdict.success:
            successes += 1
            seconds.append((recorder.ticks - 1) / spec.rate_hz)
    low, high = rate(successes, options.trials).ci95
    return {
        "task": case.task,
        "actions": KINDS[case.kind],
        "strategy": case.label,
        "latency_ms": ms,
        "successes": successes,
        "trials": options.trials,
        "ci95": [low, high],
        "median_s": round(float(np.median(seconds)), 2) if seconds else None,
        "events": dict(sorted(events.items())),
    }


def plot(points: list[dict], options: Options, path: Path) -> None:
    """Rows: tasks; columns: deltas and poses. Lines are moved sideways a little, so that equal ones show."""
    figure = Figure(figsize=(11, 3.6 * len(options.tasks)))
    axes = figure.subplots(len(options.tasks), 2, sharex=True, sharey=True, squeeze=False)
    colours = dict(zip(dict.fromkeys(point["strategy"] for point in points), colormaps["tab10"].colors, strict=False))
    for row, task in zip(axes, options.tasks, strict=True):
        for axis, actions in zip(row, KINDS.values(), strict=True):
            here = [point for point in points if (point["task"], point["actions"]) == (task, actions)]
            names = list(dict.fromkeys(point["strategy"] for point in here))
            for number, name in enumerate(names):
                line = [point for point in here if point["strategy"] == name]
                x = np.array([point["latency_ms"] for point in line]) + 6.0 * (number - (len(names) - 1) / 2)
                y = np.array([point["successes"] / point["trials"] for point in line])
                bounds = np.array([point["ci95"] for point in line]).T
                spread = np.maximum(0.0, [y - bounds[0], bounds[1] - y])
                style = {"color": colours[name], "marker": "o", "markersize": 4, "linewidth": 1.6, "label": name}
                axis.errorbar(x, y, spread, elinewidth=0.5, **style)
            axis.set_title(f"{task}, {actions}", fontsize=10)
            axis.set_ylim(-0.03, 1.03)
            axis.grid(alpha=0.25)
    for axis in axes[-1]:
        axis.set_xlabel("charged latency [ms]")
    for row in axes:
        row[0].set_ylabel("success")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, fontsize=9, frameon=False)
    figure.tight_layout(rect=(0, 0.09 if len(options.tasks) > 1 else 0.16, 1, 1))
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main(tyro.cli(Options))
