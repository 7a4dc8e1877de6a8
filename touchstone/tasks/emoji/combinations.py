"""What a training record showed: which three emojis lay where, and which was asked for. Protocol ID replays these.

A record is a dataset that `touchstone collect` wrote, a session folder, or a JSON list (or JSON lines) of objects
`{"card_0": ..., "card_1": ..., "card_2": ..., "target": ...}` as in GrinningFace's metadata, where a card is an emoji's
character or name and the target is one of `card_0`, `card_1`, `card_2`, 0, 1, 2, or repeats one of the cards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from touchstone.errors import UsageError
from touchstone.spec import Spec
from touchstone.tasks.emoji.authors import emojis_labelled
from touchstone.tasks.emoji.table import Emoji, emojis

SLOTS = ("card_0", "card_1", "card_2")


@dataclass(frozen=True)
class Combination:
    """Three emojis in slot order, and the slot of the one that is asked for."""

    cards: tuple[Emoji, ...]
    target: int


def read_record(source: str) -> tuple[Combination, ...]:
    """The combinations of a record, in its order. Raises UsageError, naming the first thing that is wrong."""
    path = Path(source)
    if not path.exists():
        raise UsageError(f"There is no training record at {path}; name the folder or file with --record.")
    file = _file_of(path)
    return _read(file, file.stat().st_mtime_ns, str(path))


def record_digest(source: str) -> str:
    """First 12 hex digits of the SHA-256 over a record's combinations, in order."""
    rows = [
        [*(card.char for card in row.cards), *(card.name for card in row.cards), row.target]
        for row in read_record(source)
    ]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=True).encode()).hexdigest()[:12]


def _file_of(path: Path) -> Path:
    if path.is_file():
        return path
    for name in ("meta/info.json", "episodes.jsonl"):
        if (path / name).is_file():
            return path / name
    raise UsageError(f"{path} is neither a dataset (meta/info.json) nor a session (episodes.jsonl); name another.")


@lru_cache(maxsize=8)
def _read(file: Path, mtime_ns: int, source: str) -> tuple[Combination, ...]:
    rows = _of_dataset(file.parent.parent) if file.name == "info.json" else _of_lines(file)
    found = tuple(_combination(row, f"{source}, entry {number}") for number, row in enumerate(rows, 1))
    if not found:
        raise UsageError(f"The training record {source} holds no episode; name another one with --record.")
    return found


def _of_dataset(root: Path) -> Iterable[Any]:
    from touchstone.data.lerobot import read_dataset

    for episode in read_dataset(root).episodes:
        if "spec" not in episode:
            raise UsageError(
                f"The dataset {root} does not say what its episodes showed; use one by `touchstone collect`."
            )
        yield json.loads(episode["spec"])


def _of_lines(file: Path) -> Iterable[Any]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        data = json.loads(text)
    except OSError as error:
        raise UsageError(f"The training record {file} cannot be read ({error.strerror}); make it readable.") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The training record {file} is not JSON ({error}); name another one with --record.") from None
    if not isinstance(data, list):
        raise UsageError(f"The training record {file} is not a list of combinations; name another one with --record.")
    return data


def _combination(row: Any, where: str) -> Combination:
    spec = row.get("spec", row) if isinstance(row, dict) else None
    if isinstance(spec, dict) and "layout" in spec:
        return _of_spec(spec, where)
    if not isinstance(row, dict) or any(slot not in row for slot in (*SLOTS, "target")):
        raise UsageError(f"{where} has not the fields {', '.join(SLOTS)} and target; correct it.")
    cards = tuple(_emoji(row[slot], where) for slot in SLOTS)
    return _checked(cards, _slot(row, where), where)


def _of_spec(data: dict, where: str) -> Combination:
    try:
        spec = Spec.model_validate(data)
    except ValidationError as error:
        what = error.errors()[0]["msg"]
        raise UsageError(f"{where} is not an episode of this version ({what}); record it again.") from None
    cards = [placement for placement in spec.layout if placement.kind == "card"]
    if len(cards) != len(SLOTS):
        raise UsageError(f"{where} shows {len(cards)} cards and {len(SLOTS)} are needed; name another record.")
    for card in cards:
        if card.emoji is None or len(card.emoji) != 1:
            raise UsageError(f"{where} shows {card.emoji!r}, which is not one emoji; record it again.")
    names = [card.name for card in cards]
    if spec.target not in names:
        raise UsageError(f"{where} asks for {spec.target!r}, which is none of its cards; record it again.")
    shown = tuple(Emoji(card.emoji, card.label, f"{ord(card.emoji):04X}") for card in cards)
    return _checked(shown, names.index(spec.target), where)


def _checked(cards: tuple[Emoji, ...], target: int, where: str) -> Combination:
    if len({card.char for card in cards}) != len(cards):
        raise UsageError(f"{where} shows one emoji twice; correct it.")
    return Combination(cards, target)


def _slot(row: dict, where: str) -> int:
    target = row["target"]
    if target in SLOTS:
        return SLOTS.index(target)
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < len(SLOTS):
        return target
    found = [slot for slot, name in enumerate(SLOTS) if row[name] == target]
    if len(found) != 1:
        raise UsageError(f"{where} asks for {target!r}, which is none of its cards; correct it.")
    return found[0]


def _emoji(name: Any, where: str) -> Emoji:
    known = [row for row in emojis() if name in (row.char, row.name)] or list(emojis_labelled(str(name)))
    if len(known) != 1:
        raise UsageError(f"{where} shows {name!r}, which is not the character or name of one known emoji; correct it.")
    return known[0]
