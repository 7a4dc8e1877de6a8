"""`Pick the cube and place it on [desc.]`: GrinningFace's simulated task (sections 1 to 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from touchstone.bench import CardBench
from touchstone.facts import Event, Facts
from touchstone.robots.base import Arm
from touchstone.spec import Placement, Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji import instructions
from touchstone.tasks.emoji.card_task import CardTask
from touchstone.tasks.emoji.pick_rule import CUBE, PickMonitor, judge_pick
from touchstone.tasks.emoji.reach import pick_bench


class PickEmoji(CardTask):
    """The registered task `pick-emoji`: 20 Hz, at most 200 steps, ends when the cube has settled on the right card."""

    name = "pick-emoji"
    sentences = instructions.PICK
    rules = ("strict", "paper")
    rate_hz = 20.0
    step_limit = 200

    def bench(self, arm: Arm) -> CardBench:
        return pick_bench(arm)

    def others(self, bench: CardBench, draw: np.random.Generator) -> tuple[Placement, ...]:
        jitter = draw.uniform(-1.0, 1.0, size=2) * bench.cube_jitter
        xy = tuple(float(v) for v in np.array(bench.cube_centre) + jitter)
        return (Placement(name=CUBE, kind="cube", label="cube", xy=xy),)

    def monitor(self, spec: Spec) -> PickMonitor:
        return PickMonitor(spec)

    def judge(self, spec: Spec, facts: Sequence[Facts], events: Sequence[Event]) -> Verdict:
        return judge_pick(spec, facts)
