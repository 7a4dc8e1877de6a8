"""The suite: fifty counted tasks and a fifty-first, from one table."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.tasks.int_act.objects import ROBOT, TABLE, objects
from touchstone.tasks.int_act.reading import malformed, read_table
from touchstone.tasks.int_act.table import Layout, Quaternion, Roles, Rule, SuiteTable, TaskRow

SUITE_FILE = Path(__file__).with_name("suite.yaml")
#: the suite's control rate [Hz]
RATE_HZ = 5.0
EPISODES = 24
FAMILY = "family:"
#: subcategory and family of the tasks that all others are compared with in the end
ORIGINAL = "original"

Value = TypeVar("Value")


class SuiteTask(Record):
    """One task, complete.

    orientations: for each variant, the quaternions wxyz of source, target and distractors before they are dropped.
    base: id of the task that deltas are taken against; an original task's is its own. counted: among the fifty.
    """

    id: str
    family: str
    subcategory: str
    instruction: str
    objects: Roles
    layout: Layout
    orientations: tuple[tuple[Quaternion, ...], ...]
    rule: Rule
    base: str
    counted: bool

    @property
    def steps(self) -> int:
        """Control steps of an episode; it never ends earlier."""
        return self.layout.steps


class Suite(Record):
    """All tasks by id, in the table's order. families: subcategories by family."""

    tasks: dict[str, SuiteTask]
    families: dict[str, tuple[str, ...]]

    def task(self, name: str) -> SuiteTask:
        """One task. Raises UsageError for an unknown id."""
        if name not in self.tasks:
            raise UsageError(f"INT-ACT has no task '{name}'; {_hint(name, self.tasks)}.")
        return self.tasks[name]

    def select(self, pattern: str) -> tuple[SuiteTask, ...]:
        """The tasks that a glob of ids (`widowx_carrot_*`) or a `family:NAME` names, in the table's order.

        Raises UsageError when there are none.
        """
        if pattern.startswith(FAMILY):
            family = pattern.removeprefix(FAMILY)
            if family not in self.families:
                raise UsageError(f"INT-ACT has no family '{family}'; it has: {', '.join(self.families)}.")
            return tuple(task for task in self.tasks.values() if task.family == family)
        found = tuple(task for task in self.tasks.values() if fnmatchcase(task.id, pattern))
        if not found:
            raise UsageError(f"No task of INT-ACT matches '{pattern}'; {_hint(pattern, self.tasks)}.")
        return found


@lru_cache(maxsize=1)
def suite() -> Suite:
    """INT-ACT."""
    return load_suite(SUITE_FILE)


def select(pattern: str) -> tuple[SuiteTask, ...]:
    """`Suite.select` of INT-ACT."""
    return suite().select(pattern)


def load_suite(path: Path) -> Suite:
    """A suite from its table. Raises UsageError, naming the first thing that is wrong."""
    table = read_table(path, SuiteTable)
    family_of = _families_by_subcategory(path, table)
    _check_layouts_and_rules(path, table)
    tasks: dict[str, SuiteTask] = {}
    for row in table.tasks:
        if row.id in tasks:
            raise malformed(path, f"tasks.{row.id}", "the id is there twice")
        tasks[row.id] = _resolve(path, table, family_of, row)
    for task in tasks.values():
        _check_base(path, task, tasks)
    return Suite(tasks=tasks, families=table.families)


def _families_by_subcategory(path: Path, table: SuiteTable) -> dict[str, str]:
    family_of: dict[str, str] = {}
    for family, subcategories in table.families.items():
        for subcategory in subcategories:
            if subcategory in family_of:
                raise malformed(path, f"families.{family}", f"'{subcategory}' is in two families")
            family_of[subcategory] = family
    return family_of


def _check_layouts_and_rules(path: Path, table: SuiteTable) -> None:
    for name, layout in table.layouts.items():
        if layout.fixture is not None:
            _look_up(objects(), layout.fixture.object, path, f"layouts.{name}.fixture", "object")
    for name, rule in table.rules.items():
        for touched in (*rule.beside, *rule.marks):
            if touched not in (TABLE, ROBOT):
                _look_up(objects(), touched, path, f"rules.{name}", "object")


def _resolve(path: Path, table: SuiteTable, family_of: dict[str, str], row: TaskRow) -> SuiteTask:
    where = f"tasks.{row.id}"
    names = row.objects.all
    for name in names:
        _look_up(objects(), name, path, where, "object")
    if len(set(names)) < len(names):
        raise malformed(path, where, "an object takes part twice")
    layout = _look_up(table.layouts, row.layout, path, where, "layout")
    if len(row.objects.distractors) != layout.distractors:
        has = len(row.objects.distractors)
        raise malformed(path, where, f"it has {has} distractors, and layout '{row.layout}' {layout.distractors}")
    for variant in row.turns:
        if len(variant) != len(names):
            raise malformed(path, where, f"it turns {len(variant)} objects, and has {len(names)}")
    return SuiteTask(
        id=row.id,
        family=_look_up(family_of, row.subcategory, path, where, "subcategory"),
        subcategory=row.subcategory,
        instruction=row.instruction,
        objects=row.objects,
        layout=layout.model_copy(update={"name": row.layout}),
        orientations=tuple(
            tuple(_look_up(table.turns, turn, path, where, "turn") for turn in variant) for variant in row.turns
        ),
        rule=_look_up(table.rules, row.rule, path, where, "rule").model_copy(update={"name": row.rule}),
        base=row.base,
        counted=row.counted,
    )


def _check_base(path: Path, task: SuiteTask, tasks: dict[str, SuiteTask]) -> None:
    seen, now = [task.id], task
    while now.base != now.id:
        now = _look_up(tasks, now.base, path, f"tasks.{now.id}", "base")
        if now.id in seen:
            raise malformed(path, f"tasks.{task.id}", "its bases go in a circle")
        seen.append(now.id)
    if now.subcategory != ORIGINAL:
        raise malformed(path, f"tasks.{task.id}", f"its bases end at {now.id}, which is no original task")


def _look_up(table: Mapping[str, Value], name: str, path: Path, where: str, what: str) -> Value:
    if name not in table:
        raise malformed(path, where, f"there is no {what} '{name}'")
    return table[name]


def _hint(name: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.7)
    if near:
        return f"near it are: {', '.join(near)}"
    return f"ids look like {next(iter(known))}, and families are chosen with {FAMILY}NAME"
