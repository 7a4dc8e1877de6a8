"""Who is compared: the sessions of each policy, scored again from their raw facts and checked as gap studies check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from touchstone.data.labels import world_label
from touchstone.data.reading import SessionRecord, read_session
from touchstone.data.records import differing_keys
from touchstone.errors import UsageError
from touchstone.scoring.gap.sides import PLANTS, CellKey, Side, Trial, check_same_settings, read_side, version_of
from touchstone.scoring.many import find_sessions
from touchstone.scoring.score import ScoredSession

#: settings in which the sessions of one policy may differ
_OF_SESSION = ("seed", "record", "material", "pictures")
#: and those in which policies may: how a chunk is carried out belongs to whoever made the policy
_OF_POLICY = (*_OF_SESSION, "policy", "strategy")
#: settings that name the task; told apart from the others, for they are the commonest mistake
_OF_TASK = ("task", "protocol", "robot")

Each = Callable[[list[Path]], Iterable[Path]]


@dataclass(frozen=True)
class Competitor:
    """One policy. name: for tables, unlike any other's. trials: by the hash of their spec."""

    name: str
    sessions: tuple[ScoredSession, ...]
    trials: dict[str, Trial]

    @property
    def first(self) -> ScoredSession:
        return self.sessions[0]


def read_competitors(folders: Sequence[Path], each: Each = lambda sessions: sessions) -> tuple[Competitor, ...]:
    """The policies in some folders, in the order given; `each` is handed the sessions and may show how far it is.

    Every folder is a session, or holds some; the sessions of one policy in one folder are taken together.
    Raises UsageError if fewer than two policies are there, if a session is given twice, or if tasks, worlds or settings
    differ; otherwise as `read_side` does.
    """
    found = [find_sessions([folder]) for folder in folders]
    _check_given_once(found)
    _check_heads([read_session(path) for sessions in found for path in sessions])
    competitors: list[tuple[Path, tuple[ScoredSession, ...], dict[str, Trial]]] = []
    for folder, sessions in zip(folders, found, strict=True):
        side = read_side(_which(sessions[0]), sessions, each)
        competitors += [(Path(folder), *_of_policy(side, key)) for key in side.trials]
    if len(competitors) < 2:
        there = f"{_label(competitors[0][1][0])} alone is in {competitors[0][0]}" if competitors else "none was given"
        raise UsageError(f"A comparison needs two policies or more, and {there}; add the session of another.")
    names = _names([(folder, sessions[0]) for folder, sessions, _ in competitors])
    out = tuple(Competitor(name, *rest) for name, (_, *rest) in zip(names, competitors, strict=True))
    for other in out[1:]:
        _check_settings(out[0].first, other.first)
    _check_no_copies(out)
    return out


def oddities(competitors: Sequence[Competitor]) -> list[str]:
    """What is odd about the sessions, a sentence each."""
    out = []
    for one in competitors:
        for session in one.sessions:
            have, planned = session.summary.trials, session.summary.planned
            if planned and have < planned:
                out.append(f"{session.record.path} has {have} of {planned} episodes so far.")
    if len({one.first.summary.privileged for one in competitors}) > 1:
        seeing = ", ".join(one.name for one in competitors if one.first.summary.privileged)
        out.append(f"{seeing} saw simulator facts, which the others did not.")
    if len({one.first.record.config.get("strategy") for one in competitors}) > 1:
        out.append("The policies' chunks were carried out by different strategies.")
    versions = {version_of(session) for one in competitors for session in one.sessions}
    if len(versions) > 1:
        out.append(f"The sessions were recorded by versions {', '.join(sorted(versions))} of Touchstone.")
    return out


def _check_given_once(found: Sequence[Sequence[Path]]) -> None:
    seen: set[Path] = set()
    for path in (path for sessions in found for path in sessions):
        if path.resolve() in seen:
            raise UsageError(f"The session {path} is given twice; name each policy's session once.")
        seen.add(path.resolve())


def _check_heads(records: Sequence[SessionRecord]) -> None:
    """One task and one world, before any facts are read."""
    for one, other in ((records[0], other) for other in records[1:]):
        tasks = [" ".join(str(record.config.get(key)) for key in _OF_TASK) for record in (one, other)]
        if tasks[0] != tasks[1]:
            raise UsageError(
                f"{one.path} is {tasks[0]} and {other.path} is {tasks[1]}; policies are compared on one task, protocol "
                "and arm."
            )
        worlds = [(record.config.get("world"), *_ran_in(record)) for record in (one, other)]
        if worlds[0] != worlds[1]:
            raise UsageError(
                f"{one.path} ran in {_world(one)} and {other.path} in {_world(other)}; policies are compared in one "
                "world, and worlds by `touchstone gap`."
            )


def _ran_in(record: SessionRecord) -> tuple[str, str]:
    return record.last_run.get("plant", "unknown"), record.last_run.get("path", "unknown")


def _world(record: SessionRecord) -> str:
    label, world = world_label(*_ran_in(record)), record.config.get("world")
    return label if label == world else f"{world} ({label})"


def _which(session: Path) -> str:
    plant = _ran_in(read_session(session))[0]
    for which, plants in PLANTS.items():
        if plant in plants:
            return which
    raise UsageError(f"{session} ran in '{plant}', which is no world that is known; run it again.")


def _of_policy(side: Side, key: CellKey) -> tuple[tuple[ScoredSession, ...], dict[str, Trial]]:
    first, *others = side.by_cell[key]
    for other in others:
        check_same_settings(first, other, _OF_SESSION)
    return (first, *others), side.trials[key]


def _label(session: ScoredSession) -> str:
    """What the policy calls itself; a registered name or an address otherwise."""
    return (session.record.last_run.get("contract") or {}).get("name") or session.summary.policy


def _names(given: Sequence[tuple[Path, ScoredSession]]) -> list[str]:
    """Labels; with what they were run as, or else their folder, where labels alone are not enough."""
    label = [_label(session) for _, session in given]
    forms = (
        label,
        [f"{text} ({session.summary.policy})" for text, (_, session) in zip(label, given, strict=True)],
        [f"{text} ({folder.name})" for text, (folder, _) in zip(label, given, strict=True)],
        [f"{text} ({session.record.path})" for text, (_, session) in zip(label, given, strict=True)],
    )
    return next(form for form in forms if len(set(form)) == len(form))


def _check_settings(one: ScoredSession, other: ScoredSession) -> None:
    keys = differing_keys(one.record.config, other.record.config)
    keys = [key for key in keys if key.split(".", 1)[0] not in _OF_POLICY]
    if keys:
        raise UsageError(
            f"{one.record.path} ({one.record.head.config_hash}) and {other.record.path} "
            f"({other.record.head.config_hash}) differ in {', '.join(keys)}, so more than the policy differs; run one "
            "of them again."
        )


def _check_no_copies(competitors: Sequence[Competitor]) -> None:
    owner: dict[tuple[str, str], Trial] = {}
    for trial in (trial for one in competitors for trial in one.trials.values()):
        other = owner.setdefault((trial.line.started_at, trial.line.files["mcap"].sha256), trial)
        if other is not trial:
            raise UsageError(
                f"{other.session.record.path} and {trial.session.record.path} hold the same recording of episode "
                f"{trial.line.episode}, so one is a copy of the other; leave it out."
            )
