"""What a comparison of policies holds."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from touchstone.facts import Record
from touchstone.scoring.rates import Rate
from touchstone.scoring.statistics.bradley_terry import Strength
from touchstone.scoring.statistics.paired import PairedRates
from touchstone.scoring.statistics.ranking import Ranking
from touchstone.scoring.statistics.sequential_tests import SequentialTest
from touchstone.scoring.statistics.two_rates import TwoRates

#: `better`: the evidence reached 1 / alpha. `alike`: the interval that may be looked at any time lies within the
#: margin. `drifts`: no single difference fits the pairs. `open`: none of these.
Finding = Literal["better", "alike", "drifts", "open"]


class Recommendation(Record):
    """better: the name of the better policy, where the finding is that. more_pairs: how many more would settle it, if
    the pairs to come have about the shares of those so far; 0 if none, None if no number that could be run does."""

    finding: Finding
    stop: bool
    better: str | None = None
    more_pairs: int | None
    because: str


class Duel(Record):
    """Two policies; every difference is the first minus the second.

    independent: over all episodes of either, as if none were the same. paired: over the episodes that all policies of
    the comparison ran; p_holm: its p-value, corrected over all duels. looking: the test that may be looked at after
    every pair, in the order in which they were run, at an alpha divided by the number of duels.
    """

    first: str
    second: str
    independent: TwoRates
    paired: PairedRates
    p_holm: float
    looking: SequentialTest
    recommendation: Recommendation


class Policy(Record):
    """One policy, over all its episodes. recognition's trials are execution's successes. sessions: folder -> the hash
    of its configuration. strategy: how its chunks were carried out, where it was not the usual way."""

    name: str
    policy: str
    strategy: str | None
    privileged: bool
    execution: Rate
    recognition: Rate
    overall: Rate
    sessions: dict[str, str]


class PolicyComparison(Record):
    """What `--json` writes. policies, duels: in the order given. pairs: the names of the episodes that all policies
    ran, in the order in which they were run. ranking, strengths: over these; None and empty for two policies.
    alpha: of all duels together. seed: of the bootstrap. flags: what is odd, a sentence each."""

    schema_: Literal[1] = Field(1, alias="schema")
    task: str
    protocol: str
    robot: str
    rule: str
    world: str
    words: str
    margin: float
    alpha: float
    budget: int | None
    seed: int
    policies: tuple[Policy, ...]
    pairs: tuple[str, ...]
    duels: tuple[Duel, ...]
    ranking: Ranking | None
    strengths: tuple[Strength, ...]
    flags: tuple[str, ...]

    def to_json(self) -> str:
        """Text that is the same, byte for byte, whenever the same sessions are compared."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
