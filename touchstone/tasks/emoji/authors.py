"""GrinningFace's own emoji lists, once the user has imported them; Touchstone ships none of them.

They are stored as one JSON file in the assets folder: schema, source, date, the lists in their own order, and the
SHA-256 of these as canonical JSON, so that equal lists have an equal digest wherever they came from.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from touchstone.assets import assets_folder, shown
from touchstone.data.disk import replace_whole
from touchstone.errors import UsageError
from touchstone.tasks.emoji.authors_files import LISTS, Labelled, read_lists
from touchstone.tasks.emoji.table import Emoji

#: protocol -> list
_LIST_OF = {"train-authors": "train", "val-authors": "val", "hard-authors": "hard"}
AUTHORS_PROTOCOLS = tuple(_LIST_OF)
SCHEMA = 1
DIGEST_DIGITS = 12
IMPORT_COMMAND = "touchstone assets grinningface --from FILE|URL"


@dataclass(frozen=True)
class Imported:
    """What an import brought. official: how many of the `emojis` different emojis keep their official name as label."""

    source: str
    path: Path
    digest: str
    counts: dict[str, int]
    emojis: int
    official: int
    hard_in_train: int
    hard_in_val: int


def import_lists(source: str) -> Imported:
    """Reads, checks and stores the authors' lists.

    source: a folder, a .zip or .tar.gz, one of the JSON files (the others beside it), or the http(s) address of an
    archive or a JSON file. Raises UsageError, MissingPart (font); what was imported before then stays.
    """
    lists = read_lists(source)
    path, digest = _path(), _digest(lists)
    content = {
        "schema": SCHEMA,
        "source": shown(source),
        "imported": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "sha256": digest,
        "lists": {name: [asdict(entry) for entry in entries] for name, entries in lists.items()},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, json.dumps(content, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise UsageError(
            f"The assets folder {path.parent} cannot be written ({error.strerror or error}); "
            "set TOUCHSTONE_ASSETS to one that can."
        ) from error
    chars = {name: {entry.char for entry in lists.get(name, ())} for name in LISTS}
    different = {entry.char: entry for entries in lists.values() for entry in entries}.values()
    return Imported(
        source=shown(source),
        path=path,
        digest=digest,
        counts={name: len(entries) for name, entries in lists.items()},
        emojis=len(different),
        official=sum(entry.label == entry.desc for entry in different),
        hard_in_train=len(chars["hard"] & chars["train"]),
        hard_in_val=len(chars["hard"] & chars["val"]),
    )


def authors_split(protocol: str) -> tuple[Emoji, ...]:
    """The emojis of `train-authors`, `val-authors` or `hard-authors`, in the list's order; name: the authors' label.

    Raises UsageError for another name, when nothing was imported, or no such list.
    """
    if protocol not in _LIST_OF:
        raise UsageError(f"Unknown protocol '{protocol}'; choose one of: {', '.join(AUTHORS_PROTOCOLS)}.")
    stored = _stored()
    if stored is None:
        raise UsageError(f"The authors' emoji lists are not on this machine; import them with: {IMPORT_COMMAND}")
    found = stored.lists.get(_LIST_OF[protocol])
    if found is None:
        raise UsageError(
            f"The authors' emoji lists were imported from {stored.source}, which had no {_LIST_OF[protocol]} list; "
            f"import them with it: {IMPORT_COMMAND}"
        )
    return found


def authors_digest() -> str | None:
    """The first hex digits of the imported lists' SHA-256, for a session's identity; None when nothing was imported."""
    stored = _stored()
    return None if stored is None else stored.digest[:DIGEST_DIGITS]


def emojis_labelled(label: str) -> tuple[Emoji, ...]:
    """Every imported emoji with this label, whatever its list; none when there is none or nothing was imported."""
    stored = _stored()
    return () if stored is None else stored.by_label.get(label, ())


@dataclass(frozen=True)
class _Stored:
    source: str
    digest: str
    lists: dict[str, tuple[Emoji, ...]]
    by_label: dict[str, tuple[Emoji, ...]]


def _path() -> Path:
    return assets_folder() / "grinningface" / "lists.json"


def _digest(lists: dict[str, tuple[Labelled, ...]]) -> str:
    rows = {name: [[e.char, e.code, e.desc, e.label] for e in entries] for name, entries in lists.items()}
    return sha256(json.dumps(rows, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def _stored() -> _Stored | None:
    path = _path()
    try:
        file = path.stat()
        return _read(path, file.st_ino, file.st_mtime_ns, file.st_size)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(
            f"The authors' emoji lists in {path} cannot be read ({error.strerror or error}); make the file readable."
        ) from error


@lru_cache(maxsize=8)
def _read(path: Path, inode: int, changed_ns: int, size: int) -> _Stored:
    # the file's identity is the cache's key, so that another folder or a new import is seen at once
    try:
        content = json.loads(path.read_bytes())
        schema = content["schema"]
        lists = {name: tuple(Labelled(**row) for row in rows) for name, rows in content["lists"].items()}
        source, digest = content["source"], content["sha256"]
        whole = schema == SCHEMA and digest == _digest(lists)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise UsageError(
            f"The authors' emoji lists in {path} are damaged or of another version; import them again with: "
            f"{IMPORT_COMMAND}"
        )
    emojis = {name: tuple(Emoji(e.char, e.label, e.code) for e in entries) for name, entries in lists.items()}
    by_label: dict[str, tuple[Emoji, ...]] = {}
    for emoji in dict.fromkeys(emoji for entries in emojis.values() for emoji in entries):
        by_label[emoji.name] = (*by_label.get(emoji.name, ()), emoji)
    return _Stored(source, digest, emojis, by_label)
