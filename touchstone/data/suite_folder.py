"""The folder of a suite's run: one session folder for every task, seed and wording, and `suite.json` above them.

suite.json  ID-s42/  ID-s42-paraphrase-1/  ...  summary.json  report.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from touchstone.data import disk
from touchstone.data.reading import HEAD as SESSION
from touchstone.data.records import config_hash, differing_keys, now
from touchstone.errors import UsageError
from touchstone.facts import Record

HEAD = "suite.json"
#: what the sessions of a suite may differ in; the digests of cameras and materials follow from the rest
OF_SESSION = ("task", "seed", "camera", "wording", "instruction", "calibration", "material")


class SuiteHead(Record):
    """`suite.json`. config: what all sessions share. runs: one entry per start: which tasks, seeds, episodes and
    wordings were asked for."""

    schema_version: Literal[1] = 1
    suite: str
    config: dict[str, Any]
    config_hash: str
    runs: list[dict[str, Any]] = Field(default_factory=list)


def is_suite(folder: Path) -> bool:
    """Whether a folder is a suite's and not a session's."""
    return (Path(folder) / HEAD).is_file()


def read_suite(folder: Path) -> SuiteHead:
    """Raises UsageError if there is none that can be read, or if its configuration was changed."""
    path = Path(folder) / HEAD
    try:
        head = SuiteHead.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise UsageError(f"{path} is not a suite's description that can be read; choose another OUT.") from None
    if config_hash(head.config) != head.config_hash:
        raise UsageError(f"{path} was changed after it was written: its configuration has another hash; restore it.")
    return head


def session_folders(folder: Path) -> list[Path]:
    """The sessions of a suite, by name."""
    return sorted(head.parent for head in Path(folder).glob(f"*/{SESSION}"))


def check_suite_resumable(out: Path, suite: str, config: dict[str, Any]) -> None:
    """Raises UsageError if the folder `out` holds something else than this; writes nothing."""
    if is_suite(out):
        _head_for(out, suite, config)
    elif (Path(out) / SESSION).exists():
        raise UsageError(f"OUT {out} holds a session of one task; choose another OUT for a suite.")


class SuiteFolder:
    """A suite's run that is being written, by one process at a time; a context manager.

    Raises UsageError if `out` cannot be written, is in use, or holds something else.
    """

    def __init__(self, out: Path, suite: str, config: dict[str, Any], run: dict[str, Any]) -> None:
        disk.writable_folder(out)
        self._lock = disk.lock(out / ".lock")
        try:
            check_suite_resumable(out, suite, config)
            head = _head_for(out, suite, config)
            head.runs.append({"started_at": now(), **json.loads(json.dumps(run))})
            with disk.told_in_one_sentence(out):
                text = json.dumps(head.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
                disk.replace_whole(out / HEAD, text.encode())
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> SuiteFolder:
        return self

    def __exit__(self, *_) -> None:
        self._lock.close()


def _head_for(out: Path, suite: str, config: dict[str, Any]) -> SuiteHead:
    config = json.loads(json.dumps(config))
    if not is_suite(out):
        return SuiteHead(suite=suite, config=config, config_hash=config_hash(config))
    head = read_suite(out)
    keys = differing_keys(head.config, config) if head.suite == suite else ["suite"]
    if keys:
        changed = ", ".join(f"{key} {head.config.get(key)} -> {config.get(key)}" for key in keys)
        raise UsageError(f"OUT {out} holds another configuration ({changed}); choose another OUT.")
    return head
