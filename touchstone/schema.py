"""The schema of journals and messages: what an older version wrote is brought to today's form, newer forms are refused.

1  a verdict had `commanded`, the judgement by commanded time; with pick-emoji it became `beside`, still called 1
2  a verdict has `beside` and may have `values`; placements may have `turn`, facts `centres` and `contacts`

Every new field takes a new number, or an older version would call it damage; a step is needed only where what was
written before does not read as it is. `tests/scoring/journals` keeps a journal of every number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from touchstone.errors import TouchstoneError

SCHEMA = 2
#: records that hold others, under the other's kind
_PARTS = {"line": ("spec", "verdict")}


def current(kind: str, data: Any, version: Any, where: str) -> Any:
    """The JSON-able `data` of a record that has schema `version`, as today's version would have written it.

    kind: `spec`, `verdict`, `facts`, `line`, `head`, ... where: begins the sentence of an error. What is malformed is
    left for validation to name. Raises TouchstoneError for a schema that this version does not know.
    """
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise TouchstoneError(f"{where} has schema {version!r}, which no version of Touchstone writes; restore it.")
    if version > SCHEMA:
        raise TouchstoneError(f"{where} has schema {version} and this version reads up to {SCHEMA}; update Touchstone.")
    if not isinstance(data, dict):
        return data
    for older in range(version, SCHEMA):
        data = _STEPS.get((older, kind), _as_it_is)(data)
    parts = {part: current(part, data[part], version, where) for part in _PARTS.get(kind, ()) if part in data}
    stamp = {"schema_version": SCHEMA} if "schema_version" in data else {}
    return {**data, **parts, **stamp}


def _as_it_is(data: dict) -> dict:
    return data


def _commanded_beside(verdict: dict) -> dict:
    rest = {key: value for key, value in verdict.items() if key != "commanded"}
    other = verdict.get("commanded")
    return {**rest, "beside": {"commanded": _commanded_beside(other)}} if isinstance(other, dict) else rest


#: (version, kind) -> what brings such a record to the next version
_STEPS: dict[tuple[int, str], Callable[[dict], dict]] = {(1, "verdict"): _commanded_beside}
