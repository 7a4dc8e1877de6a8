"""The policy that is told where things lie: the ceiling over every score."""

from __future__ import annotations

import numpy as np

from policy_server.policies.int_act.expert import IntActExpertPolicy
from policy_server.policies.int_act.script_policy import is_int_act
from policy_server.policies.motions import Motion, motion_for
from touchstone.errors import PolicyFailure
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.tasks.emoji.pick_rule import CUBE
from touchstone.world import Observation, Privileged


class ExpertPolicy:
    """Carries out either emoji task, and all of INT-ACT's, with the simulator's knowledge; journalled as privileged."""

    contract = PolicyContract(name="expert", version="3", needs_privileged=True)

    def __init__(self):
        self._motion: Motion | None = None
        self._int_act: IntActExpertPolicy | None = None
        self._cube: np.ndarray | None = None

    def session(self) -> ExpertPolicy:
        return ExpertPolicy()

    def reset(self, brief: Brief) -> None:
        self._int_act = IntActExpertPolicy() if is_int_act(brief.task) else None
        if self._int_act is not None:
            self._int_act.reset(brief)
            return
        self._motion = motion_for(brief)
        self._cube = None

    def infer(self, observation: Observation) -> Chunk:
        if self._int_act is not None:
            return self._int_act.infer(observation)
        if self._motion is None:
            raise PolicyFailure("The expert was asked before its first episode began; call reset first.")
        if observation.privileged is None:
            raise PolicyFailure("The expert needs privileged facts and there are none; run it in a twin.")
        told = observation.privileged
        if self._motion.wants_cube:
            self._cube = position_of(told, CUBE)
        return self._motion.next(observation, position_of(told, told.spec.target)[:2], self._cube)


def position_of(told: Privileged, name: str) -> np.ndarray:
    """Where an object lies, float64[3], metres, base frame. Raises PolicyFailure if the world does not know."""
    fact = told.facts.objects.get(name)
    if fact is None or fact.value is None:
        raise PolicyFailure(f"The world does not know where '{name}' lies; run the expert in a twin.")
    return np.asarray(fact.value[:3], dtype=np.float64)
