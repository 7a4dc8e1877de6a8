"""`Touch [desc.]`: close the gripper over the named one of three emoji cards (GrinningFace, section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from touchstone.bench import TOUCH_BENCH, CardBench
from touchstone.facts import Event, Facts
from touchstone.robots.base import Arm
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji import instructions
from touchstone.tasks.emoji.card_task import CardTask
from touchstone.tasks.emoji.touch_rule import TouchMonitor, judge_touch
from touchstone.tasks.labels import operator_label


class TouchEmoji(CardTask):
    """The registered task `touch-emoji`: 5 Hz, at most 60 steps, ends at the touch event."""

    name = "touch-emoji"
    sentences = instructions.TOUCH
    rules = ("measured", "commanded")
    rate_hz = 5.0
    step_limit = 60

    def bench(self, arm: Arm) -> CardBench:
        return TOUCH_BENCH

    def monitor(self, spec: Spec) -> TouchMonitor:
        return TouchMonitor()

    def judge(self, spec: Spec, facts: Sequence[Facts], events: Sequence[Event]) -> Verdict:
        return judge_touch(spec, facts, operator_label(events))
