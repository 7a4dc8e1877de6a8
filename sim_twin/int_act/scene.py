"""INT-ACT's table and sink: objects are dropped and come to rest before an episode starts; the arm obeys as there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sapien

from sim_twin.arm_env import ArmEnv
from sim_twin.drives import Drives
from sim_twin.int_act.contacts import contacts
from sim_twin.int_act.official import official_model
from sim_twin.int_act.suite_env import ENV, LOOKS, PHYSICS_HZ
from sim_twin.int_act.thing import Thing
from touchstone.control.embodiment import ControlRules, Setpoint
from touchstone.facts import Fact
from touchstone.spec import Placement, Spec
from touchstone.tasks.int_act.objects import objects
from touchstone.tasks.int_act.recorded import LINK_FROM_TCP
from touchstone.tasks.int_act.scenes import Scene
from touchstone.world import WorldRequest

#: INT-ACT's code: objects fall from this far over the table [m]
DROP_HEIGHT = 0.5
#: for so long with roll and pitch held, so long without, and so much longer while anything moves [s]
HELD, FREE, LONGER = 0.5, 0.5, 1.5
#: what counts as moving: summed over the objects, [m/s] and [rad/s]
MOVING, TURNING = 1e-3, 1e-2
#: where the arm is kept while objects fall
AWAY = sapien.Pose([-10, 0, 0])


class IntActScene:
    """setting: where the arm stands, and how it starts."""

    env = ENV
    physics_hz = PHYSICS_HZ
    #: INT-ACT's controller: target poses, 100 iterations, no interpolation; fingers are sent 1 mm beyond their stops
    rules = ControlRules(
        pivot=tuple(LINK_FROM_TCP.tolist()),
        solves_from="measured",
        iterations=100,
        limits_speed=False,
        straight=False,
        fingers=(0.014, 0.038),
    )
    patch_radius = 0.01
    #: INT-ACT's code: beside the sink, which is no thing of an episode's
    in_photographs = frozenset({"basket_floor"})

    def __init__(self, setting: Scene) -> None:
        self._setting = setting
        self.looks = LOOKS[setting.name]

    def settings(self, request: WorldRequest) -> dict[str, Any]:
        if request.meshes == "official":
            official_model(next(iter(objects())))
        return {"setting": self._setting, "meshes": request.meshes}

    def misfit(self, spec: Spec) -> str | None:
        if spec.bench != self._setting.name:
            return f"takes place in the scene '{spec.bench}', and this twin shows '{self._setting.name}'"
        strange = [p.name for p in spec.layout if p.kind not in objects() or p.name != p.kind]
        return f"asks for {', '.join(strange)}, which this twin has not" if strange else None

    def begin(self, env: ArmEnv, drives: Drives, start: Setpoint, layout: Sequence[Placement]) -> None:
        robot = env.agent.robot._objs[0]
        robot.set_root_pose(AWAY)
        things = list(_things(env, layout))
        for thing, placement in zip(things, layout, strict=True):
            thing.put([*placement.xy, self._setting.table_z + DROP_HEIGHT], placement.turn or (1.0, 0.0, 0.0, 0.0))
            thing.lock_tilt(True)
        _run(env, HELD)
        for thing in things:
            thing.lock_tilt(False)
            thing.stop()
        _run(env, FREE)
        if sum(thing.speed() for thing in things) > MOVING or sum(thing.turning() for thing in things) > TURNING:
            _run(env, LONGER)
        robot.set_root_pose(sapien.Pose())
        drives.place(start.joints, start.opening)

    def more_facts(self, env: ArmEnv, layout: Sequence[Placement]) -> dict[str, dict[str, Fact]]:
        things = list(_things(env, layout))
        touching = contacts(env.scene.px, things, env.agent.robot._objs[0].links)
        hz = self.physics_hz
        return {
            "centres": {thing.name: Fact(value=thing.centre(), frame="base", source="sim") for thing in things},
            "contacts": {
                thing.name: Fact(
                    value={other: impulse * hz for other, impulse in touching[thing.name].items()}, source="sim"
                )
                for thing in things
            },
        }


def _things(env: ArmEnv, layout: Sequence[Placement]) -> Iterator[Thing]:
    return (env.props[placement.name] for placement in layout)


def _run(env: ArmEnv, seconds: float) -> None:
    for _ in range(round(seconds * PHYSICS_HZ)):
        env.scene.step()
