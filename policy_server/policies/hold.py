"""The policy that does nothing: the floor under every score."""

from __future__ import annotations

import numpy as np

from policy_server.policies.motion import single_delta
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation


class HoldPolicy:
    """Stays where it is with the gripper open."""

    contract = PolicyContract(name="hold", version="1", state=())

    def __init__(self):
        self._rate_hz = 5.0

    def session(self) -> HoldPolicy:
        return HoldPolicy()

    def reset(self, brief: Brief) -> None:
        self._rate_hz = brief.rate_hz

    def infer(self, observation: Observation) -> Chunk:
        return single_delta(observation, np.zeros(3), 1.0, self._rate_hz)
