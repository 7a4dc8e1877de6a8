"""The report: one HTML file that needs no network, for people."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import jinja2

from touchstone.data.disk import replace_whole
from touchstone.data.drawing import VERDICT_WORDS, outcome
from touchstone.data.journal import EpisodeLine, SessionRecord
from touchstone.data.labels import plain_words
from touchstone.registry import ROBOTS, load
from touchstone.scoring.charts import LatencyScale, interval_bar
from touchstone.scoring.pictures import end_picture, glyph_uri
from touchstone.scoring.rules import rule_sentence
from touchstone.scoring.score import ScoredSession, scored
from touchstone.scoring.summary import Summary
from touchstone.tasks.base import Verdict
from touchstone.tasks.labels import PLACED

REPORT = "report.html"
#: events of every good episode, attended or not, which explain no failure
_EXPECTED = ("close_commanded", PLACED)
_WHAT = {
    "execution": "The motion was done, of all trials.",
    "recognition": "On the object asked for, of those executed.",
    "overall": "Both, of all trials.",
}


def _pace(record: SessionRecord) -> str | None:
    """How fast a world ran that waits for a clock, and how often it was too late; None for one that computes."""
    if (record.last_run.get("offer") or {}).get("time_scale") is None:
        return None
    missed = sum(line.events.get("missed_tick", 0) for line in record.lines)
    ticks = sum(line.steps for line in record.lines)
    return f"It ran at {record.last_run['time_scale']}; {missed} of {ticks} ticks were missed."


def write_report(path: Path) -> Path:
    """Scores the session in a folder and writes its report.html. Raises as `scored` does."""
    session = scored(path)
    out = session.record.path / REPORT
    replace_whole(out, _environment().get_template("report.html.j2").render(_context(session)).encode())
    return out


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("touchstone.scoring", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _context(session: ScoredSession) -> dict[str, Any]:
    record, summary = session.record, session.summary
    episodes = [_episode(session, line) for line in record.lines]
    run = record.last_run
    return {
        "summary": summary,
        "robot": load(ROBOTS, summary.robot).title,
        "where": plain_words(summary.plant, summary.path),
        "pace": _pace(session.record),
        "rates": _rates(session),
        "rules": {rule: rule_sentence(summary.task, rule) for rule in (summary.rule, *summary.beside)},
        "episodes": episodes,
        "words": VERDICT_WORDS,
        "counts": {kind: sum(one["kind"] == kind for one in episodes) for kind in VERDICT_WORDS},
        "slots": _slot_names(session),
        "latencies": _latencies(session),
        "command": _command(session),
        "started": record.head.runs[0].get("started_at", "") if record.head.runs else "",
        "runs": len(record.head.runs),
        "settings": _flat(record.config),
        "provenance": _flat({key: run[key] for key in run if key != "started_at"}),
    }


def _command(session: ScoredSession) -> str:
    """The command line that asks for the same episodes."""
    config, summary = session.record.config, session.summary
    words = ["touchstone", "eval", summary.task]
    for name in (
        "world",
        "policy",
        "robot",
        "protocol",
        "seed",
        "camera",
        "shader",
        "meshes",
        "arm_start",
        "wording",
        "record",
        "strategy",
        "charge_latency",
    ):
        if config.get(name) is not None:
            words += [f"--{name.replace('_', '-')}", str(config[name])]
    if not config.get("pictures", True):
        words.append("--no-pictures")
    return shlex.join([*words, "--trials", str(summary.planned or summary.trials), "--out", "OUT"])


def _rates(session: ScoredSession) -> list[dict[str, Any]]:
    layouts = {len(line.spec.choices) for line in session.record.lines}
    chance = 1 / layouts.pop() if len(layouts) == 1 else None
    out = []
    for name, what in _WHAT.items():
        rate = getattr(session.summary, name)
        bar = interval_bar(rate, chance if name == "recognition" else None)
        beside = {rule: getattr(scores, name) for rule, scores in session.summary.beside.items()}
        out.append({"name": name, "what": what, "rate": rate, "bar": bar, "beside": beside})
    return out


def _episode(session: ScoredSession, line: EpisodeLine) -> dict[str, Any]:
    files = line.files
    count = len(session.record.lines)
    picture = end_picture(session.record.path / files["jpg"].path, count) if "jpg" in files else None
    return {
        "name": line.episode,
        "number": line.index + 1,
        "instruction": line.spec.instruction,
        "kind": outcome(line.verdict),
        "differs": {
            rule: outcome(other) for rule, other in line.verdict.beside.items() if _differ(line.verdict, other)
        },
        "reason": line.verdict.reason,
        "steps": line.steps,
        "asked": _card(line, line.spec.target),
        "chosen": _card(line, line.verdict.chosen),
        "picture": picture,
        "files": {kind: entry.path for kind, entry in files.items()},
        "events": ", ".join(f"{many} x {kind}" for kind, many in line.events.items() if kind not in _EXPECTED),
    }


def _differ(one: Verdict, other: Verdict) -> bool:
    return (one.execution, one.recognition, one.chosen) != (other.execution, other.recognition, other.chosen)


def _card(line: EpisodeLine, name: str | None) -> dict[str, Any] | None:
    if name is None:
        return None
    placement = line.spec.placement(name)
    return {"label": placement.label, "emoji": placement.emoji or "", "picture": glyph_uri(placement.emoji)}


def _slot_names(session: ScoredSession) -> list[str]:
    """Three slots are called as the robot would: left is +y."""
    names = session.summary.by_slot.names
    if len(names) != 3:
        return list(names)
    across = {name: 0.0 for name in names}
    for line in session.record.lines:
        for placement in line.spec.choices:
            across[placement.name] += placement.xy[1]
    order = sorted(names, key=lambda name: -across[name])
    return [("left", "middle", "right")[order.index(name)] for name in names]


def _latencies(session: ScoredSession) -> list[dict[str, Any]]:
    scale = LatencyScale(session.stages_ms)
    summary: Summary = session.summary
    return [
        {
            "stage": stage,
            "stats": stats,
            "chart": scale.histogram(stage, session.stages_ms[stage], stats.p50, stats.p99),
        }
        for stage, stats in sorted(summary.latency_ms.items())
    ]


def _flat(data: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in sorted(data.items()):
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)))
    return rows
