"""What `gap.json` holds."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field

from touchstone.data.records import StageStats
from touchstone.facts import Record
from touchstone.scoring.statistics.agreement import Agreement
from touchstone.scoring.statistics.gap import GapByStage, GroupGap
from touchstone.scoring.statistics.paired import PairedRates
from touchstone.scoring.statistics.ppi import Powered
from touchstone.scoring.statistics.results import Estimate, Interval

#: `differs`: the interval of the difference excludes 0, and p_holm is significant. `agrees`: it lies within the margin.
#: `open`: neither.
Finding = Literal["differs", "agrees", "open"]


class Proportion(Record):
    """successes of trials; rate and intervals are None without trials."""

    successes: int
    trials: int
    rate: float | None
    wilson: Interval | None
    clopper_pearson: Interval | None


class WorldRates(Record):
    """All episodes of one cell in one world. recognition's trials are execution's successes."""

    execution: Proportion
    recognition: Proportion
    overall: Proportion


class Advice(Record):
    """What would settle a cell, if the rates so far are the true ones.

    more_pairs: how many more paired episodes make the finding other than `open`; 0 if none, None if no number that
    could be run does. more_for_width: how many more bench trials bring its Wilson interval within `half_width`.
    """

    more_pairs: int | None
    more_for_width: int
    half_width: float


class Cell(Record):
    """One policy on one task, protocol and arm.

    name: for tables; label: the policy's name. pairs: episodes run in both worlds; difference is real minus sim over
    these, p_holm its p-value corrected over the cells. sim_paired, real_paired: the rates of the pairs.
    """

    name: str
    label: str
    policy: str
    task: str
    protocol: str
    robot: str
    rule: str
    privileged: bool
    sim: WorldRates
    real: WorldRates
    pairs: int
    extra_sim: int
    lone_real: int
    sim_paired: float
    real_paired: float
    difference: PairedRates
    p_holm: float
    finding: Finding
    advice: Advice
    ppi: Powered
    ppi_finite: Powered
    stages: GapByStage


class SlotGap(Record):
    """One card position. p_holm: corrected over the positions of its task."""

    slot: str
    gap: GroupGap
    p_holm: float | None


class TaskGap(Record):
    """All policies on one task together, over pairs."""

    task: str
    policies: int
    pairs: int
    difference: Estimate
    stages: GapByStage
    slots: tuple[SlotGap, ...]
    agreement: Agreement


class Happened(Record):
    """How often something happened, and in how many episodes."""

    times: int
    episodes: int


class WorldInfo(Record):
    """One side. label: familiar name, `real` for atoms alone. failures: kind -> episodes. events: safety interventions
    and the like, by kind. latency_ms: stage -> percentiles over all its sessions."""

    world: str
    plant: str
    label: str
    words: str
    episodes: int
    failures: dict[str, int]
    events: dict[str, Happened]
    latency_ms: dict[str, StageStats]


class SessionInfo(Record):
    """One session that went in. sealed: the digest of its sealed file, which was checked and not opened.

    config: what `config_hash` is of. software: what it ran on, by name. policy_version: as the policy declares it.
    """

    side: Literal["sim", "real"]
    path: str
    policy: str
    task: str
    protocol: str
    seed: int
    episodes: int
    planned: int | None
    config_hash: str
    started_at: str
    touchstone: str
    sealed: str | None
    config: dict[str, Any]
    software: dict[str, str]
    policy_version: str | None


class Study(Record):
    """A gap study. difference: real minus sim over all pairs, resampled by episode, since policies share episodes.

    seed: of the bootstraps. flags: what is odd, a sentence each.
    """

    schema_: Literal[1] = Field(1, alias="schema")
    sim: WorldInfo
    real: WorldInfo
    stands_in: bool
    margin: float
    confidence: float
    seed: int
    cells: tuple[Cell, ...]
    difference: Estimate
    agreement: Agreement
    tasks: tuple[TaskGap, ...]
    sessions: tuple[SessionInfo, ...]
    flags: tuple[str, ...]

    def to_json(self) -> str:
        """Text that is the same, byte for byte, whenever the same sessions are studied."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
