"""Briefs and observations for these tests."""

from __future__ import annotations

import numpy as np

from touchstone.cameras import preset
from touchstone.geometry import Pose
from touchstone.spec import Brief
from touchstone.world import CameraFrame, GripperState, JointState, Observation

#: the gripper points straight down: TCP x = -z of the base, y = y, z = x
TOP_DOWN = Pose.from_matrix(np.array([[0, 0, 1, 0.3], [0, 1, 0, 0.0], [-1, 0, 0, 0.2], [0, 0, 0, 1.0]]))


def brief(seed: int = 7, rate_hz: float = 5.0) -> Brief:
    return Brief(episode="e", task="t", instruction="Touch Cat.", rate_hz=rate_hz, step_limit=60, seed=seed)


def observation(number: int = 1, ee: Pose = TOP_DOWN, opening: float = 1.0, image=None) -> Observation:
    if image is None:
        image = np.random.default_rng(number).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    return Observation(
        id=number,
        episode="e",
        step=number,
        stamp_ns=10**9 + number,
        clock="sim",
        cameras={"scene": CameraFrame(image, 10**9, "sim", preset("grinningface"))},
        joints=JointState(tuple("abcdef"), *np.random.default_rng(number).normal(size=(3, 6))),
        ee=ee,
        ee_commanded=ee,
        gripper=GripperState(opening, 0.07),
        instruction="Touch Cat.",
    )
