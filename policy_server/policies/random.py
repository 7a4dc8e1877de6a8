"""The policy that moves without looking: what chance alone scores."""

from __future__ import annotations

import numpy as np

from policy_server.policies.motion import single_delta
from policy_server.policies.touch_motion import MAX_SPEED
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation


class RandomPolicy:
    """Each tick a random direction, a random length up to the others' speed and an open or closed gripper.

    All randomness comes from the brief's seed: the same episode always gets the same actions.
    """

    contract = PolicyContract(name="random", version="1", state=())

    def __init__(self):
        self._rate_hz = 5.0
        self._generator = np.random.default_rng(0)

    def session(self) -> RandomPolicy:
        return RandomPolicy()

    def reset(self, brief: Brief) -> None:
        self._rate_hz = brief.rate_hz
        self._generator = np.random.default_rng(brief.seed)

    def infer(self, observation: Observation) -> Chunk:
        direction = self._generator.normal(size=3)
        length = self._generator.uniform(0.0, MAX_SPEED / self._rate_hz)
        gripper = float(self._generator.integers(2))
        translation = direction / np.linalg.norm(direction) * length
        return single_delta(observation, translation, gripper, self._rate_hz)
