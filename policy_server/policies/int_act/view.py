"""What a script knows at a tick: where the arm and every object are, in the base frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from touchstone.errors import PolicyFailure
from touchstone.geometry import Pose
from touchstone.spec import Spec
from touchstone.tasks.int_act.moments import Moment, ObjectMoment
from touchstone.tasks.int_act.objects import ObjectKind, object_kind
from touchstone.tasks.int_act.recorded import moment_of
from touchstone.tasks.int_act.rules import TOUCH_IMPULSE, is_grasped
from touchstone.tasks.int_act.scenes import scene_of
from touchstone.tasks.int_act.suite import suite
from touchstone.world import Observation

#: thickness [m] of the sink's walls, rounded up
SINK_WALL = 0.01


@dataclass(frozen=True)
class Body:
    """One object. pose: of its own frame. centre: of its mass, float64[3] [m]."""

    kind: ObjectKind
    pose: Pose
    centre: np.ndarray

    @cached_property
    def axes(self) -> np.ndarray:
        """float64[3,3]: its own axes, as columns."""
        return self.pose.rotation().as_matrix()

    @cached_property
    def up(self) -> int:
        """Which of its own axes is nearest to vertical."""
        return int(np.argmax(np.abs(self.axes[2])))

    @cached_property
    def level(self) -> tuple[int, int]:
        """The other two, the shorter edge of its bounding box first."""
        one, other = (axis for axis in range(3) if axis != self.up)
        return (one, other) if self.kind.size[one] <= self.kind.size[other] else (other, one)

    @cached_property
    def heights(self) -> tuple[float, float]:
        """Bottom and top of its bounding box [m]."""
        z = self._corners[:, 2]
        return float(z.min()), float(z.max())

    @cached_property
    def middle(self) -> np.ndarray:
        """float64[3]: of its bounding box [m]."""
        return self.at(self.kind.bounds.mean(axis=0))

    @cached_property
    def radius(self) -> float:
        """Of the circle around its bounding box, seen from above [m]."""
        return float(np.linalg.norm(self._corners[:, :2] - self.middle[:2], axis=1).max())

    def at(self, point) -> np.ndarray:
        """float64[3]: a point [m] of its own frame."""
        return self.pose.position + self.pose.rotation().apply(point)

    def flat(self, axis: int) -> np.ndarray:
        """float64[2]: the level direction of one of its own axes."""
        direction = self.axes[:2, axis]
        return direction / np.linalg.norm(direction)

    @cached_property
    def _corners(self) -> np.ndarray:
        ends = np.array(np.meshgrid(*self.kind.bounds.T)).reshape(3, -1).T
        return self.at(ends)


class View:
    """Told anew at every tick by `look`; a script reads it between its actions."""

    def __init__(self) -> None:
        self._observation: Observation | None = None
        self._moment: Moment | None = None
        self._bodies: dict[str, Body] = {}

    def look(self, observation: Observation) -> None:
        """Takes in a tick. Raises PolicyFailure without privileged facts."""
        if observation.privileged is None:
            raise PolicyFailure("A script of INT-ACT needs privileged facts and there are none; run it in a twin.")
        self._observation = observation
        self._moment = moment_of(observation.privileged.facts)
        self._bodies = {
            name: Body(object_kind(name), Pose.from_list(thing.pose), np.array(thing.centre))
            for name, thing in self._moment.objects.items()
        }

    @property
    def spec(self) -> Spec:
        return self._observation.privileged.spec

    @property
    def walls(self) -> np.ndarray | None:
        """Inner low and high corner, float64[2,2], of the sink [m], where the task takes place in one."""
        layout = suite().task(self.spec.task.partition(":")[2]).layout
        if layout.fixture is None:
            return None
        bounds = object_kind(layout.fixture.object).bounds
        corners = [
            scene_of(layout).in_base(Pose(layout.fixture.position + corner, np.array([1.0, 0, 0, 0]))).position[:2]
            for corner in bounds
        ]
        return np.array([np.min(corners, axis=0) + SINK_WALL, np.max(corners, axis=0) - SINK_WALL])

    @property
    def left(self) -> int:
        """Ticks until the episode ends."""
        return self.spec.step_limit - self._observation.step

    @property
    def tcp(self) -> Pose:
        """Measured."""
        return self._observation.ee

    @property
    def commanded(self) -> Pose:
        """Of the TCP."""
        return self._observation.ee_commanded

    @property
    def opening(self) -> float:
        """Of the gripper, measured: 0 closed .. 1 open."""
        return self._observation.gripper.opening

    def body(self, name: str) -> Body:
        return self._bodies[name]

    def others(self, name: str) -> list[Body]:
        """All objects but one."""
        return [body for other, body in self._bodies.items() if other != name]

    def thing(self, name: str) -> ObjectMoment:
        return self._moment.objects[name]

    def held(self, name: str) -> bool:
        """Whether both fingers press on an object."""
        return is_grasped(self.thing(name))

    def rests_on(self, name: str, other: str) -> bool:
        """Whether an object touches another, or `table`."""
        return self.thing(name).contacts.get(other, 0.0) > TOUCH_IMPULSE
