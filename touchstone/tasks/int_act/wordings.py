"""The ways in which a task's instruction can be put: the suite's own words, paraphrases, and a user's sentence."""

from __future__ import annotations

import hashlib
import string
from functools import lru_cache
from pathlib import Path

from pydantic import Field, field_validator

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.tasks.base import PlanOptions
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.reading import malformed, read_table
from touchstone.tasks.int_act.suite import FAMILY, SuiteTask, suite

PARAPHRASES_FILE = Path(__file__).with_name("paraphrases.yaml")
#: the wording that is the suite's own
SUITE_WORDS = "suite"
OWN_WORDS = "own"
#: what a user's sentence may leave open
PLACES = ("source", "target")


def instruction_of(task: SuiteTask, options: PlanOptions) -> str:
    """What the policy is told. In a user's own sentence, {source} and {target} stand for the objects' names.

    Raises UsageError for an unknown wording and for a sentence that is empty or leaves something else open.
    """
    known = wordings_of(task.id)
    if options.wording not in (None, *known):
        raise UsageError(
            f"{task.id} has no wording '{options.wording}'; it has: {', '.join(known)}"
            + ("." if len(known) > 1 else f"; {who_has_paraphrases()}.")
        )
    if options.instruction is not None:
        return _own_sentence(task, options.instruction)
    if options.wording in (None, SUITE_WORDS):
        return task.instruction
    return _paraphrases(PARAPHRASES_FILE)[task.id][options.wording]


def wordings_of(id: str) -> tuple[str, ...]:
    """The names of a task's wordings, the suite's first."""
    return (SUITE_WORDS, *_paraphrases(PARAPHRASES_FILE).get(id, ()))


def words_name(wording: str | None, instruction: str | None) -> str:
    """What a session's words are called: a wording's name, or `own-` and a digest of a user's sentence."""
    if instruction is not None:
        return f"{OWN_WORDS}-{hashlib.sha256(instruction.encode()).hexdigest()[:8]}"
    return wording or SUITE_WORDS


def paraphrased() -> tuple[str, ...]:
    """The tasks that can be put in other words, in the suite's order."""
    return tuple(id for id in suite().tasks if id in _paraphrases(PARAPHRASES_FILE))


def who_has_paraphrases() -> str:
    """For people: families where all their tasks have some, else ids."""
    known = set(paraphrased())
    whole = [name for name in suite().families if known >= {task.id for task in suite().select(f"{FAMILY}{name}")}]
    single = [id for id in paraphrased() if suite().task(id).family not in whole]
    return f"paraphrases are there for --tasks {' '.join([*(f'{FAMILY}{name}' for name in whole), *single])}"


class _Row(Record):
    """The words for one task's objects, with their articles; where: `on` or `in`."""

    id: str
    source: str
    where: str
    target: str


class _ParaphraseTable(Record):
    wordings: dict[str, str] = Field(min_length=1)
    tasks: tuple[_Row, ...]

    @field_validator("wordings")
    @classmethod
    def _are_of_the_row(cls, wordings: dict[str, str]) -> dict[str, str]:
        for name, sentence in wordings.items():
            if _open_places(sentence) != {"source", "where", "target"}:
                raise ValueError(f"'{name}' must name {{source}}, {{where}} and {{target}} and nothing else")
        return wordings


@lru_cache(maxsize=1)
def _paraphrases(path: Path) -> dict[str, dict[str, str]]:
    """task -> wording -> sentence. Raises UsageError, naming the first thing that is wrong."""
    table = read_table(path, _ParaphraseTable)
    for row in table.tasks:
        if row.id not in suite().tasks:
            raise malformed(path, f"tasks.{row.id}", "INT-ACT has no such task")
    return {
        row.id: {name: sentence.format(**row.model_dump()) for name, sentence in table.wordings.items()}
        for row in table.tasks
    }


def _own_sentence(task: SuiteTask, sentence: str) -> str:
    if not sentence.strip():
        raise UsageError("--instruction is empty; give a sentence, or leave it out.")
    try:
        strange = _open_places(sentence) - set(PLACES)
    except ValueError:
        strange = {"a single brace"}
    if strange:
        raise UsageError(
            f"--instruction '{sentence}' leaves open {', '.join(sorted(strange))}; only {{source}} and {{target}} "
            "are filled in, with the objects' names."
        )
    roles = task.objects
    return sentence.format(source=object_kind(roles.source).label, target=object_kind(roles.target).label)


def _open_places(sentence: str) -> set[str]:
    """The names in braces. Raises ValueError for a brace without its other half."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
