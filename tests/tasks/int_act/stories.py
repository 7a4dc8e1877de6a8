"""Hand-made episodes of INT-ACT: objects at rest, carried, pushed and dropped, with their contacts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from touchstone.geometry import rotation_from_quaternion
from touchstone.tasks.int_act.layouts import drops
from touchstone.tasks.int_act.metrics import METRICS, score_episode
from touchstone.tasks.int_act.moments import Moment, ObjectMoment
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.suite import SuiteTask, suite

TABLE_TOP = 0.87
FAR = (0.1, 0.0, 1.2)
#: an impulse of half a millinewton second: 0.25 N at 500 Hz
PRESS = 5e-4
NONE = (0.0, 0.0, 0.0)
GRASP = {"left": (0.0, -PRESS, 0.0), "right": (0.0, PRESS, 0.0)}
LEAN = {"left": (0.0, -PRESS, 0.0), "right": NONE}
CARROT = suite().task("widowx_carrot_on_plate")
DISTRACTED = suite().task("widowx_carrot_on_plate_distract")
SPOON = suite().task("widowx_spoon_on_towel")
WHEEL = suite().task("widowx_carrot_on_wheel_clean")
RAMEKIN = suite().task("widowx_coke_can_on_ramekin_clean")
NUT = suite().task("widowx_nut_on_wheel_clean")
SINK = suite().task("widowx_put_eggplant_in_basket")
NEGATED = suite().task("widowx_carrot_on_plate_lang_neg_action")
PLACING = [task for task in suite().tasks.values() if not task.rule.negated]


class Story:
    """An episode in the making. Objects have their centre of mass in the middle of their bounding box."""

    def __init__(self, task: SuiteTask, episode: int = 0) -> None:
        self.task = task
        self.source, self.target = task.objects.source, task.objects.target
        self._now: dict[str, ObjectMoment] = {}
        for drop in drops(task, episode):
            height = abs(rotation_from_quaternion(drop.turn).apply(object_kind(drop.object).size)[2])
            self._now[drop.object] = thing(
                drop.object, (*drop.xy, TABLE_TOP + height / 2), drop.turn, contacts={"table": 1e-3}
            )
        self.moments = [Moment(step=0, ee=FAR, objects=dict(self._now))]

    def at(self, name: str) -> np.ndarray:
        """Where the object's middle is [m]."""
        return np.array(self._now[name].centre)

    def half_height(self, name: str) -> float:
        """Half of the height [m] that it had at the start."""
        turn = self.moments[0].objects[name].pose[3:]
        return abs(rotation_from_quaternion(turn).apply(object_kind(name).size)[2]) / 2

    def tick(self, times: int = 1, ee: Sequence[float] = FAR) -> Story:
        """Lets time pass with everything as it is."""
        for _ in range(times):
            step = self.moments[-1].step + 1
            self.moments.append(Moment(step=step, ee=tuple(ee), objects=dict(self._now)))
        return self

    def put(self, name: str, centre, contacts=(), **fingers) -> Story:
        """Moves an object; nothing is recorded before the next tick. contacts: what it then touches."""
        turn = self._now[name].pose[3:]
        self._now[name] = thing(name, centre, turn, contacts=dict.fromkeys(contacts, 1e-3), **fingers)
        return self

    def carry(self, name: str, centre, ticks: int = 6) -> Story:
        """Grasps it where it is, for `ticks` in all, and has it in the air at `centre` in the end."""
        start = self.at(name)
        for k in range(ticks):
            where = start + (np.asarray(centre) - start) * k / (ticks - 1)
            self.put(name, where, ["table"] if k == 0 else [], **GRASP).tick(ee=where)
        return self

    def rest(self, name: str, centre, contacts, ticks: int = 6) -> Story:
        """Lets it lie at `centre`, touched by nothing but `contacts`."""
        return self.put(name, centre, contacts).tick(ticks)

    def over_target(self, height: float = 0.1) -> np.ndarray:
        return self.at(self.target) + [0, 0, height]

    def on_target(self, dx: float = 0.0, dy: float = 0.0) -> np.ndarray:
        """Where the source's middle is when it lies on the target's top."""
        height = self.half_height(self.target) + self.half_height(self.source)
        return self.at(self.target) + [dx, dy, height]

    def on_table(self, name: str, x: float, y: float) -> np.ndarray:
        return np.array([x, y, TABLE_TOP + self.half_height(name)])


def thing(name: str, centre, turn, contacts=None, left=NONE, right=NONE) -> ObjectMoment:
    """One object whose middle is at `centre` [m]."""
    middle = rotation_from_quaternion(turn).apply(object_kind(name).bounds.mean(axis=0))
    return ObjectMoment(
        pose=(*(np.asarray(centre) - middle), *turn),
        centre=tuple(centre),
        left=left,
        right=right,
        contacts=contacts or {},
    )


def values(story: Story) -> dict[str, bool]:
    """The score of a story, by metric."""
    score = score_episode(story.task, story.moments)
    return {metric: getattr(score, metric) for metric in METRICS}


def only(*metrics: str) -> dict[str, bool]:
    """A score of which nothing else holds."""
    return {metric: metric in metrics for metric in METRICS}


def placed(task: SuiteTask, episode: int = 0) -> Story:
    """The source is grasped, carried, let go of, and lies on the target."""
    story = Story(task, episode)
    story.carry(story.source, story.over_target())
    return story.rest(story.source, story.on_target(), [story.target])
