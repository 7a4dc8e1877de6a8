"""What `summary.json` holds."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from touchstone.data.records import StageStats
from touchstone.facts import Record
from touchstone.scoring.rates import Rate


class Slots(Record):
    """Asked against chosen. counts[asked][chosen], in the order of `names`; last column: none was touched."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Beside(Record):
    """The scores by another of the task's rules. agree: in how many episodes its verdict is the deciding one's."""

    execution: Rate
    recognition: Rate
    overall: Rate
    agree: int


class Summary(Record):
    """The scores of a session. recognition's trials are execution's successes; overall needs both.

    rule: the task's rule that decides; beside: the scores by its others. planned: episodes asked for, or None.
    privileged: the policy saw simulator facts.
    failures: reason -> count. shader: how a twin rendered, or None.
    """

    schema_: Literal[1] = Field(1, alias="schema")
    task: str
    world: str
    plant: str
    path: str
    robot: str
    policy: str
    protocol: str
    seed: int
    rule: str
    trials: int
    planned: int | None
    execution: Rate
    recognition: Rate
    overall: Rate
    latency_ms: dict[str, StageStats]
    config_hash: str
    privileged: bool
    shader: str | None
    failures: dict[str, int]
    by_slot: Slots
    beside: dict[str, Beside]

    def to_json(self) -> str:
        """Text that is the same, byte for byte, whenever the same session is scored."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
