"""The expert with one known weakness each: like `degraded`, for studies that render nothing. All are privileged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from policy_server.policies import degraded
from policy_server.policies.expert import ExpertPolicy
from touchstone.policy import PolicyContract
from touchstone.spec import Brief
from touchstone.tasks.emoji.pick_rule import CUBE
from touchstone.world import Observation

#: standard deviation of the error in where the cube is, sideways along each axis [m]; half a cube's side is 0.015
NOISE, LARGE_NOISE = 0.008, 0.016
#: shares of the episodes in which it acts on a card that was not asked for
WRONG, OFTEN_WRONG = 0.3, 0.7
#: as in `degraded`; the fingers meet the cube below 0.013
EARLY = (0.0, 0.03)


def _contract(name: str) -> PolicyContract:
    return PolicyContract(name=f"expert-{name}", version="1", needs_privileged=True)


class NoisyExpertPolicy(degraded.Degraded):
    """Errs about where the cube is, by an error drawn for each episode."""

    contract = _contract("noisy")
    base = ExpertPolicy
    sigma = NOISE

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._error = np.array([*self._generator.normal(0.0, self.sigma, 2), 0.0])

    def see(self, observation: Observation) -> Observation:
        told = observation.privileged
        if told is None or CUBE not in told.facts.objects:
            return observation
        fact = told.facts.objects[CUBE]
        value = [*(np.asarray(fact.value[:3]) + self._error).tolist(), *fact.value[3:]]
        objects = {**told.facts.objects, CUBE: fact.model_copy(update={"value": value})}
        facts = told.facts.model_copy(update={"objects": objects})
        return replace(observation, privileged=replace(told, facts=facts))


class VeryNoisyExpertPolicy(NoisyExpertPolicy):
    """The same, twice as far."""

    contract = _contract("very-noisy")
    sigma = LARGE_NOISE


class WrongCardExpertPolicy(degraded.Degraded):
    """In a share of the episodes, acts on a card that was not asked for."""

    contract = _contract("wrong-card")
    base = ExpertPolicy
    share = WRONG

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._errs = self._generator.random() < self.share
        self._which = int(self._generator.integers(2))

    def see(self, observation: Observation) -> Observation:
        told = observation.privileged
        if told is None or not self._errs:
            return observation
        others = [placement.name for placement in told.spec.choices if placement.name != told.spec.target]
        spec = told.spec.model_copy(update={"target": others[self._which % len(others)]})
        return replace(observation, privileged=replace(told, spec=spec))


class OftenWrongExpertPolicy(WrongCardExpertPolicy):
    """The same, more often."""

    contract = _contract("often-wrong")
    share = OFTEN_WRONG


class DelayedExpertPolicy(degraded.DelayedPolicy):
    """Carries actions out up to a tick late."""

    contract = _contract("delayed")
    base = ExpertPolicy


class EarlyCloseExpertPolicy(degraded.EarlyClosePolicy):
    """Closes the gripper too high over the cube in some of the episodes."""

    contract = _contract("early-close")
    base = ExpertPolicy
    heights = EARLY
