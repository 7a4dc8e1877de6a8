"""Scores a suite's run from its journals: every verdict is computed again from the raw facts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from touchstone.data.disk import replace_whole
from touchstone.data.journal import EpisodeLine
from touchstone.data.reading import LINES, SessionRecord, read_lines
from touchstone.data.records import differing_keys, stage_stats
from touchstone.data.suite_folder import OF_SESSION, SuiteHead, read_suite, session_folders
from touchstone.errors import TouchstoneError, UsageError
from touchstone.scoring.int_act.groups import group_of
from touchstone.scoring.int_act.language import language_of
from touchstone.scoring.int_act.records import SessionEntry, SuiteScores, Values
from touchstone.scoring.score import SUMMARY, ScoredSession, scored
from touchstone.tasks.int_act.deltas import summarize
from touchstone.tasks.int_act.objects import OBJECTS_FILE
from touchstone.tasks.int_act.suite import SUITE_FILE, suite
from touchstone.tasks.int_act.task import FAMILY
from touchstone.tasks.int_act.wordings import PARAPHRASES_FILE, SUITE_WORDS, words_name


@dataclass(frozen=True)
class SuiteSession:
    """One session of a suite, scored. task: id. words: name of its wording. stages_ms: as in `ScoredSession`."""

    record: SessionRecord
    task: str
    seed: int
    words: str
    stages_ms: dict[str, list[float]]

    def values(self) -> list[Values]:
        return [values_of(line) for line in self.record.lines]


@dataclass(frozen=True)
class ScoredSuite:
    """A suite's run with its scores."""

    path: Path
    head: SuiteHead
    sessions: tuple[SuiteSession, ...]
    scores: SuiteScores

    @property
    def counted(self) -> tuple[SuiteSession, ...]:
        """The sessions that the tables are of."""
        return tuple(session for session in self.sessions if session.words == self.scores.words)


def scored_suite(path: Path, each: Callable[[list[Path]], Iterable[Path]] = lambda folders: folders) -> ScoredSuite:
    """Scores the suite in a folder; `each` is handed the session folders and may show how far it is.

    Raises UsageError if there is no suite or it is empty, or if sessions in it belong to another run; TouchstoneError
    as `scored` does.
    """
    path = Path(path)
    head = read_suite(path)
    folders = [folder for folder in session_folders(path) if read_lines(folder / LINES)[0]]
    if not folders:
        raise UsageError(f"The suite in {path} holds no finished episode yet; run the evaluation first.")
    sessions = tuple(_session(folder) for folder in each(folders))
    for session in sessions:
        _check_alike(sessions[0], session)
    order = list(suite().tasks)
    sessions = tuple(sorted(sessions, key=lambda one: (order.index(one.task), _rank(one.words), one.seed)))
    return ScoredSuite(path, head, sessions, _scores(head, sessions))


def suite_of_one(session: ScoredSession) -> ScoredSuite:
    """A session of one task, `int-act:ID`, seen as a suite of that task, so that it is told in the same words."""
    one = _as_part(session)
    config, run = session.record.config, session.record.last_run
    asked = {
        "started_at": run.get("started_at", ""),
        "tasks": [one.task],
        "seeds": [one.seed],
        "episodes": run.get("trials") or len(session.record.lines),
        "wordings": [config.get("wording")],
        "instruction": config.get("instruction"),
    }
    head = SuiteHead(suite=FAMILY, config=config, config_hash=session.record.head.config_hash, runs=[asked])
    # the other tasks were not asked for
    scores = _scores(head, (one,)).model_copy(update={"not_run": ()})
    return ScoredSuite(session.record.path, head, (one,), scores)


def is_of_suite(task: str) -> bool:
    """Whether `int-act:ID` is a task of the suite."""
    return task.startswith(f"{FAMILY}:")


def write_suite_summary(scored_run: ScoredSuite) -> Path:
    """Writes summary.json into the suite's folder."""
    out = scored_run.path / SUMMARY
    replace_whole(out, scored_run.scores.to_json().encode())
    return out


def values_of(line: EpisodeLine) -> Values:
    return Values(**line.verdict.values)


def _session(folder: Path) -> SuiteSession:
    try:
        one = scored(folder)
    except UsageError:
        raise
    except TouchstoneError as error:
        # an episode's name alone does not say which of many sessions it is in
        raise TouchstoneError(f"In {folder}: {error}") from error
    if not is_of_suite(one.record.config["task"]):
        raise UsageError(f"{folder} is no session of the suite; move it elsewhere.")
    return _as_part(one)


def _as_part(one: ScoredSession) -> SuiteSession:
    config = one.record.config
    words = words_name(config.get("wording"), config.get("instruction"))
    return SuiteSession(one.record, config["task"].removeprefix(f"{FAMILY}:"), config["seed"], words, one.stages_ms)


def _check_alike(one: SuiteSession, other: SuiteSession) -> None:
    keys = differing_keys(one.record.config, other.record.config)
    keys = [key for key in keys if key.split(".", 1)[0] not in OF_SESSION]
    if keys:
        raise UsageError(
            f"{one.record.path} and {other.record.path} differ in {', '.join(keys)}, so they are not of one run; "
            "move one of them elsewhere."
        )


def _rank(words: str) -> tuple[bool, str]:
    """The suite's own words first."""
    return words != SUITE_WORDS, words


def _scores(head: SuiteHead, sessions: Sequence[SuiteSession]) -> SuiteScores:
    words = min((session.words for session in sessions), key=_rank)
    counted = [session for session in sessions if session.words == words]
    by_task: dict[str, dict[int, list[Values]]] = {}
    for session in counted:
        by_task.setdefault(session.task, {})[session.seed] = session.values()
    tables = summarize(by_task)
    pooled = {task: [one for values in by_seed.values() for one in values] for task, by_seed in by_task.items()}
    families = suite().families
    run, config = sessions[0].record.last_run, sessions[0].record.config
    runs = [run for session in sessions for run in session.record.head.runs]
    stages: dict[str, list[float]] = {}
    for session in sessions:
        for stage, values in session.stages_ms.items():
            stages.setdefault(stage, []).extend(values)
    lines = [line for session in counted for line in session.record.lines]
    failures = Counter(line.verdict.reason for line in lines if not line.verdict.beside["strict"].success)
    events: Counter[str] = Counter()
    for line in lines:
        events.update(line.events)
    uncounted = Counter(one.ending for name in pooled if not suite().task(name).counted for one in pooled[name])
    entries = tuple(_entry(session) for session in sessions)
    return SuiteScores(
        schema=1,
        suite=head.suite,
        policy=config["policy"],
        privileged=any((run.get("contract") or {}).get("needs_privileged", False) for run in runs),
        world=config["world"],
        plant=run.get("plant", "unknown"),
        path=run.get("path", "unknown"),
        robot=config["robot"],
        camera=head.config.get("camera"),
        shader=(run.get("offer") or {}).get("shader"),
        pictures=config.get("pictures", True),
        seeds=tuple(sorted({session.seed for session in counted})),
        words=words,
        trials=sum(entry.trials for entry in entries if entry.words == words),
        planned=_planned(head, words),
        config_hash=head.config_hash,
        tables={file.name: _digest(file) for file in (SUITE_FILE, OBJECTS_FILE, PARAPHRASES_FILE)},
        tasks=tables.tasks,
        subcategories={name: group_of(tables, pooled, (name,)) for members in families.values() for name in members},
        families={name: group_of(tables, pooled, members) for name, members in families.items()},
        all=group_of(tables, pooled, [name for members in families.values() for name in members]),
        not_run=tuple(name for name, task in suite().tasks.items() if task.counted and name not in tables.tasks),
        without_base=tuple(name for name, task in tables.tasks.items() if task.delta is None),
        failures=dict(sorted(failures.items(), key=lambda item: (-item[1], item[0]))),
        uncounted_endings=dict(sorted(uncounted.items())),
        events=dict(sorted(events.items())),
        latency_ms={stage: stage_stats(values) for stage, values in sorted(stages.items())},
        sessions=entries,
        language=language_of(sessions),
    )


def _planned(head: SuiteHead, words: str) -> int:
    """How many episodes of a wording all starts together asked for."""
    most: dict[tuple[str, int], int] = {}
    for run in head.runs:
        if words in {words_name(wording, run["instruction"]) for wording in run["wordings"]}:
            for task in run["tasks"]:
                for seed in run["seeds"]:
                    most[task, seed] = max(run["episodes"], most.get((task, seed), 0))
    return sum(most.values())


def _entry(session: SuiteSession) -> SessionEntry:
    record = session.record
    runs = record.head.runs
    return SessionEntry(
        name=record.path.name,
        task=session.task,
        seed=session.seed,
        words=session.words,
        trials=len(record.lines),
        planned=record.last_run.get("trials"),
        config_hash=record.head.config_hash,
        started_at=runs[0].get("started_at", "") if runs else "",
        touchstone=record.last_run.get("touchstone", "unknown"),
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
