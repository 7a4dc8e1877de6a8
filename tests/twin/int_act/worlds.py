"""Twins of INT-ACT's scenes, and what an episode's first moment must look like."""

from __future__ import annotations

import numpy as np

from sim_twin.world import TwinWorld, make_world
from touchstone.facts import Facts
from touchstone.geometry import Pose, rotation_from_quaternion
from touchstone.robots.wx250s import ARM
from touchstone.spec import Spec
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.scenes import SCENES
from touchstone.tasks.int_act.task import PROTOCOL, IntAct
from touchstone.world import WorldRequest

#: what may roll a little before it lies still, and how far it and all else may come to rest from its place [m]
ROLLERS = {"coke_can", "pepsi_can", "orange", "eggplant"}
ROLLED, LAID = 0.015, 0.005
#: how far what is asked to stand may lean [deg], and be off its height [m]
LEANING, OFF_HEIGHT = 3.0, 1.5e-3


def open_world(scene: str, **options) -> TwinWorld:
    return make_world(WorldRequest(ARM.name, SCENES[scene].camera, scene=scene, **{"pictures": False} | options))


def episode(name: str, index: int) -> Spec:
    task = IntAct(name)
    return task.plan(PROTOCOL, 0, index, ARM, task.camera)


def layout_problems(world: TwinWorld, spec: Spec, facts: Facts) -> list[str]:
    """What of an episode's first facts does not agree with its layout; empty when all does."""
    problems = []
    for placement in spec.layout:
        pose = Pose.from_list(facts.objects[placement.name].value)
        away = np.hypot(*(pose.position[:2] - placement.xy))
        if away > (ROLLED if placement.name in ROLLERS else LAID):
            problems.append(f"{spec.task} {spec.index}: {placement.name} is {away * 1e3:.1f} mm away")
        dropped = rotation_from_quaternion(placement.turn)
        up = pose.rotation().apply(dropped.inv().apply([0, 0, 1]))
        if np.degrees(np.arccos(min(1.0, up[2]))) > LEANING:
            problems.append(f"{spec.task} {spec.index}: {placement.name} leans")
        lowest = pose.position[2] + dropped.apply(object_kind(placement.kind).bounds)[:, 2].min()
        if abs(lowest - floor_under(placement.name, spec.bench)) > OFF_HEIGHT:
            problems.append(f"{spec.task} {spec.index}: {placement.name} is at height {lowest:.4f}")
        thing = world._env.props[placement.name]
        if thing.speed() > 1e-3 or thing.turning() > 1e-2:
            problems.append(f"{spec.task} {spec.index}: {placement.name} moves")
    return problems


def floor_under(name: str, scene: str) -> float:
    """Height in the base frame [m] of what an object lies on: the table, the basin or the basket."""
    if scene == "int-act-table":
        return SCENES[scene].table_z
    # the sink stands at 0.88 in a world where the arm's base is at 0.85
    return 0.88 - 0.85 + {"eggplant": 0.040, "basket_floor": 0.046}[name]
