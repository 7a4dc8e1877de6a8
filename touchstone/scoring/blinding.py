"""Blind studies: a sealed schedule in which policies have aliases, and labels that cannot be changed any more.

plan.json    the schedule: trial number, alias, episode; and the digest of the seal
plan.sealed  which alias is which policy; sealed, not secret, as a shadow's parameters
labels.jsonl one line a trial, each with the digest of the line before it
unblinded.json  when the seal was opened, after which nothing can be labelled
results.json    what was found (`blinding_results`)
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from touchstone.data.disk import append_line, lock, replace_whole, writable_folder
from touchstone.data.records import now
from touchstone.errors import TouchstoneError, UsageError
from touchstone.facts import Record
from touchstone.registry import ROBOTS, load
from touchstone.spec import Spec
from touchstone.tasks.base import task as find_task

PLAN, SEALED, LABELS, KEYS, UNBLINDED = "plan.json", "plan.sealed", "labels.jsonl", "keys.jsonl", "unblinded.json"
#: of plan.json
SCHEMA = 1
_HEADER = b"touchstone plan sealed 1: which alias is which policy; open with `touchstone plan unblind DIR`\n"
#: aliases are letters
MOST_POLICIES = 26


class Asked(Record):
    """What a blind study asks. trials: episodes of each policy, the same for all."""

    task: str
    robot: str
    protocol: str
    seed: int
    trials: int


class Turn(Record):
    """One trial of the schedule. number: from 1. index: of the episode."""

    number: int
    alias: str
    index: int


class Plan(Record):
    """`plan.json`. Every episode is a block in which every alias has one turn, in an order of its own."""

    schema_version: int = SCHEMA
    asked: Asked
    aliases: tuple[str, ...]
    turns: tuple[Turn, ...]
    sealed_sha256: str


class Label(Record):
    """What was seen in one trial, and under which circumstances.

    chosen: the placement that was acted on, None if there was no execution. temperature: hottest motor [deg C].
    pause_s: since the last trial's label. previous: SHA-256 of the line before (of plan.json for the first).
    """

    number: int
    chosen: str | None
    operator: str
    temperature: float | None
    note: str
    at: str
    pause_s: float | None
    previous: str


@dataclass(frozen=True)
class BlindStudy:
    """A folder read back: the plan, and the labels so far."""

    path: Path
    plan: Plan
    labels: tuple[Label, ...]

    @property
    def unblinded(self) -> bool:
        return (self.path / UNBLINDED).exists()

    @property
    def next_turn(self) -> Turn | None:
        """The first trial without a label."""
        return self.plan.turns[len(self.labels)] if len(self.labels) < len(self.plan.turns) else None

    def spec(self, turn: Turn) -> Spec:
        asked = self.plan.asked
        return find_task(asked.task).plan(asked.protocol, asked.seed, turn.index, load(ROBOTS, asked.robot))


def make_plan(out: Path, asked: Asked, policies: Sequence[str], entropy: int | None = None) -> Plan:
    """Draws a schedule into the folder `out`.

    entropy: of the draw; fresh unless said, because who knows it knows the aliases. It goes into the seal.
    Raises UsageError for fewer than two policies, one named twice, an unknown task, and a folder that holds a plan.
    """
    if not 2 <= len(policies) <= MOST_POLICIES or len(set(policies)) < len(policies):
        raise UsageError(f"A blind study compares 2 to {MOST_POLICIES} different policies; name each once.")
    if asked.trials < 1:
        raise UsageError(f"--trials is {asked.trials}; ask for at least 1 episode of each policy.")
    find_task(asked.task).plan(asked.protocol, asked.seed, 0, load(ROBOTS, asked.robot))
    writable_folder(out)
    if (out / PLAN).exists():
        raise UsageError(f"{out} holds a plan already; choose another folder.")
    entropy = secrets.randbits(64) if entropy is None else entropy
    draw = np.random.default_rng(entropy)
    aliases = [chr(ord("A") + k) for k in range(len(policies))]
    hidden = dict(zip(aliases, (policies[k] for k in draw.permutation(len(policies))), strict=True))
    order = [(aliases[k], int(i)) for i in draw.permutation(asked.trials) for k in draw.permutation(len(aliases))]
    whole = _HEADER + base64.encodebytes(zlib.compress(json.dumps({"aliases": hidden, "entropy": entropy}).encode(), 9))
    replace_whole(out / SEALED, whole)
    turns = tuple(Turn(number=n, alias=alias, index=index) for n, (alias, index) in enumerate(order, 1))
    plan = Plan(asked=asked, aliases=tuple(aliases), turns=turns, sealed_sha256=hashlib.sha256(whole).hexdigest())
    replace_whole(out / PLAN, (plan.model_dump_json(indent=2) + "\n").encode())
    return plan


def read_study(path: Path) -> BlindStudy:
    """Raises UsageError if there is no plan or one of a newer version, TouchstoneError if a label was changed after it
    was given."""
    if not (path / PLAN).is_file():
        raise UsageError(f"There is no plan in {path} (no {PLAN}); make one with `touchstone plan make`.")
    data = (path / PLAN).read_bytes()
    try:
        written = json.loads(data)
        if written["schema_version"] > SCHEMA:
            raise UsageError(
                f"{path / PLAN} has schema {written['schema_version']} and this version reads up to {SCHEMA}; "
                "update Touchstone."
            )
        plan = Plan.model_validate(written)
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path / PLAN} is not a plan that can be read; restore it.") from None
    previous, labels = hashlib.sha256(data).hexdigest(), []
    for number, row in enumerate((path / LABELS).read_bytes().splitlines() if (path / LABELS).exists() else (), 1):
        try:
            label = Label.model_validate_json(row)
        except ValidationError:
            label = None
        if label is None or label.number != number or label.previous != previous or number > len(plan.turns):
            raise TouchstoneError(f"{path / LABELS} was changed at or before line {number}; restore it.")
        previous = hashlib.sha256(row).hexdigest()
        labels.append(label)
    if (path / UNBLINDED).exists() and json.loads((path / UNBLINDED).read_text())["labels_sha256"] != _digest(path):
        raise TouchstoneError(f"{path / LABELS} was changed after the study was unblinded; restore it.")
    return BlindStudy(path, plan, tuple(labels))


def give_label(
    path: Path,
    number: int,
    chosen: str | None,
    *,
    operator: str,
    temperature: float | None = None,
    note: str = "",
    at: str | None = None,
) -> Label:
    """Labels the next trial, for good.

    number: the trial that is meant, so that nobody labels the wrong one. at: ISO 8601, UTC; now unless said.
    Raises UsageError if it is not the next one, was labelled, or the study is unblinded, and for an unknown card.
    """
    writing = lock(path / ".lock") if path.is_dir() else None
    try:
        study = read_study(path)
        turn = study.next_turn
        if study.unblinded:
            raise UsageError(f"The study in {path} is unblinded; no label can be given any more.")
        if turn is None or number < turn.number:
            raise UsageError(f"Trial {number} of {path} has its label, and labels stay as they were given.")
        if number > turn.number:
            raise UsageError(
                f"Trial {turn.number} of {path} comes next, not {number}; `touchstone plan next` shows it."
            )
        spec = study.spec(turn)
        names = [placement.name for placement in spec.choices]
        if chosen is not None and chosen not in names:
            raise UsageError(f"There is no '{chosen}' in trial {number}; choose one of {', '.join(names)}, or none.")
        if not operator.strip():
            raise UsageError("Say who gives the label with --operator; it is a covariate of the study.")
        stamp = at or now()
        label = Label(
            number=number,
            chosen=chosen,
            operator=operator,
            temperature=temperature,
            note=note,
            at=stamp,
            pause_s=_seconds(study.labels[-1].at, stamp) if study.labels else None,
            previous=hashlib.sha256(_last_line(path)).hexdigest(),
        )
        append_line(path / LABELS, label.model_dump_json())
        return label
    finally:
        if writing is not None:
            writing.close()


def unblind(path: Path) -> dict[str, str]:
    """Alias -> policy, once every trial has its label; writes unblinded.json at the first time.

    Raises UsageError while labels are missing, and if the seal is not the one that the plan was made with.
    """
    study = read_study(path)
    missing = len(study.plan.turns) - len(study.labels)
    if missing:
        raise UsageError(f"{missing} of {len(study.plan.turns)} trials in {path} have no label yet; label them first.")
    hidden = _open(study)
    if not study.unblinded:
        opened = {"at": now(), "aliases": hidden, "labels_sha256": _digest(path)}
        replace_whole(path / UNBLINDED, (json.dumps(opened, indent=2) + "\n").encode())
    return hidden


def show_key(path: Path) -> dict[str, str]:
    """Alias -> policy, for whoever starts the policies and gives no label; that it was shown stays in keys.jsonl.

    Raises UsageError if the seal is not the one that the plan was made with.
    """
    hidden = _open(read_study(path))
    append_line(path / KEYS, json.dumps({"at": now()}))
    return hidden


def key_shown(path: Path) -> tuple[str, ...]:
    """When the key was shown, ISO 8601, UTC."""
    rows = (path / KEYS).read_text().splitlines() if (path / KEYS).exists() else []
    return tuple(json.loads(row)["at"] for row in rows)


def _open(study: BlindStudy) -> dict[str, str]:
    path = study.path / SEALED
    whole = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(whole).hexdigest() != study.plan.sealed_sha256:
        raise UsageError(f"{path} is not the file that was sealed when the plan was made; restore it.")
    return json.loads(zlib.decompress(base64.decodebytes(whole[len(_HEADER) :])))["aliases"]


def _digest(path: Path) -> str:
    return hashlib.sha256((path / LABELS).read_bytes()).hexdigest()


def _last_line(path: Path) -> bytes:
    """What the next label's digest is of."""
    rows = (path / LABELS).read_bytes().splitlines() if (path / LABELS).exists() else []
    return rows[-1] if rows else (path / PLAN).read_bytes()


def _seconds(before: str, after: str) -> float:
    return round((datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds(), 3)
