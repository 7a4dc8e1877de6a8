"""A world without physics in which an episode of INT-ACT goes as a story says, and suites that ran in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from policy_server.loading import load_policy
from tests.tasks.int_act.stories import GRASP, LEAN, Story, placed
from touchstone.cameras import preset
from touchstone.control.embodiment import ACTION_KINDS
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.hands import Alone
from touchstone.evaluation.suite import SuiteConfig, run_suite
from touchstone.facts import Event, Fact, Facts
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.spec import Spec
from touchstone.tasks.int_act.moments import Moment
from touchstone.tasks.int_act.recorded import LINK_FROM_TCP, PHYSICS_STEP
from touchstone.tasks.int_act.suite import suite
from touchstone.world import CameraFrame, GripperState, JointState, Observation, WorldOffer

#: which story an episode tells, from its spec
Chooser = Callable[[Spec], str]
COLOURS = {"strict": (60, 150, 90), "paper_only": (150, 150, 60), "grasped": (190, 120, 40), "reached": (180, 80, 60)}


def story(spec: Spec, ending: str) -> Story:
    """One of: strict, paper_only, grasped, reached, never, wrong."""
    task = suite().task(spec.task.split(":")[1])
    tale = Story(task, spec.index % 24)
    if ending == "strict":
        return placed(task, spec.index % 24)
    if ending == "paper_only":
        tale.carry(tale.source, tale.over_target())
        return tale.put(tale.source, tale.on_target(), [tale.target], **LEAN).tick(3)
    if ending == "grasped":
        start = tale.at(tale.source)
        tale.put(tale.source, start, ["table"], **GRASP).tick(2, ee=start)
        return tale.rest(tale.source, start, ["table"], 2)
    if ending == "reached":
        return tale.tick(2, ee=tale.at(tale.source) + [0, 0, 0.03]).tick(2)
    if ending == "wrong":
        return tale.rest(tale.target, tale.at(tale.target) + [0.05, 0, 0], ["table"], 3)
    return tale.tick(3)


class StoryWorld:
    """Episodes are as short as their stories: the last moment is given the step that ends an episode."""

    def __init__(self, choose: Chooser, pictures: bool = False, privileged: bool = True) -> None:
        self._choose, self._pictures, self._privileged = choose, pictures, privileged
        self.episodes: list[str] = []

    def describe(self) -> WorldOffer:
        return WorldOffer(
            robot=ARM.name,
            plant="twin",
            path="inproc",
            cameras={"scene": (640, 480)} if self._pictures else {},
            joint_names=ARM.joint_names,
            action_kinds=ACTION_KINDS,
            privileged=self._privileged,
            shader="minimal" if self._pictures else None,
        )

    def reset(self, spec: Spec) -> None:
        self._spec, self._at = spec, 0
        self.ending = self._choose(spec)
        self._moments = story(spec, self.ending).moments
        self.episodes.append(f"{spec.task} {spec.episode} {spec.instruction}")

    def observe(self) -> Observation:
        tcp = Pose(np.array([0.3, 0.0, 0.2]), np.array([1.0, 0, 0, 0]))
        return Observation(
            id=self._at,
            episode=self._spec.episode,
            step=self._at,
            stamp_ns=self._at * self._spec.dt_ns,
            clock="sim",
            cameras=self._cameras() if self._pictures else {},
            joints=JointState(ARM.joint_names, np.array(self._spec.start), np.zeros(6), np.zeros(6)),
            ee=tcp,
            ee_commanded=tcp,
            gripper=GripperState(1.0, 0.07),
            instruction=self._spec.instruction,
        )

    def command(self, chunk) -> None:
        pass

    def advance(self, until_ns: int) -> None:
        self._at += 1

    def facts(self) -> Facts:
        last = self._at == len(self._moments) - 1
        facts = facts_of(self._moments[self._at], self._at * self._spec.dt_ns)
        return facts.model_copy(update={"step": self._spec.step_limit}) if last else facts

    def events(self) -> list[Event]:
        if self.ending == "never" and self._at == 1:
            return [Event(stamp_ns=0, step=1, kind="ik_failure", detail="out of reach")]
        return []

    def close(self) -> None:
        pass

    def _cameras(self) -> dict[str, CameraFrame]:
        image = np.full((480, 640, 3), (196, 178, 150), np.uint8)
        for k, placement in enumerate(self._spec.layout):
            at = (round(320 + 900 * placement.xy[1]), round(480 - 900 * placement.xy[0]))
            cv2.circle(image, at, 40, COLOURS.get(self.ending, (110, 60, 110)) if k == 0 else (90, 100, 170), -1)
        stamp = self._at * self._spec.dt_ns
        return {"scene": CameraFrame(image, stamp, "sim", preset(self._spec.camera))}


def facts_of(moment: Moment, stamp_ns: int) -> Facts:
    """The facts that `moment_of` reads back as this moment."""
    tcp = Pose(np.array(moment.ee) - LINK_FROM_TCP, np.array([1.0, 0, 0, 0]))
    things = moment.objects.items()
    return Facts(
        step=moment.step,
        stamp_ns=stamp_ns,
        tcp=Fact(value=tcp.to_list(), source="sim", frame="base"),
        tcp_commanded=Fact(value=tcp.to_list(), source="sim", frame="base"),
        joints=Fact(value=[0.0] * 6, source="sim"),
        opening=Fact(value=1.0, source="sim"),
        opening_commanded=Fact(value=1.0, source="sim"),
        objects={name: Fact(value=list(thing.pose), source="sim", frame="base") for name, thing in things},
        centres={name: Fact(value=list(thing.centre), source="sim", frame="base") for name, thing in things},
        finger_forces={
            name: Fact(value=[f / PHYSICS_STEP for f in (*thing.left, *thing.right)], source="sim", frame="tcp")
            for name, thing in things
        },
        contacts={
            name: Fact(value={other: f / PHYSICS_STEP for other, f in thing.contacts.items()}, source="sim")
            for name, thing in things
        },
    )


def suite_config(tasks, seeds=(42,), episodes=2, pictures=False, **more) -> SuiteConfig:
    """`hold` in the twin. more: fields of the suite's configuration."""
    common = SessionConfig(
        task="int-act:widowx_stack_cube",
        world="twin",
        robot="wx250s",
        policy="hold",
        protocol="suite",
        seed=0,
        trials=1,
        pictures=pictures,
    )
    return SuiteConfig(tasks=tuple(tasks), seeds=seeds, episodes=episodes, common=common, **more)


def opener(choose: Chooser, pictures: bool = False, opened: list | None = None):
    """Hands in a story world, for `run_suite`; appends each scene that is opened to `opened`."""

    @contextmanager
    def open_hands(first: SessionConfig):
        world = StoryWorld(choose, pictures)
        if opened is not None:
            opened.append((first.camera, world))
        yield Alone(world, load_policy("hold"))

    return open_hands


def run_stories(out: Path, config: SuiteConfig, choose: Chooser) -> Path:
    """A suite run in the story world."""
    run_suite(config, out, opener(choose, config.common.pictures))
    return out
