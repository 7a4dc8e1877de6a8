"""The same episodes behind ROS topics and behind emulated wires: do they end alike, and where?

    python benchmarks/emulated_against_twin.py [--trials 30] [--robot wx250s] [--out runs/paired]

Runs `--world twin-ros` and `--world emulated` with one policy of middling skill, the same seed and so the same
episodes; both sessions can be broken off and are gone on with. Prints how many verdicts agree, how far apart the
fingertips were at the touch event, and every disagreement with what could explain it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from touchstone.bench import CARD_SIDE
from touchstone.data.journal import EpisodeLog, read_episode, read_session
from touchstone.geometry import Pose
from touchstone.tasks.emoji.touch_rule import HEIGHT_LIMIT

WORLDS = {"twin": "twin-ros", "emulated": "emulated"}
#: of an episode, what the emulated bench adds to the twin
TELLING = ("missed_tick", "intervention", "action_expired", "hold", "action_rejected", "ik_failure")


@dataclass(frozen=True)
class Options:
    trials: int = 30
    robot: str = "wx250s"
    policy: str = "policy_server.policies.degraded:NoisyPolicy"
    seed: int = 0
    variant: str = ""
    """what follows the colon of `emulated`, such as time_scale=0.5"""
    out: Path = Path("runs/paired")


@dataclass(frozen=True)
class Pair:
    """One episode in both worlds. apart_mm: between the TCPs at the touch events, None unless both had one.

    margin_mm: of the TCP in the twin to where the verdict would be another, at its touch event. events: of the emulated
    one, by kind.
    """

    episode: str
    verdicts: tuple[str, str]
    steps: tuple[int | None, int | None]
    agree: bool
    apart_mm: float | None
    margin_mm: float | None
    events: dict[str, int]


def main(options: Options) -> int:
    sessions = [_session(options, name) for name in WORLDS]
    logs = [_logs(out) for out in sessions]
    pairs = [_pair(*(each[episode] for each in logs)) for episode in sorted(logs[0])]
    run = read_session(sessions[1]).last_run
    Console().print(_table(pairs))
    apart = [pair.apart_mm for pair in pairs if pair.apart_mm is not None]
    summary = {
        "robot": options.robot,
        "policy": options.policy,
        "time_scale": run["offer"].get("time_scale"),
        "agree": sum(pair.agree for pair in pairs),
        "trials": len(pairs),
        "successes": [sum(log.verdict.success for log in each.values()) for each in logs],
        "touched_in_both": len(apart),
        "apart_mm": {"median": float(np.median(apart)), "largest": max(apart)} if apart else None,
        "missed_ticks": sum(pair.events.get("missed_tick", 0) for pair in pairs),
    }
    (options.out / "paired.json").write_text(json.dumps({**summary, "pairs": [asdict(p) for p in pairs]}, indent=2))
    print(json.dumps(summary, indent=2))
    return 0


def _session(options: Options, name: str) -> Path:
    world, out = WORLDS[name], options.out / f"{name}-{options.robot}"
    if options.variant and name == "emulated":
        world += f":{options.variant}"
    command = [sys.executable, "-m", "touchstone.cli", "eval", "touch-emoji", "--world", world, "--out", str(out)]
    command += ["--robot", options.robot, "--policy", options.policy, "--seed", str(options.seed)]
    started = time.monotonic()
    code = subprocess.run([*command, "--trials", str(options.trials)], check=False).returncode
    if code:
        sys.exit(code)  # it has said why, and the same command goes on
    print(f"{world}: {time.monotonic() - started:.0f} s")
    return out


def _logs(out: Path) -> dict[str, EpisodeLog]:
    return {path.stem: read_episode(path) for path in sorted((out / "episodes").glob("*.mcap"))}


def _pair(twin: EpisodeLog, emulated: EpisodeLog) -> Pair:
    points = [_touch(log) for log in (twin, emulated)]
    kinds = [event.kind for event in emulated.events]
    both = all(point is not None for point in points)
    return Pair(
        episode=twin.spec.episode,
        verdicts=(twin.verdict.reason, emulated.verdict.reason),
        steps=(twin.verdict.step, emulated.verdict.step),
        agree=(twin.verdict.execution, twin.verdict.chosen) == (emulated.verdict.execution, emulated.verdict.chosen),
        apart_mm=1e3 * float(np.linalg.norm(points[0] - points[1])) if both else None,
        margin_mm=None if points[0] is None else 1e3 * _margin(twin, points[0]),
        events={kind: kinds.count(kind) for kind in TELLING if kind in kinds},
    )


def _touch(log: EpisodeLog) -> np.ndarray | None:
    """The TCP at the touch event, float64[3] [m]."""
    step = log.verdict.step
    return None if step is None else np.array(next(f for f in log.facts if f.step == step).tcp.value[:3])


def _margin(log: EpisodeLog, tcp: np.ndarray) -> float:
    """How far the TCP is from the nearest border of a card's space: where execution or choice would flip [m]."""
    nearest = np.inf
    facts = next(f for f in log.facts if f.step == log.verdict.step)
    for fact in facts.objects.values():
        inside = Pose.from_list(fact.value).inverse()
        x, y, z = inside.rotation().apply(tcp) + inside.position
        beyond = np.array([abs(x) - CARD_SIDE / 2, abs(y) - CARD_SIDE / 2, z - HEIGHT_LIMIT, -z])
        distance = np.linalg.norm(np.maximum(beyond, 0)) if beyond.max() > 0 else -beyond.max()
        nearest = min(nearest, float(distance))
    return nearest


def _table(pairs: list[Pair]) -> Table:
    table = Table("episode", "twin-ros", "emulated", "ticks", "apart", "margin", "events", title="Same episodes")
    for pair in pairs:
        twin, emulated = pair.verdicts
        table.add_row(
            pair.episode,
            twin,
            "the same" if pair.agree else f"[red]{emulated}[/red]",
            "/".join(str(step) for step in pair.steps),
            "" if pair.apart_mm is None else f"{pair.apart_mm:.1f} mm",
            "" if pair.margin_mm is None else f"{pair.margin_mm:.1f} mm",
            ", ".join(f"{n} {kind}" for kind, n in pair.events.items()),
        )
    return table


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
