"""Sessions of pick-emoji made by hand, without pictures: facts that lead to a chosen verdict by each rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.sessions import CONFIG, DOWN, PROVENANCE
from touchstone.bench import CUBE_SIDE, TABLE_Z
from touchstone.data.journal import Session
from touchstone.facts import Fact, Facts
from touchstone.geometry import Pose
from touchstone.robots.wx250s import ARM
from touchstone.spec import Spec
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.tasks.emoji.pick_rule import CUBE, SETTLED_TICKS
from touchstone.world import GripperState, JointState, Observation

TASK = PickEmoji()
PICK_CONFIG = {**CONFIG, "task": "pick-emoji", "policy": "expert"}
CARRIED, LAID = 3, SETTLED_TICKS + 2
PRESSED, LOOSE = [0.0, -5.0, 0.0, 0.0, 5.0, 0.0], [0.0] * 6


def write_pick_session(out: Path, endings: str, config: dict | None = None, **provenance) -> Path:
    """A session with an episode per letter: `r` right and `w` wrong by both rules, `p` pushed onto the right card,
    which only the paper's rule counts, `n` never moved."""
    config = {**PICK_CONFIG, **(config or {})}
    with Session.open(out, config, {**PROVENANCE, "trials": len(endings), **provenance}) as session:
        for index, ending in enumerate(endings):
            spec = TASK.plan(config["protocol"], config["seed"], index, ARM)
            facts = pick_facts(spec, ending)
            recorder = session.record(spec)
            for one in facts:
                recorder.tick(_observation(spec, one), one, [], None, {})
            recorder.finish(TASK.judge(spec, facts, []))
    return out


def pick_facts(spec: Spec, ending: str) -> list[Facts]:
    """The facts of an episode with one of the endings above."""
    start = np.array([*spec.placement(CUBE).xy, TABLE_Z + CUBE_SIDE / 2])
    wrong = next(choice for choice in spec.choices if choice.name != spec.target)
    aim = {"r": spec.placement(spec.target), "p": spec.placement(spec.target), "w": wrong}
    end = np.array([*aim[ending].xy, TABLE_Z + CUBE_SIDE / 2]) if ending in aim else start
    lifted = ending in "rw"
    carried = [
        _facts(spec, step, start + [0, 0, 0.05 * lifted], PRESSED if lifted else LOOSE) for step in range(CARRIED)
    ]
    return carried + [_facts(spec, CARRIED + step, end, LOOSE) for step in range(LAID)]


def _facts(spec: Spec, step: int, cube: np.ndarray, forces: list[float]) -> Facts:
    at = {placement.name: [*placement.xy, TABLE_Z] for placement in spec.choices} | {CUBE: [float(v) for v in cube]}
    tcp = Fact(value=[0.3, 0.0, 0.2, *DOWN], source="sim", frame="base")
    return Facts(
        step=step,
        stamp_ns=step * spec.dt_ns,
        tcp=tcp,
        tcp_commanded=tcp,
        joints=Fact(value=list(ARM.ready), source="sim"),
        joint_velocities=Fact(value=[0.0] * len(ARM.ready), source="sim"),
        opening=Fact(value=1.0, source="sim"),
        opening_commanded=Fact(value=1.0, source="sim"),
        objects={name: Fact(value=[*xyz, 1.0, 0.0, 0.0, 0.0], source="sim", frame="base") for name, xyz in at.items()},
        finger_forces={CUBE: Fact(value=forces, source="sim", frame="tcp")},
    )


def _observation(spec: Spec, facts: Facts) -> Observation:
    tcp = Pose.from_list(facts.tcp.value)
    return Observation(
        id=facts.step,
        episode=spec.episode,
        step=facts.step,
        stamp_ns=facts.stamp_ns,
        clock="sim",
        cameras={},
        joints=JointState(ARM.joint_names, np.array(ARM.ready), np.zeros(6), np.zeros(6)),
        ee=tcp,
        ee_commanded=tcp,
        gripper=GripperState(1.0, ARM.gripper.width(ARM.gripper.finger_position(1.0))),
        instruction=spec.instruction,
    )
