"""What others published about INT-ACT, as data, each number with its source. Nothing here was measured by Touchstone.

The paper's own tables were not at hand: every number is from a public text that quotes it.
"""

from __future__ import annotations

from touchstone.facts import Record


class PublishedRow(Record):
    """One policy's task success by subcategory, in percent, as printed. rollouts: of each task."""

    policy: str
    success: dict[str, float]
    rollouts: int
    source: str
    note: str


class Quote(Record):
    """A single number in percent. where: which tasks, as far as the source says."""

    policy: str
    metric: str
    where: str
    percent: float
    source: str


#: columns are held against ours by their names; three seeds times 24 episodes a task
PI0_FINETUNED = PublishedRow(
    policy="pi0, fine-tuned",
    success={
        "original": 30.4,
        "ood_source": 49.3,
        "ood_target": 24.4,
        "ood_source_and_target": 21.5,
        "ood_relation": 39.6,
        "language_action": 38.5,
        "language_negation": 22.2,
        "language_appearance": 43.1,
        "visual_distraction": 25.2,
        "commonsense": 26.4,
        "commonsense_and_distraction": 10.6,
    },
    rollouts=72,
    source="the row of INT-ACT's Table 1 as quoted by a public plotting script that cites it",
    note="INT-ACT's own success rule, in ManiSkill 2; which tasks a column holds is our reading. 30.4 and 24.4 are no "
    "exact fractions of 72 rollouts a task, so they were rounded or averaged in another way.",
)
PUBLISHED_ROWS = (PI0_FINETUNED,)
_NOTE = "a public literature note that cites the paper"
QUOTES = (
    Quote(policy="pi0, fine-tuned", metric="intention", where="original", percent=84.5, source=_NOTE),
    Quote(policy="pi0, fine-tuned", metric="success", where="original", percent=30.4, source=_NOTE),
    Quote(policy="SpatialVLA", metric="intention", where="tasks not named", percent=69.6, source=_NOTE),
    Quote(policy="SpatialVLA", metric="success", where="tasks not named", percent=21.5, source=_NOTE),
)
#: policies of the paper for which no number by column could be found
NOT_FOUND = ("Magma", "Octo (small, base)", "pi0 from scratch", "pi0 fine-tuned with paraphrases")
