"""The touch rule, once, for both worlds and for live and recomputed scores.

Touch event: the measured opening was >= 0.7, a close command was given, and the opening is then < 0.3, or stalled,
for 200 ms. Execution: at that moment the TCP is inside a card's square and at most 5 cm above the card.
Recognition: it is the target's card. GrinningFace (section 6 of the paper) calls it "gripper closed over an emoji".
A person beside the bench may say which card was touched; their word then decides, and the measured verdict is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from touchstone.bench import CARD_SIDE
from touchstone.facts import Facts
from touchstone.geometry import Pose
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.labels import NONE_TOUCHED

OPEN_AT_LEAST = 0.7
CLOSED_BELOW = 0.3
CLOSE_COMMANDED_BELOW = 0.5
HOLD_NS = 200_000_000
#: opening that a stalled gripper may still creep in HOLD_NS
STALL_CREEP = 0.01
#: a gripper that never left "open" is broken, not stalled on something
STALL_MIN_TRAVEL = 0.05
HEIGHT_LIMIT = 0.05


class TouchMonitor:
    """Feeds on facts in time order; `at` is the tick of the touch event once it has come, `commanded_at` the tick at
    which closing was first commanded after the gripper was open."""

    def __init__(self) -> None:
        self.at: Facts | None = None
        self.commanded_at: Facts | None = None
        self._was_open = False
        self._since_command: list[Facts] = []
        self._open_level = 0.0

    def update(self, facts: Facts) -> bool:
        if self.at is not None:
            return True
        opening, commanded = facts.opening.value, facts.opening_commanded.value
        if opening is None or commanded is None:
            return False
        if commanded >= CLOSE_COMMANDED_BELOW:
            self._since_command.clear()
            self.commanded_at = None
            self._was_open = self._was_open or opening >= OPEN_AT_LEAST
            self._open_level = max(self._open_level, opening)
            return False
        if not self._was_open:
            return False
        self.commanded_at = self.commanded_at or facts
        self._since_command.append(facts)
        if self._settled():
            self.at = facts
        return self.at is not None

    def _settled(self) -> bool:
        now = self._since_command[-1]
        if now.stamp_ns - self._since_command[0].stamp_ns < HOLD_NS:
            return False
        last = [now.opening.value]
        for facts in reversed(self._since_command[:-1]):
            last.append(facts.opening.value)
            if now.stamp_ns - facts.stamp_ns >= HOLD_NS:
                break
        closed = max(last) < CLOSED_BELOW
        stalled = max(last) - min(last) < STALL_CREEP and max(last) < self._open_level - STALL_MIN_TRAVEL
        return closed or stalled


def judge_touch(spec: Spec, facts: Sequence[Facts], label: str | None = None) -> Verdict:
    """The verdict on a whole episode, with the one by commanded time beside it.

    label: the card that was touched as a person says who overrules the facts, or `NONE_TOUCHED`; the verdict is then
    theirs, and the measured one stands beside it too.
    """
    monitor = TouchMonitor()
    commanded: Facts | None = None
    for one in facts:
        over = monitor.update(one)
        commanded = commanded or monitor.commanded_at
        if over:
            break
    measured = _verdict(spec, monitor.at)
    beside = {"commanded": _verdict(spec, commanded)}
    if label is None:
        return measured.model_copy(update={"beside": beside})
    chosen = None if label == NONE_TOUCHED else spec.placement(label).name
    said = _chosen(spec, chosen, measured.step)
    return said.model_copy(
        update={"reason": f"{said.reason} (says the operator)", "beside": {**beside, "measured": measured}}
    )


def card_under(spec: Spec, facts: Facts) -> str | None:
    """The card whose square holds the TCP, at most 5 cm below it; None when there is none."""
    tcp = np.array(facts.tcp.value[:3])
    for placement in spec.layout:
        fact = facts.objects.get(placement.name)
        if fact is None or fact.value is None:
            continue
        inside = Pose.from_list(fact.value).inverse()
        x, y, z = inside.rotation().apply(tcp) + inside.position
        if abs(x) <= CARD_SIDE / 2 and abs(y) <= CARD_SIDE / 2 and 0.0 <= z <= HEIGHT_LIMIT:
            return placement.name
    return None


def _verdict(spec: Spec, at: Facts | None) -> Verdict:
    if at is None:
        reason = f"the gripper was not closed within {spec.step_limit} steps"
        return Verdict(execution=False, recognition=None, chosen=None, step=None, reason=reason)
    return _chosen(spec, card_under(spec, at), at.step)


def _chosen(spec: Spec, chosen: str | None, step: int | None) -> Verdict:
    if chosen is None:
        reason = "the gripper closed, but not over a card"
    elif chosen == spec.target:
        reason = f"touched {spec.placement(chosen).label}, as asked"
    else:
        reason = f"touched {spec.placement(chosen).label} instead of {spec.placement(spec.target).label}"
    return Verdict(
        execution=chosen is not None,
        recognition=None if chosen is None else chosen == spec.target,
        chosen=chosen,
        step=step,
        reason=reason,
    )
