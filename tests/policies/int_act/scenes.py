"""What a script sees of INT-ACT's settled scenes, without a simulator: every object lies where it is dropped."""

from __future__ import annotations

import numpy as np

from policy_server.policies.int_act.view import Body
from touchstone.geometry import Pose, rotation_from_quaternion
from touchstone.robots.wx250s import ARM
from touchstone.spec import Spec
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.scenes import SCENES
from touchstone.tasks.int_act.task import PROTOCOL, IntAct

#: of the basin and of the basket in it, over the table [m]
UNDER = {"eggplant": 0.050, "basket_floor": 0.056}


def spec_of(task: str, episode: int) -> Spec:
    asked = IntAct(task)
    return asked.plan(PROTOCOL, 0, episode, ARM, asked.camera)


def bodies_of(spec: Spec) -> dict[str, Body]:
    """Its objects at rest, source first."""
    return {placement.name: _body(placement, spec) for placement in spec.layout}


def _body(placement, spec: Spec) -> Body:
    kind = object_kind(placement.kind)
    ends = np.array(np.meshgrid(*kind.bounds.T)).reshape(3, -1).T
    under = SCENES[spec.bench].table_z + (UNDER[placement.kind] if spec.bench == "int-act-sink" else 0.0)
    low = rotation_from_quaternion(placement.turn).apply(ends)[:, 2].min()
    pose = Pose(np.array([*placement.xy, under - low]), np.array(placement.turn))
    return Body(kind, pose, pose.position + pose.rotation().apply(kind.bounds.mean(axis=0)))
