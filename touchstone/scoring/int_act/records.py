"""What a suite's `summary.json` holds."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from touchstone.data.records import StageStats
from touchstone.facts import Record
from touchstone.scoring.rates import Rate
from touchstone.scoring.statistics.paired import PairedRates
from touchstone.tasks.int_act.deltas import TaskSummary

#: how an episode ended, each in exactly one way: the furthest that it came
ENDINGS = ("strict", "paper_only", "grasped", "reached", "never")


class Values(Record):
    """The six values of one episode, as its verdict has them."""

    intention: bool
    grasp: bool
    moved_correct: bool
    wrong_object: bool
    success: bool
    strict: bool

    @property
    def ending(self) -> str:
        """One of `ENDINGS`."""
        for name, holds in zip(ENDINGS, (self.strict, self.success, self.grasp, self.intention), strict=False):
            if holds:
                return name
        return ENDINGS[-1]


class Mean(Record):
    """A mean over tasks, every task with equal weight. ci95: 95 % interval by `method`; None where undefined."""

    value: float | None
    ci95: tuple[float, float] | None
    method: str | None


class Group(Record):
    """Counted tasks of a subcategory, a family, or all. tasks: how many of the `of` have episodes; trials: in all.

    means: by metric. delta, percent: as in `GroupSummary`. endings: how many episodes ended how.
    """

    tasks: int
    of: int
    trials: int
    means: dict[str, Mean]
    delta: dict[str, float | None]
    percent: dict[str, float | None]
    endings: dict[str, int]


class SessionEntry(Record):
    """One session of the suite. words: name of its wording. planned: episodes asked for, None if not recorded."""

    name: str
    task: str
    seed: int
    words: str
    trials: int
    planned: int | None
    config_hash: str
    started_at: str
    touchstone: str


class Told(Record):
    """A task in one wording: the instruction, and the rates over all seeds."""

    instruction: str
    rates: dict[str, Rate]


class Comparison(Record):
    """A wording minus the reference, over episodes in the same scene with the same policy seed.

    task: None for all tasks together. p_holm: corrected over the table that it stands in.
    """

    words: str
    task: str | None
    metric: str
    paired: PairedRates
    p_holm: float | None


class Language(Record):
    """Same scenes, other words. tasks: task -> wording -> what was told. stable: by metric, the share of scenes that
    ended alike in all wordings (Rate over scenes)."""

    reference: str
    words: tuple[str, ...]
    tasks: dict[str, dict[str, Told]]
    overall: tuple[Comparison, ...]
    by_task: tuple[Comparison, ...]
    stable: dict[str, Rate]


class SuiteScores(Record):
    """The scores of a suite's run.

    tasks, subcategories, families, all: of the wording `words`; every mean counts every counted task equally, and
    `tasks` holds the fifty-first too when it was run. not_run: counted tasks without episodes. without_base: tasks
    that have no delta because their base was not run. failures: reason -> count of all that were no strict success.
    uncounted_endings: as in `Group`, of tasks that no mean counts. events: kind -> count. camera: None for each scene's
    own. tables: SHA-256 of the suite's tables. privileged: the policy saw simulator facts.
    """

    schema_: Literal[1] = Field(1, alias="schema")
    suite: str
    policy: str
    privileged: bool
    world: str
    plant: str
    path: str
    robot: str
    camera: str | None
    shader: str | None
    pictures: bool
    seeds: tuple[int, ...]
    words: str
    trials: int
    planned: int
    config_hash: str
    tables: dict[str, str]
    tasks: dict[str, TaskSummary]
    subcategories: dict[str, Group]
    families: dict[str, Group]
    all: Group
    not_run: tuple[str, ...]
    without_base: tuple[str, ...]
    failures: dict[str, int]
    uncounted_endings: dict[str, int]
    events: dict[str, int]
    latency_ms: dict[str, StageStats]
    sessions: tuple[SessionEntry, ...]
    language: Language | None

    def to_json(self) -> str:
        """Text that is the same, byte for byte, whenever the same suite is scored."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
