"""One side of a gap study: the finished sessions of one world, scored again from their raw facts and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from touchstone.data.journal import EpisodeLine, EpisodeLog
from touchstone.data.labels import plain_words, world_label
from touchstone.data.records import config_hash, differing_keys
from touchstone.data.sealed import SEALED, unseal
from touchstone.errors import UsageError
from touchstone.scoring.gap.stages import stages_of
from touchstone.scoring.many import find_sessions
from touchstone.scoring.score import ScoredSession, edited, scored_in
from touchstone.spec import Spec

Which = Literal["sim", "real"]
#: plants that each side may have: nothing but atoms is real, and only a shadow may stand in for it
PLANTS = {"sim": ("twin",), "real": ("shadow", "atoms")}
#: what of a spec must be what the session's configuration says
_SAID_TWICE = ("task", "protocol", "robot", "seed")


@dataclass(frozen=True)
class Trial:
    """One episode. key: hash of its spec. passed: how many stages of its task it passed. session: where it is."""

    key: str
    line: EpisodeLine
    passed: int
    session: ScoredSession

    @property
    def spec(self) -> Spec:
        return self.line.spec

    @property
    def success(self) -> bool:
        return self.line.verdict.success


@dataclass(frozen=True)
class CellKey:
    """What is compared: one policy on one task, protocol and arm."""

    policy: str
    task: str
    protocol: str
    robot: str


@dataclass(frozen=True)
class Side:
    """The sessions of one world. which: `sim`, or `real` for the bench or what stands in for it."""

    which: Which
    sessions: tuple[ScoredSession, ...]
    trials: dict[CellKey, dict[str, Trial]]

    @property
    def world(self) -> str:
        return self.sessions[0].summary.world

    @property
    def plant(self) -> str:
        return self.sessions[0].summary.plant

    @property
    def label(self) -> str:
        """The world's familiar name, `real` for atoms alone."""
        return world_label(self.plant, self.sessions[0].summary.path)

    @property
    def words(self) -> str:
        return plain_words(self.plant, self.sessions[0].summary.path)

    @cached_property
    def by_cell(self) -> dict[CellKey, list[ScoredSession]]:
        out: dict[CellKey, list[ScoredSession]] = {}
        for session in self.sessions:
            out.setdefault(cell_of(session), []).append(session)
        return out


def read_side(
    which: Which, folders: Iterable[Path], each: Callable[[list[Path]], Iterable[Path]] = lambda sessions: sessions
) -> Side:
    """Reads, scores and checks all sessions in some folders; `each` may show how far it is.

    Raises UsageError if there is none, if a journal is not as it was written, if worlds are mixed, if the world does
    not belong on this side, or if two sessions hold the same episode for the same policy; TouchstoneError as `scored`.
    """
    sessions: list[ScoredSession] = []
    trials: dict[CellKey, dict[str, Trial]] = {}
    for path in each(find_sessions(folders)):
        session, found = _scored(path)
        _check_head(session)
        _check_world(which, sessions[0] if sessions else session, session)
        cell = trials.setdefault(cell_of(session), {})
        for trial in found:
            other = cell.setdefault(trial.key, trial)
            if other is not trial:
                raise UsageError(
                    f"Both {other.session.record.path} and {path} hold episode {trial.line.episode} of "
                    f"{session.summary.policy}; leave one of them out."
                )
        sessions.append(session)
    return Side(which, tuple(sessions), trials)


def version_of(session: ScoredSession) -> str:
    """Of Touchstone, at the latest start."""
    return str(session.record.last_run.get("touchstone", "unknown"))


def cell_of(session: ScoredSession) -> CellKey:
    one = session.summary
    return CellKey(one.policy, one.task, one.protocol, one.robot)


def spec_key(spec: Spec) -> str:
    """The first 12 hex digits of the SHA-256 of the whole spec: equal for the same episode in every world."""
    return config_hash(spec.model_dump(mode="json"))


def _scored(path: Path) -> tuple[ScoredSession, list[Trial]]:
    passed: list[int] = []

    def watch(line: EpisodeLine, log: EpisodeLog) -> None:
        passed.append(stages_of(log.spec.task).passed(log.spec, log.facts, line.verdict))

    session = scored_in(path, watch)
    lines = session.record.lines
    return session, [Trial(spec_key(one.spec), one, so_far, session) for one, so_far in zip(lines, passed, strict=True)]


def _check_head(session: ScoredSession) -> None:
    """The parts of a journal that say the same twice must agree."""
    record = session.record
    for line in record.lines:
        for key in _SAID_TWICE:
            if getattr(line.spec, key) != record.config[key]:
                raise edited(record, f"episode {line.episode} is not of the {key} that session.json names")
    if (record.path / SEALED).exists() or record.last_run.get("sealed_sha256"):
        # only the seal is checked; what it hides must not reach the analysis
        unseal(record.path, record.last_run.get("sealed_sha256"))


def _check_world(which: Which, first: ScoredSession, session: ScoredSession) -> None:
    runs = {(run.get("plant"), run.get("path")) for run in session.record.head.runs}
    written = {line.world for line in session.record.lines}
    one = session.summary
    if len(runs) > 1 or written != {world_label(one.plant, one.path)}:
        raise edited(session.record, "its episodes and its starts do not name one world")
    path = session.record.path
    if one.plant not in PLANTS[which]:
        raise UsageError(
            f"{path} ran in '{one.plant}', which cannot be on the --{which} side; "
            + (
                "give twins to --sim."
                if which == "sim"
                else "only an arm is real, and only a shadow may stand in for it: give one of these to --real."
            )
        )
    here, there = (
        (one.world, one.plant, one.path),
        (first.summary.world, first.summary.plant, first.summary.path),
    )
    if here != there:
        raise UsageError(
            f"The --{which} side mixes worlds: {first.record.path} is {first.summary.world} and {path} is {one.world}; "
            "make one study for each."
        )


def check_same_settings(one: ScoredSession, other: ScoredSession, free: tuple[str, ...]) -> None:
    """Raises UsageError if two sessions differ in a setting beyond the free ones, or in the policy's contract."""
    keys = [key for key in differing_keys(one.record.config, other.record.config) if key.split(".", 1)[0] not in free]
    contracts = [session.record.last_run.get("contract") or {} for session in (one, other)]
    keys += [f"contract.{key}" for key in differing_keys(*contracts)]
    if keys:
        raise UsageError(
            f"{one.record.path} ({one.record.head.config_hash}) and {other.record.path} "
            f"({other.record.head.config_hash}) differ in {', '.join(keys)}, so their episodes are not the same "
            "experiment; run one of them again."
        )
