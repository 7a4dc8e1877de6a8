"""Reading the suite's YAML tables: one clear sentence for whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from touchstone.errors import UsageError
from touchstone.facts import Record

Table = TypeVar("Table", bound=Record)


def read_table(path: Path, kind: type[Table]) -> Table:
    """The table in a YAML file. Raises UsageError, naming the first thing that is wrong."""
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML ({str(error).splitlines()[0]}); correct it.") from error
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise malformed(
            path, _where(content, first["loc"]) or "the file", first["msg"].removeprefix("Value error, ")
        ) from error


def malformed(path: Path, where: str, what: str) -> UsageError:
    return UsageError(f"{path} is not a table of the INT-ACT suite: {where}: {what}; correct it.")


def _where(content: object, location: tuple[int | str, ...]) -> str:
    """`tasks.widowx_stack_cube.turns`: rows by their id or name where they have one."""
    words = []
    for part in location:
        try:
            content = content[part]
        except (TypeError, KeyError, IndexError):
            content = None
        named = isinstance(part, int) and isinstance(content, dict)
        words.append(str(next((content[key] for key in ("id", "name") if key in content), part) if named else part))
    return ".".join(words)
