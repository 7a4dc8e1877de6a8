"""Policies that misbehave, each in its own way."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from policy_server.policies.motion import single_delta
from touchstone.policy import CameraNeed, PolicyContract


class _Odd:
    contract = PolicyContract(name="odd", version="1")

    def reset(self, brief):
        pass

    def infer(self, observation):
        return single_delta(observation, np.full(3, observation.step * 1e-3), 1.0, 5.0)


class Slow(_Odd):
    """Takes as many seconds as its instruction says."""

    def infer(self, observation):
        time.sleep(float(observation.instruction))
        return super().infer(observation)


class Raises(_Odd):
    def infer(self, observation):
        raise KeyError("no such camera")


class NotFinite(_Odd):
    def infer(self, observation):
        return replace(super().infer(observation), actions=np.full((1, 6), np.nan))


class WrongShape(_Odd):
    def infer(self, observation):
        return replace(super().infer(observation), actions=np.zeros((1, 7)))


class AnswersNothing(_Odd):
    def infer(self, observation):
        return None


class WantsAnotherCamera(_Odd):
    contract = PolicyContract(name="odd", version="1", cameras=(CameraNeed(name="wrist", width=64, height=64),))


class Reports(_Odd):
    """Says in its action what it saw: mean of the picture, of the joints, whether the picture is exact."""

    def infer(self, observation):
        frame = observation.cameras["scene"]
        seen = [frame.image.astype(np.float64).mean(), float(observation.joints.position.sum()), frame.model.K[0, 0]]
        return single_delta(observation, np.array(seen), 1.0, 5.0)
