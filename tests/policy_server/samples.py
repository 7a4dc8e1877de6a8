"""Observations, briefs and specs for these tests."""

from __future__ import annotations

import numpy as np

from touchstone.cameras import preset
from touchstone.facts import Fact, Facts
from touchstone.geometry import Pose
from touchstone.spec import Brief, Placement, Spec
from touchstone.world import CameraFrame, GripperState, JointState, Observation, Privileged

DOWN = np.array([0.0, 0.0, 1.0, 0.0])
READY = Pose(np.array([0.30, 0.0, 0.20]), DOWN)
BRIEF = Brief(episode="val-s0-0000", task="touch-emoji", instruction="Touch cat.", rate_hz=5.0, step_limit=60, seed=7)


def spec() -> Spec:
    return Spec(
        episode="val-s0-0000",
        task="touch-emoji",
        protocol="val",
        robot="wx250s",
        bench="touch",
        camera="grinningface",
        seed=0,
        index=0,
        instruction="Touch cat.",
        target="card_0",
        layout=(Placement(name="card_0", emoji="🐱", label="cat", xy=(0.35, 0.2), yaw=0.1),),
        rate_hz=5.0,
        step_limit=60,
        start=(0.0, -1.1, 1 / 3),
        policy_seed=7,
    )


def facts(card=(0.35, 0.2, -0.099)) -> Facts:
    return Facts(
        step=0,
        stamp_ns=1,
        tcp=Fact(value=READY.to_list(), source="sim", frame="base", sigma=0.1 + 0.2),
        tcp_commanded=Fact(value=READY.to_list(), source="sim", frame="base"),
        joints=Fact(value=[0.1, 1 / 3], source="sim"),
        opening=Fact(value=1.0, source="sim"),
        opening_commanded=Fact(value=None, source="sim"),
        objects={"card_0": Fact(value=[*card, 1.0, 0.0, 0.0, 0.0], source="sim", frame="base")},
    )


def observation(number: int = 1, ee: Pose = READY, commanded: Pose = READY, **changes) -> Observation:
    generator = np.random.default_rng(number)
    frame = CameraFrame(
        image=generator.integers(0, 256, (480, 640, 3), dtype=np.uint8),
        stamp_ns=10**18 + number,
        clock="sim",
        model=preset("grinningface"),
    )
    fields = {
        "id": number,
        "episode": "val-s0-0000",
        "step": number,
        "stamp_ns": 10**18 + number,
        "clock": "sim",
        "cameras": {"scene": frame},
        "joints": JointState(tuple("abcdef"), *generator.normal(size=(3, 6))),
        "ee": ee,
        "ee_commanded": commanded,
        "gripper": GripperState(1 / 3, 0.07),
        "instruction": "Touch cat.",
    } | changes
    return Observation(**fields)


def privileged(card=(0.35, 0.2, -0.099)) -> Privileged:
    return Privileged(spec(), facts(card))
