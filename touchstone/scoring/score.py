"""Scores a session from its journal: every verdict is computed again from the raw facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from touchstone.data.disk import replace_whole
from touchstone.data.journal import EpisodeLine, EpisodeLog, SessionRecord, read_session
from touchstone.data.records import config_hash, stage_stats
from touchstone.errors import TouchstoneError, UsageError
from touchstone.scoring.rates import Rate, rate
from touchstone.scoring.summary import Beside, Slots, Summary
from touchstone.tasks.base import Verdict
from touchstone.tasks.base import task as find_task

SUMMARY = "summary.json"
Also = Callable[[EpisodeLine, EpisodeLog], None]


@dataclass(frozen=True)
class ScoredSession:
    """A session with its scores. stages_ms: every latency sample [ms] of each stage, in order."""

    record: SessionRecord
    stages_ms: dict[str, list[float]]
    summary: Summary


def score_session(path: Path) -> Summary:
    """Scores the session in a folder and writes its summary.json. Raises as `scored` does."""
    session = scored(path)
    replace_whole(session.record.path / SUMMARY, session.summary.to_json().encode())
    return session.summary


def _nothing(line: EpisodeLine, log: EpisodeLog) -> None:
    pass


def scored(path: Path, also: Also = _nothing) -> ScoredSession:
    """Scores the session in a folder. also: is given every episode as it is read, so that none is read twice.

    Raises UsageError if there is none, it is empty, or its description or a line was changed; TouchstoneError if a file
    is missing or changed, or if its facts give another verdict than the live one.
    """
    record = read_session(path)
    if config_hash(record.config) != record.head.config_hash:
        raise edited(record, "the configuration in session.json does not have the hash beside it")
    task = find_task(record.config["task"])
    stages_ms: dict[str, list[float]] = {}
    for line in record.lines:
        log = record.read(line)
        _as_recorded(record, line, log)
        _same(line, task.judge(log.spec, log.facts, log.events))
        also(line, log)
        for stages in log.stages_ms:
            for stage, milliseconds in stages.items():
                stages_ms.setdefault(stage, []).append(milliseconds)
    return ScoredSession(record, stages_ms, _summary(record, stages_ms))


def scored_in(path: Path, also: Also = _nothing) -> ScoredSession:
    """As `scored`; errors name the folder too, for an episode's name does not say which of many sessions it is in."""
    try:
        return scored(path, also)
    except UsageError:
        raise
    except TouchstoneError as error:
        raise TouchstoneError(f"In {path}: {error}") from error


def failure(verdict: Verdict) -> str | None:
    """The kind of failure, in words that do not name the objects; None for a success."""
    if verdict.success:
        return None
    return "acted on another object than the one asked for" if verdict.execution else verdict.reason


def edited(record: SessionRecord, what: str) -> UsageError:
    """What to raise for a journal whose parts contradict each other."""
    return UsageError(
        f"The journal in {record.path} was changed after it was written: {what}; restore it or run it again."
    )


def _as_recorded(record: SessionRecord, line: EpisodeLine, log: EpisodeLog) -> None:
    """What a line repeats must be what its recording says."""
    said = {
        "spec": (line.spec, log.spec),
        "name": (line.episode, log.spec.episode),
        "index": (line.index, log.spec.index),
        "verdict": (line.verdict, log.verdict),
        "number of steps": (line.steps, len(log.facts)),
        "number of events": (line.events, dict(Counter(event.kind for event in log.events))),
    }
    for what, (here, there) in said.items():
        if here != there:
            raise edited(record, f"episode {line.episode} has another {what} in episodes.jsonl than in its recording")


def _same(line: EpisodeLine, again: Verdict) -> None:
    if again != line.verdict:
        raise TouchstoneError(
            f"Episode {line.episode}: its facts give '{again.reason}' but live it was "
            f"'{line.verdict.reason}'; score it with the version that recorded it (session.json names it)."
        )


def _summary(record: SessionRecord, stages_ms: dict[str, list[float]]) -> Summary:
    config, run = record.config, record.last_run
    verdicts = [line.verdict for line in record.lines]
    execution, recognition, overall = _rates(verdicts)
    plant, path = run.get("plant", "unknown"), run.get("path", "unknown")
    return Summary(
        schema=1,
        task=config["task"],
        world=config["world"],
        plant=plant,
        path=path,
        robot=config["robot"],
        policy=config["policy"],
        protocol=config["protocol"],
        seed=config["seed"],
        rule=find_task(config["task"]).rules[0],
        trials=len(verdicts),
        planned=run.get("trials"),
        execution=execution,
        recognition=recognition,
        overall=overall,
        latency_ms={stage: stage_stats(values) for stage, values in stages_ms.items()},
        config_hash=record.head.config_hash,
        privileged=any((run.get("contract") or {}).get("needs_privileged", False) for run in record.head.runs),
        shader=(run.get("offer") or {}).get("shader"),
        failures=dict(Counter(why for why in map(failure, verdicts) if why is not None)),
        by_slot=_slots(record.lines),
        beside=_beside(verdicts),
    )


def _slots(lines: tuple[EpisodeLine, ...]) -> Slots:
    choices = [placement for line in lines for placement in line.spec.choices]
    names = sorted({placement.name for placement in choices})
    pairs = Counter((line.spec.target, line.verdict.chosen) for line in lines)
    counts = tuple(tuple(pairs[asked, chosen] for chosen in (*names, None)) for asked in names)
    return Slots(names=tuple(names), counts=counts)


def _beside(verdicts: list[Verdict]) -> dict[str, Beside]:
    out = {}
    for rule in sorted({rule for verdict in verdicts for rule in verdict.beside}):
        pairs = [(verdict, verdict.beside[rule]) for verdict in verdicts if rule in verdict.beside]
        execution, recognition, overall = _rates([other for _, other in pairs])
        agree = sum(
            (one.execution, one.recognition, one.chosen) == (other.execution, other.recognition, other.chosen)
            for one, other in pairs
        )
        out[rule] = Beside(execution=execution, recognition=recognition, overall=overall, agree=agree)
    return out


def _rates(verdicts: list[Verdict]) -> tuple[Rate, Rate, Rate]:
    """Execution, recognition among the executed, and both."""
    executed = sum(verdict.execution for verdict in verdicts)
    succeeded = sum(verdict.success for verdict in verdicts)
    return rate(executed, len(verdicts)), rate(succeeded, executed), rate(succeeded, len(verdicts))
