"""The policy that is told where the target lies: the ceiling over every score."""

from __future__ import annotations

import numpy as np

from policy_server.policies.touch_motion import TouchMotion
from touchstone.errors import PolicyFailure
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation


class ExpertPolicy:
    """Touches the target card with the simulator's knowledge of it; journalled as privileged."""

    contract = PolicyContract(name="expert", version="1", needs_privileged=True)

    def __init__(self):
        self._motion: TouchMotion | None = None

    def reset(self, brief: Brief) -> None:
        self._motion = TouchMotion(brief.rate_hz)

    def infer(self, observation: Observation) -> Chunk:
        if self._motion is None:
            raise PolicyFailure("The expert was asked before its first episode began; call reset first.")
        if observation.privileged is None:
            raise PolicyFailure("The expert needs privileged facts and there are none; run it in a twin.")
        target = observation.privileged.spec.target
        fact = observation.privileged.facts.objects.get(target)
        if fact is None or fact.value is None:
            raise PolicyFailure(f"The world does not know where the target '{target}' lies.")
        return self._motion.next(observation, np.asarray(fact.value[:3], dtype=np.float64))
