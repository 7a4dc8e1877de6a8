"""Many sessions as one table, as in GrinningFace's Table 3: a block per policy and rule, a column per protocol, a row
per seed. Everything is computed again from the journals; no summary.json is read."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field

from touchstone.data.labels import plain_words
from touchstone.data.reading import HEAD
from touchstone.data.records import differing_keys
from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.published import GRINNINGFACE_TABLE_3, PublishedTable
from touchstone.scoring.rates import Rate
from touchstone.scoring.score import ScoredSession, scored_in

PROTOCOL_ORDER = ("id", "train", "val", "hard", "train-authors", "val-authors", "hard-authors")
SCORES = ("execution", "recognition", "overall")
#: settings in which the seeds of a column may differ, and those in which columns may; where a record lies is free, for
#: its digest is in `material`
_OF_SEED = ("seed", "record")
_OF_PROTOCOL = (*_OF_SEED, "protocol", "material")


class Cell(Record):
    """One session by one rule. planned: episodes asked for, None if not recorded."""

    seed: int
    session: str
    trials: int
    planned: int | None
    execution: Rate
    recognition: Rate
    overall: Rate

    @property
    def complete(self) -> bool:
        return self.planned is None or self.trials >= self.planned


class Spread(Record):
    """Mean and sample standard deviation (n - 1) over seeds, as fractions; None where undefined.

    seeds: how many had a rate; a seed in which nothing was executed has no recognition.
    """

    mean: float | None
    std: float | None
    seeds: int


class Column(Record):
    """One protocol: its cells by seed, and their spread by score."""

    protocol: str
    cells: tuple[Cell, ...]
    spread: dict[str, Spread]


class Block(Record):
    """What can be compared: one task, world, robot, policy and rule. decides: it is the task's first rule.

    where: plant and path in plain words. privileged: the policy saw simulator facts. published: the table to hold
    against it, if there is one.
    """

    task: str
    world: str
    where: str
    robot: str
    policy: str
    privileged: bool
    rule: str
    decides: bool
    columns: tuple[Column, ...]
    published: PublishedTable | None


class SeedTable(Record):
    """What `table3.json` holds."""

    schema_: Literal[1] = Field(1, alias="schema")
    deviation: Literal["sample"] = "sample"
    blocks: tuple[Block, ...]


def seed_table(
    folders: Iterable[Path], each: Callable[[list[Path]], Iterable[Path]] = lambda sessions: sessions
) -> SeedTable:
    """The table of all sessions in some folders; `each` is handed the sessions and may show how far it is.

    Raises UsageError if there is no session, if two are for the same seed of one cell, or if sessions of one block
    differ in a setting; otherwise as `scored` does.
    """
    groups: dict[tuple, list[ScoredSession]] = defaultdict(list)
    for path in each(find_sessions(folders)):
        session = scored_in(path)
        one = session.summary
        groups[one.task, one.world, plain_words(one.plant, one.path), one.robot, one.policy].append(session)
    blocks = []
    for _, sessions in sorted(groups.items()):
        _check_alike(sessions)
        blocks += _blocks(sessions)
    return SeedTable(schema=1, blocks=tuple(blocks))


def find_sessions(folders: Iterable[Path]) -> list[Path]:
    """The folders that are sessions, and the sessions directly inside the others, each once, in the order given."""
    found: dict[Path, Path] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}; give session folders, or folders that hold some.")
        inside = [folder] if (folder / HEAD).is_file() else sorted(head.parent for head in folder.glob(f"*/{HEAD}"))
        if not inside:
            raise UsageError(
                f"There is no session in {folder} or in the folders directly inside it (no {HEAD}); "
                "give the OUT folders of evaluations."
            )
        for session in inside:
            found.setdefault(session.resolve(), session)
    if not found:
        raise UsageError("No folder was given; give session folders, or folders that hold some.")
    return list(found.values())


def spread(rates: Iterable[float | None]) -> Spread:
    """Mean and sample standard deviation of the rates that are defined, six decimals."""
    known = [rate for rate in rates if rate is not None]
    return Spread(
        mean=round(statistics.fmean(known), 6) if known else None,
        std=round(statistics.stdev(known), 6) if len(known) > 1 else None,
        seeds=len(known),
    )


def _check_alike(sessions: list[ScoredSession]) -> None:
    """One block mixes no settings, and one cell holds one session."""
    first_of: dict[str, ScoredSession] = {}
    cells: dict[tuple[str, int], ScoredSession] = {}
    for session in sessions:
        protocol, seed = session.summary.protocol, session.summary.seed
        twin = cells.setdefault((protocol, seed), session)
        if twin is not session:
            raise UsageError(
                f"Both {twin.record.path} and {session.record.path} are seed {seed} of {protocol} for "
                f"{session.summary.policy} on {session.summary.task}; leave one of them out."
            )
        _check_settings(sessions[0], session, _OF_PROTOCOL)
        _check_settings(first_of.setdefault(protocol, session), session, _OF_SEED)


def _check_settings(one: ScoredSession, other: ScoredSession, free: tuple[str, ...]) -> None:
    keys = differing_keys(one.record.config, other.record.config)
    keys = [key for key in keys if key.split(".", 1)[0] not in free]
    if keys:
        raise UsageError(
            f"{one.record.path} and {other.record.path} differ in {', '.join(keys)}, so they cannot share a table; "
            "give them to two commands."
        )


def _blocks(sessions: list[ScoredSession]) -> list[Block]:
    """A block for every rule, the deciding one first."""
    one = sessions[0].summary
    others = sorted({rule for session in sessions for rule in session.summary.beside})
    return [
        Block(
            task=one.task,
            world=one.world,
            where=plain_words(one.plant, one.path),
            robot=one.robot,
            policy=one.policy,
            privileged=any(session.summary.privileged for session in sessions),
            rule=rule,
            decides=rule == one.rule,
            columns=_columns(sessions, rule),
            published=GRINNINGFACE_TABLE_3
            if (one.task, rule) == (GRINNINGFACE_TABLE_3.task, GRINNINGFACE_TABLE_3.rule)
            else None,
        )
        for rule in (one.rule, *others)
    ]


def _columns(sessions: list[ScoredSession], rule: str) -> tuple[Column, ...]:
    cells: dict[str, list[Cell]] = defaultdict(list)
    for session in sessions:
        summary = session.summary
        scores = summary if rule == summary.rule else summary.beside[rule]
        cells[summary.protocol].append(
            Cell(
                seed=summary.seed,
                session=str(session.record.path),
                trials=summary.trials,
                planned=summary.planned,
                **{name: getattr(scores, name) for name in SCORES},
            )
        )
    order = [*(name for name in PROTOCOL_ORDER if name in cells), *sorted(cells.keys() - set(PROTOCOL_ORDER))]
    return tuple(
        Column(
            protocol=protocol,
            cells=tuple(sorted(cells[protocol], key=lambda cell: cell.seed)),
            spread={name: spread(getattr(cell, name).rate for cell in cells[protocol]) for name in SCORES},
        )
        for protocol in order
    )
