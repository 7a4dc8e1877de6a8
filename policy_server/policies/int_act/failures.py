"""Policies that fail in a known way, so that what INT-ACT's metrics say of them can be checked: each has one outcome.

| policy | intention | grasp | moved correct | wrong object | success, strict |
|---|---|---|---|---|---|
| `int-act-wrong-object` | no | no | no | yes (not in the sink: the basket's floor cannot be moved) | no |
| `int-act-hover` | yes | no | no | no | no |
| `int-act-drop-early` | yes | yes | yes | no | no |
| `int-act-push` | yes | no | yes | no | no |
"""

from __future__ import annotations

import numpy as np

from policy_server.policies.int_act.gripper import TIP, pointing_down, yaw_of
from policy_server.policies.int_act.grips import grip_of, is_graspable
from policy_server.policies.int_act.moves import Script, go, stay
from policy_server.policies.int_act.pushing import push_away, room_at
from policy_server.policies.int_act.script_policy import ScriptPolicy
from policy_server.policies.int_act.tasks import HOVER, NEAR, OVER, let_go, take, up
from policy_server.policies.int_act.view import View
from touchstone.policy import PolicyContract
from touchstone.tasks.int_act.recorded import LINK_FROM_TCP
from touchstone.tasks.int_act.rules import INTENTION_WITHIN
from touchstone.tasks.int_act.suite import SuiteTask

#: of the gripper's link over the source's centre of mass: within the 5 cm that count as intention [m]
CLOSE = INTENTION_WITHIN - 0.006
#: how far a source is carried before it is dropped: over the 3 cm that count as moved, and so little that no target is
#: within INT-ACT's distance [m]
DROPPED_AFTER = 0.045
#: how high it is then over what it lay on [m]
DROPPED_FROM = 0.02


class WrongObjectPolicy(ScriptPolicy):
    """Moves the first distractor that the gripper can hold; without one, the target: taken and put down if it can be
    held, else pushed."""

    contract = PolicyContract(name="int-act-wrong-object", version="1", needs_privileged=True)

    def script(self, task: SuiteTask, view: View) -> Script:
        roles = task.objects
        graspable = [name for name in (*roles.distractors, roles.target) if is_graspable(view.body(name))]
        if graspable:
            yield from _take_and_drop(view, graspable[0])
        else:
            yield from push_away(view, roles.target)
        yield from stay(view, 1.0)


class HoverPolicy(ScriptPolicy):
    """Comes within 5 cm of the source with open fingers, and stays there without a touch."""

    contract = PolicyContract(name="int-act-hover", version="1", needs_privileged=True)

    def script(self, task: SuiteTask, view: View) -> Script:
        source = view.body(task.objects.source)
        x, y, z = source.centre
        yaw = yaw_of(grip_of(source).tcp)
        above = pointing_down((x, y, source.heights[1] + HOVER + TIP), yaw)
        close = pointing_down((x, y, z + CLOSE + LINK_FROM_TCP[0]), yaw)
        yield from go(view, lambda: above, 1.0, near=NEAR, sideways=OVER)
        yield from go(view, lambda: close, 1.0)
        yield from stay(view, 1.0)


class DropEarlyPolicy(ScriptPolicy):
    """Takes the source, and drops it on the way, still far from the target."""

    contract = PolicyContract(name="int-act-drop-early", version="1", needs_privileged=True)

    def script(self, task: SuiteTask, view: View) -> Script:
        yield from _take_and_drop(view, task.objects.source, towards=task.objects.target)
        yield from stay(view, 1.0)


class PushPolicy(ScriptPolicy):
    """Pushes the source over the table with a closed gripper."""

    contract = PolicyContract(name="int-act-push", version="1", needs_privileged=True)

    def script(self, task: SuiteTask, view: View) -> Script:
        yield from push_away(view, task.objects.source)
        yield from stay(view, 0.0)


def _take_and_drop(view: View, name: str, towards: str | None = None) -> Script:
    """Takes an object and drops it `DROPPED_AFTER` [m] aside, where there is most room: not farther from `towards`."""
    while not (yield from take(view, name)):
        pass
    body, others = view.body(name), view.others(name)
    ways = [DROPPED_AFTER * np.array([np.cos(a), np.sin(a)]) for a in np.arange(12) * np.pi / 6]
    if towards is not None:
        flat = view.body(towards).middle[:2] - body.middle[:2]
        ways = [way for way in ways if way @ flat > 0]
    way = max(ways, key=lambda way: room_at(body.middle[:2] + way, body.radius, others, view.walls))
    x, y, z = view.tcp.position
    lifted, there = (
        pointing_down((x + dx, y + dy, z + DROPPED_FROM), yaw_of(view.commanded)) for dx, dy in ((0, 0), way)
    )
    yield from go(view, lambda: lifted, 0.0, near=NEAR)
    yield from go(view, lambda: there, 0.0, near=OVER)
    yield from let_go(view, name)
    yield from up(view, view.body(name).heights[1] + HOVER + TIP, 1.0)
