"""Several benches at once as one ManiSkill environment, each in a scene of its own with a layout of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mani_skill.utils.registration import register_env
from mani_skill.utils.structs import Actor
from mani_skill.utils.structs.pose import Pose

from sim_twin.bench_env import BenchEnv
from sim_twin.drives import Drives
from touchstone.spec import Placement


@register_env("TouchstoneFleet-v1", max_episode_steps=100_000)
class FleetEnv(BenchEnv):
    """`BenchEnv` for `ParallelTwins`. Its reset takes the option `layouts`: one for each scene, with equal names.

    What is on the tables is there from the start: nothing can be added to a scene on a GPU, and it gives away the
    poses of everything at once, through ManiSkill's `Actor`. placed: those, by name.
    """

    def _load_scene(self, options: dict) -> None:
        super()._load_scene(options)
        drives = Drives(self.agent.robot, self.arm)
        joints = self.agent.robot.active_joints_map
        drives.fingers = [finger for name in self.arm.gripper.joints for finger in joints[name]._objs]
        drives.make_pads_grip(self.arm.gripper.friction)
        self.placed: dict[str, Actor] = {}
        layouts: Sequence[Sequence[Placement]] = options.get("layouts", ())
        if not layouts:
            return
        sets = [self.props, *(self._make_props(scene) for scene in self.scene.sub_scenes[1:])]
        for props, layout in zip(sets, layouts, strict=True):
            for placement in layout:
                props[placement.name].place(placement)
        for name in (placement.name for placement in layouts[0]):
            self.placed[name] = self._as_actor(name, [props[name].body.entity for props in sets])

    def _as_actor(self, name: str, entities: list) -> Actor:
        actor = Actor.create_from_entities(entities, self.scene, torch.arange(self.num_envs), shared_name=name)
        actor.initial_pose = Pose.create([entity.pose for entity in entities], device=self.device)
        self.scene.actors[name] = actor
        return actor
