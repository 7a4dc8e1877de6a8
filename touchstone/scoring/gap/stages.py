"""The stages that an episode passes one after the other, found in its raw facts; the last one is success."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from touchstone.facts import Facts
from touchstone.geometry import Pose
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji.pick_rule import CUBE, PickMonitor
from touchstone.tasks.emoji.touch_rule import card_under

#: TCP to the cube's middle [m] at which the gripper has come to it; a cube's side is 0.03
AT_CUBE = 0.03


@dataclass(frozen=True)
class Stages:
    """names: in order. passed: how many of them an episode passed, from its spec, facts and verdict."""

    names: tuple[str, ...]
    passed: Callable[[Spec, Sequence[Facts], Verdict], int]


def stages_of(task: str) -> Stages:
    """A task's stages, or its family's; execution and recognition alone for one that is not built in."""
    return _BUILT_IN.get(task.partition(":")[0], _PLAIN)


def _plain(spec: Spec, facts: Sequence[Facts], verdict: Verdict) -> int:
    return int(verdict.execution) + int(verdict.success)


def _touch(spec: Spec, facts: Sequence[Facts], verdict: Verdict) -> int:
    if verdict.execution:
        return 2 + int(verdict.success)
    return int(any(card_under(spec, one) is not None for one in facts))


def _pick(spec: Spec, facts: Sequence[Facts], verdict: Verdict) -> int:
    if verdict.execution:
        return 3 + int(verdict.success)
    monitor = PickMonitor(spec)
    for one in facts:
        monitor.update(one)
    if monitor.lifted:
        return 2
    return int(any(_at_cube(one) for one in facts))


def _int_act(spec: Spec, facts: Sequence[Facts], verdict: Verdict) -> int:
    if verdict.success:
        return 3
    return 2 if verdict.values.get("grasp") else int(bool(verdict.values.get("intention")))


def _at_cube(facts: Facts) -> bool:
    fact = facts.objects.get(CUBE)
    if fact is None or fact.value is None or facts.tcp.value is None:
        return False
    away = Pose.from_list(fact.value).position - Pose.from_list(facts.tcp.value).position
    return float(np.linalg.norm(away)) <= AT_CUBE


_PLAIN = Stages(("execution", "recognition"), _plain)
_BUILT_IN = {
    "touch-emoji": Stages(("reached a card", "closed over it", "right card"), _touch),
    "int-act": Stages(("came to the object", "grasped it", "success"), _int_act),
    "pick-emoji": Stages(("reached the cube", "lifted it", "placed it on a card", "right card"), _pick),
}
