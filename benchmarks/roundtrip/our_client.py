"""Touchstone's client: `python -m roundtrip.our_client URL [--jpeg]`."""

from __future__ import annotations

import sys

import numpy as np

from policy_server.client import PolicyClient
from roundtrip.lines import answer_lines
from roundtrip.payload import INSTRUCTION, OBSERVATIONS, check, pictures, state
from touchstone.cameras import preset
from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.spec import Brief
from touchstone.world import CameraFrame, GripperState, JointState, Observation

BRIEF = Brief(episode="bench", task="bench", instruction=INSTRUCTION, rate_hz=50.0, step_limit=1, seed=0)
JPEG_TOLERANCE = 1e-3  # of a mean over 1200 values; two observations differ by more


def main(url: str, as_jpeg: bool) -> None:
    client = PolicyClient(url, as_jpeg=as_jpeg)
    observations = [_observation(k) for k in range(OBSERVATIONS)]

    def verify(number: int, chunk: Chunk) -> None:
        actions = np.concatenate([chunk.actions, chunk.gripper[:, None]], axis=1)
        check(number, actions, JPEG_TOLERANCE if as_jpeg else 1e-6)

    # a turn may end while other ways are measured, so every block begins an episode
    answer_lines(lambda k: client.infer(observations[k]), verify, lambda: client.reset(BRIEF))
    client.close()


def _observation(number: int) -> Observation:
    values = state(number).astype(np.float64)
    model = preset("grinningface")
    return Observation(
        id=number,
        episode="bench",
        step=0,
        stamp_ns=number,
        clock="sim",
        cameras={name: CameraFrame(image, number, "sim", model) for name, image in pictures(number).items()},
        joints=JointState(tuple("abcdef"), values[:6], np.zeros(6), np.zeros(6)),
        ee=Pose.identity(),
        ee_commanded=Pose.identity(),
        gripper=GripperState(1.0, 0.07),
        instruction=INSTRUCTION,
    )


if __name__ == "__main__":
    main(sys.argv[1], "--jpeg" in sys.argv)
