"""Policies behind our openpi front, each with one peculiarity."""

from __future__ import annotations

import time

import numpy as np

from policy_server.policies.motion import single_delta
from touchstone.policy import CameraNeed, PolicyContract


class Reports:
    """Says in its action what it saw: mean of the picture, opening, x of the TCP; and counts its resets."""

    contract = PolicyContract(
        name="reports", version="1", cameras=(CameraNeed(name="scene", width=64, height=48, resize="pad"),)
    )
    resets = 0

    def reset(self, brief):
        self.resets += 1
        self.rate_hz = brief.rate_hz

    def infer(self, observation):
        seen = [observation.cameras["scene"].image.mean(), float(self.resets), observation.ee.position[0]]
        return single_delta(observation, np.array(seen), observation.gripper.opening, self.rate_hz)


class Slow(Reports):
    """Takes as many seconds as its instruction says."""

    def infer(self, observation):
        time.sleep(float(observation.instruction))
        return super().infer(observation)


class Raises(Reports):
    def infer(self, observation):
        raise KeyError("no such thing")


class Joints(Reports):
    contract = PolicyContract(name="joints", version="1", action_kind="joint_abs")


class Privileged(Reports):
    contract = PolicyContract(name="privileged", version="1", needs_privileged=True)


class Calibrated(Reports):
    contract = PolicyContract(
        name="calibrated", version="1", cameras=(CameraNeed(name="scene", width=640, height=480, calibrated=True),)
    )


class Wrist(Reports):
    contract = PolicyContract(name="wrist", version="1", cameras=(CameraNeed(name="wrist", width=64, height=48),))
