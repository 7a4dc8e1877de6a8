"""A world without physics, in which the arm is where it was sent, and a policy that only goes down."""

from __future__ import annotations

import numpy as np

from touchstone.control.embodiment import ACTION_KINDS, Embodiment
from touchstone.facts import Fact, Facts
from touchstone.policy import Chunk, PolicyContract, Prior
from touchstone.robots.wx250s import ARM
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import GripperState, JointState, Observation, WorldOffer

STEPS = 12
DOWN = 0.01


def spec() -> Spec:
    """5 Hz, STEPS ticks."""
    return TouchEmoji().plan("val", 0, 0, ARM).model_copy(update={"step_limit": STEPS})


class KinematicWorld:
    path = "inproc"

    def describe(self) -> WorldOffer:
        return WorldOffer(
            robot=ARM.name,
            plant="twin",
            path=self.path,
            cameras={},
            joint_names=ARM.joint_names,
            action_kinds=ACTION_KINDS,
            privileged=False,
        )

    def reset(self, spec: Spec) -> None:
        self._spec, self._step = spec, 0
        self._embodiment = Embodiment(ARM)

    @property
    def _now_ns(self) -> int:
        return self._step * self._spec.dt_ns

    def observe(self) -> Observation:
        setpoint = self._embodiment.setpoint
        return Observation(
            id=100 + self._step,
            episode=self._spec.episode,
            step=self._step,
            stamp_ns=self._now_ns,
            clock="sim",
            cameras={},
            joints=JointState(ARM.joint_names, setpoint.joints, np.zeros(6), np.zeros(6)),
            ee=setpoint.tcp,
            ee_commanded=setpoint.tcp,
            gripper=GripperState(setpoint.opening, 0.05),
            instruction=self._spec.instruction,
        )

    def command(self, chunk: Chunk | None) -> None:
        self._embodiment.command(chunk, self._now_ns, self._step)

    def advance(self, until_ns: int) -> None:
        while self._now_ns < until_ns:
            self._embodiment.step(self._now_ns, self._step, self._embodiment.setpoint.tcp)
            self._step += 1

    def facts(self) -> Facts:
        setpoint = self._embodiment.setpoint
        tcp = Fact(value=setpoint.tcp.to_list(), source="sim", frame="base")
        opening = Fact(value=setpoint.opening, source="sim")
        return Facts(
            step=self._step,
            stamp_ns=self._now_ns,
            tcp=tcp,
            tcp_commanded=tcp,
            joints=Fact(value=setpoint.joints.tolist(), source="sim"),
            opening=opening,
            opening_commanded=opening,
        )

    def events(self):
        return self._embodiment.drain_events()

    def close(self) -> None:
        pass


class Endless:
    """A task that ends at the step limit."""

    def monitor(self, spec):
        return self

    def update(self, facts) -> bool:
        return False

    def judge(self, spec, facts, events) -> Verdict:
        return Verdict(execution=False, recognition=None, chosen=None, step=None, reason="it is over")


class GoesDown:
    """`length` actions of 1 cm down; remembers when it was asked, and with which prior."""

    def __init__(self, length: int, execute: int, inpaints: bool = False) -> None:
        self.contract = PolicyContract(
            name="goes-down", version="1", chunk_length=length, execute=execute, inpaints=inpaints
        )
        self.asked: list[int] = []
        self.priors: list[Prior | None] = []

    def reset(self, brief) -> None:
        self.asked.clear()

    def infer(self, observation: Observation, prior: Prior | None = None) -> Chunk:
        self.asked.append(observation.step)
        self.priors.append(prior)
        actions = np.zeros((self.contract.chunk_length, 6))
        actions[:, 2] = -DOWN
        gripper = np.ones(len(actions))
        return Chunk(observation.id, observation.stamp_ns, 0.2, "target_delta", actions, gripper)


class Ticks:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.facts, self.events, self.chunks, self.stages = [], [], [], []

    def tick(self, observation, facts, events, chunk, stages_ms) -> None:
        self.facts.append(facts)
        self.events.append([event.kind for event in events])
        self.chunks.append(chunk)
        self.stages.append(stages_ms)

    def moved(self) -> str:
        """One letter for each tick: `d` if the arm went down 1 cm during it, `-` if it held."""
        heights = [facts.tcp.value[2] for facts in self.facts]
        return "".join("d" if step < -DOWN / 2 else "-" for step in np.diff(heights))
