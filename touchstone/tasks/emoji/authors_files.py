"""GrinningFace's emoji lists as their authors publish them: read, and refused with the entry that is wrong.

The authors' repository (github.com/zhangchuheng123/GrinningFace, commit 14d1d37) has them as four JSON files. Its train
list holds the even indices of "all" and its val list the odd ones, the first 100 each; its hard list is a part of "all"
that overlaps both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

import emoji as emoji_package

from touchstone.assets import read_files, shown
from touchstone.errors import MissingPart, UsageError
from touchstone.tasks.emoji.cards import card_picture, emoji_font

LISTS = ("all", "train", "val", "hard")
FILES = {name: f"meta_relabel_dedup_{name}.json" for name in LISTS}
FIELDS = ("char", "code", "desc", "paligemma_label")
#: where train and val start in "all", and how many entries each has
RULE = {"train": 0, "val": 1}
SPLIT_SIZE = 100
#: a scene shows three distinct emojis
FEWEST = 3
#: height of the pictures that show whether the font draws an emoji [pixels]
TRIAL_PIXELS = 64
AGAIN = "get the authors' files again"


@dataclass(frozen=True)
class Labelled:
    """One entry. code: code point as in the emoji table, e.g. `1F34E`. desc: official name. label: PaliGemma's."""

    char: str
    code: str
    desc: str
    label: str


def read_lists(source: str) -> dict[str, tuple[Labelled, ...]]:
    """The authors' lists by name, each in its own order: train and val always, all and hard where `source` has them.

    source: as `touchstone.assets.read_files` takes it. Raises UsageError, MissingPart (font).
    """
    files = read_files(source, tuple(FILES.values()))
    given = {name: _entries(file, files[file]) for name, file in FILES.items() if file in files}
    if "all" not in given and not RULE.keys() <= given.keys():
        raise UsageError(
            f"{shown(source)} lacks what is needed, {FILES['all']} or both {FILES['train']} and {FILES['val']}; "
            f"it has {', '.join(FILES[name] for name in given) or 'none of them'}."
        )
    _check_drawn(given)
    lists = given | _by_rule(given) if "all" in given else given
    _check_disjoint(lists["train"], lists["val"])
    return {name: lists[name] for name in LISTS if name in lists}


def _entries(file: str, data: bytes) -> tuple[Labelled, ...]:
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON ({' '.join(str(error).split())}); {AGAIN}.") from error
    if not isinstance(rows, list):
        raise UsageError(f"{file} is not a list of emojis; {AGAIN}.")
    if len(rows) < FEWEST:
        raise UsageError(f"{file} has {len(rows)} entries, and a scene needs {FEWEST} different emojis; {AGAIN}.")
    entries: list[Labelled] = []
    chars: dict[str, int] = {}
    labels: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        entry = _entry(file, number, row)
        for seen, key, what in (
            (chars, entry.char, "its character"),
            (labels, entry.label.casefold(), f"its label '{entry.label}'"),
        ):
            if seen.setdefault(key, number) != number:
                raise _wrong(file, number, f"{what} is entry {seen[key]}'s too", entry.code)
        entries.append(entry)
    return tuple(entries)


def _entry(file: str, number: int, row: object) -> Labelled:
    if not isinstance(row, dict):
        raise _wrong(file, number, "it is not an object with fields")
    missing = [field for field in FIELDS if field not in row]
    if missing:
        raise _wrong(file, number, f"{', '.join(missing)} is missing")
    for field in FIELDS:
        if not (isinstance(row[field], str) and row[field].strip()):
            raise _wrong(file, number, f"its {field} is not text, or empty")
    char, code, desc, label = (row[field] for field in FIELDS)
    if len(char) != 1 or code != f"U+{ord(char):04X}":
        is_ = " ".join(f"U+{ord(part):04X}" for part in char[:8])
        raise _wrong(file, number, f"its char is {is_} and its code says {code[:20]!a}")
    if char not in emoji_package.EMOJI_DATA:
        raise _wrong(file, number, f"{code} is no emoji that is known here")
    # an instruction ends at its dot and is one line, so such a label could not be read back from it
    if label != label.strip(" .") or not label.isprintable() or not desc.isprintable():
        raise _wrong(file, number, "its label or desc has a line break, or a space or dot at its ends", code[2:])
    return Labelled(char=char, code=code[2:], desc=desc, label=label)


def _by_rule(given: dict[str, tuple[Labelled, ...]]) -> dict[str, tuple[Labelled, ...]]:
    """Train and val as "all" gives them. Raises UsageError when the other files do not agree with that."""
    everything = given["all"]
    if len(everything) < 2 * SPLIT_SIZE:
        raise UsageError(
            f"{FILES['all']} has {len(everything)} entries, and its first {2 * SPLIT_SIZE} make train and val; {AGAIN}."
        )
    lists = {name: everything[start : 2 * SPLIT_SIZE : 2] for name, start in RULE.items()}
    for name, by_rule in lists.items():
        for number, (is_, due) in enumerate(zip_longest(given.get(name, by_rule), by_rule), start=1):
            if is_ != due:
                raise UsageError(
                    f"{FILES[name]}, entry {number}, is {_told(is_)}, and {FILES['all']} makes it {_told(due)} "
                    f"(every second entry from its entry {RULE[name] + 1}); {AGAIN}, all of one version."
                )
    known = set(everything)
    for number, entry in enumerate(given.get("hard", ()), start=1):
        if entry not in known:
            raise _wrong(FILES["hard"], number, f"{FILES['all']} has no such entry", entry.code)
    return lists


def _check_disjoint(train: Iterable[Labelled], val: Iterable[Labelled]) -> None:
    chars = {entry.char for entry in train}
    labels = {entry.label.casefold() for entry in train}
    for number, entry in enumerate(val, start=1):
        if entry.char in chars:
            raise _wrong(FILES["val"], number, f"its character is in {FILES['train']} too", entry.code)
        if entry.label.casefold() in labels:
            raise _wrong(FILES["val"], number, f"its label '{entry.label}' is in {FILES['train']} too", entry.code)


def _check_drawn(lists: dict[str, tuple[Labelled, ...]]) -> None:
    font = emoji_font()
    drawn = set()
    for name, entries in lists.items():
        for number, entry in enumerate(entries, start=1):
            if entry.char in drawn:
                continue
            try:
                card_picture(entry.char, TRIAL_PIXELS)
            except MissingPart as error:
                raise UsageError(
                    f"{FILES[name]}, entry {number} (U+{entry.code}): {font} cannot draw it; update the font with: "
                    "apt install fonts-noto-color-emoji"
                ) from error
            drawn.add(entry.char)


def _told(entry: Labelled | None) -> str:
    return "missing" if entry is None else f"U+{entry.code} '{entry.label}'"


def _wrong(file: str, number: int, what: str, code: str | None = None) -> UsageError:
    which = f"entry {number}" if code is None else f"entry {number} (U+{code})"
    return UsageError(f"{file}, {which}: {what}; {AGAIN}.")
