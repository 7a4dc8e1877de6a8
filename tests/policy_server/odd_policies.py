"""Policies that misbehave, each in its own way."""

from __future__ import annotations

import os
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


class SlowToLoad(_Odd):
    """Takes as many seconds to make as the environment says."""

    def __init__(self):
        time.sleep(float(os.environ["LOAD_S"]))


class FailsToLoad(_Odd):
    def __init__(self):
        time.sleep(0.3)
        raise MemoryError("the weights do not fit")


class Counts(_Odd):
    """Every session counts its own inferences, in the first number of its action."""

    contract = PolicyContract(name="counts", version="1")

    def __init__(self):
        self.count = 0

    def session(self):
        return Counts()

    def reset(self, brief):
        self.count = 0

    def infer(self, observation):
        self.count += 1
        return single_delta(observation, np.array([self.count * 1e-3, 0, 0]), 1.0, 5.0)


class Batches(Counts):
    """Takes 50 ms for a batch, whatever its size, and says the size in the second number of the action."""

    contract = PolicyContract(name="batches", version="1", batch=4)

    def session(self):
        return Counts()

    def infer(self, observation):
        return self.infer_batch([self], [observation])[0]

    def infer_batch(self, sessions, observations):
        time.sleep(0.05)
        chunks = [Counts.infer(session, seen) for session, seen in zip(sessions, observations, strict=True)]
        for chunk in chunks:
            chunk.actions[0, 1] = len(observations) * 1e-3
        return chunks


class Keeps(_Odd):
    """Keeps every picture that it sees, as a policy with a history does; says whether the first one has changed."""

    def reset(self, brief):
        self.pictures, self.sums = [], []

    def infer(self, observation):
        self.pictures.append(observation.cameras["scene"].image)
        self.sums.append(float(self.pictures[-1].sum()))
        changed = any(float(p.sum()) != s for p, s in zip(self.pictures, self.sums, strict=True))
        return single_delta(observation, np.array([float(changed), 0, 0]), 1.0, 5.0)


class Continues(_Odd):
    """Says how long a prior it was given, and how much of it is frozen."""

    contract = PolicyContract(name="continues", version="1", inpaints=True)

    def infer(self, observation, prior=None):
        said = [0, 0, 0] if prior is None else [len(prior.actions) * 1e-3, prior.frozen * 1e-3, prior.gripper.sum()]
        return single_delta(observation, np.array(said), 1.0, 5.0)


class SixDown(_Odd):
    """Six actions of 1 cm down."""

    contract = PolicyContract(name="six-down", version="1", chunk_length=6, execute=6)

    def infer(self, observation):
        one = single_delta(observation, np.array([0.0, 0.0, -0.01]), 1.0, 5.0)
        return replace(one, actions=np.repeat(one.actions, 6, axis=0), gripper=np.ones(6))
