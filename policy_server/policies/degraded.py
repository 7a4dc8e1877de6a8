"""Policies that are worse than card-matcher in one known way each: what a gap study is tried out on.

Every one sees what card-matcher sees and nothing more; what it draws at random comes from the brief's seed, so that the
same episode goes the same way again as long as the world does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import cv2
import numpy as np

from policy_server.policies.card_matcher import CAMERA, CardMatcherPolicy
from policy_server.policies.motion import single_delta
from policy_server.policies.random_card import RandomCardPolicy
from touchstone.bench import CARD_THICKNESS, TABLE_Z
from touchstone.errors import PolicyFailure
from touchstone.policy import Chunk, Policy, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation

#: standard deviation of the error in an episode's idea of where its camera hangs, along each axis [m]
NOISE = 0.06
#: standard deviation of the picture's blur [px], at 640 x 480
BLUR = 3.0
#: most ticks that an action is late; one of 0 .. DELAY is drawn for each episode
DELAY = 1
#: share of episodes in which a card is drawn instead of read; two of three draws are wrong
DRAWN = 0.6
#: heights of the TCP over a card [m] between which the gripper closes too early; a touch counts up to 0.05
EARLY = (0.04, 0.20)


class _Degraded:
    """card-matcher with one weakness; a subclass changes the picture, the action, or who acts."""

    contract: PolicyContract

    def __init__(self) -> None:
        self._inner: Policy = CardMatcherPolicy()
        self._brief: Brief | None = None

    def reset(self, brief: Brief) -> None:
        self._brief = brief
        self._generator = np.random.default_rng(brief.seed)
        self._inner.reset(brief)

    def infer(self, observation: Observation) -> Chunk:
        if self._brief is None:
            raise PolicyFailure(f"{self.contract.name} was asked before its first episode began; call reset first.")
        return self.spoil(observation, self._inner.infer(self.see(observation)))

    def see(self, observation: Observation) -> Observation:
        """The observation as this policy sees it."""
        frame = observation.cameras[CAMERA.name]
        spoiled = replace(frame, image=self.picture(frame.image))
        return replace(observation, cameras={**observation.cameras, CAMERA.name: spoiled})

    def picture(self, image: np.ndarray) -> np.ndarray:
        """uint8[H,W,3] RGB as this policy sees it."""
        return image

    def spoil(self, observation: Observation, chunk: Chunk) -> Chunk:
        """The action as this policy carries it out."""
        return chunk


def _contract(name: str) -> PolicyContract:
    return PolicyContract(name=name, version="1", cameras=(CAMERA,))


class NoisyPolicy(_Degraded):
    """Errs about where things are: it takes its camera to hang elsewhere, by an error drawn for each episode."""

    contract = _contract("card-matcher-noisy")

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._error = self._generator.normal(0.0, NOISE, 3)

    def see(self, observation: Observation) -> Observation:
        frame = observation.cameras[CAMERA.name]
        pose = frame.model.base_from_camera
        model = replace(frame.model, base_from_camera=replace(pose, position=pose.position + self._error))
        return replace(observation, cameras={**observation.cameras, CAMERA.name: replace(frame, model=model)})


class BlurredPolicy(_Degraded):
    """Sees every picture out of focus."""

    contract = _contract("card-matcher-blurred")

    def picture(self, image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (0, 0), BLUR)


class ColourBlindPolicy(_Degraded):
    """Sees brightness only."""

    contract = _contract("card-matcher-colour-blind")

    def picture(self, image: np.ndarray) -> np.ndarray:
        return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


class DelayedPolicy(_Degraded):
    """Carries actions out up to `DELAY` ticks late, and then corrects what it has corrected already."""

    contract = _contract("card-matcher-delayed")

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._late = int(self._generator.integers(DELAY + 1))
        self._waiting: deque[Chunk] = deque()

    def spoil(self, observation: Observation, chunk: Chunk) -> Chunk:
        self._waiting.append(chunk)
        if len(self._waiting) <= self._late:
            return single_delta(observation, np.zeros(3), 1.0, self._brief.rate_hz)
        return replace(self._waiting.popleft(), answers=observation.id, t0_ns=observation.stamp_ns)


class WrongCardPolicy(_Degraded):
    """In a share `DRAWN` of the episodes, acts on a card at random, as random-card does."""

    contract = _contract("card-matcher-wrong-card")

    def __init__(self) -> None:
        super().__init__()
        self._reading, self._drawing = self._inner, RandomCardPolicy()

    def reset(self, brief: Brief) -> None:
        # a stream of its own: random-card draws the card from the same seed
        draws = np.random.default_rng([brief.seed, 1]).random() < DRAWN
        self._inner = self._drawing if draws else self._reading
        super().reset(brief)


class EarlyClosePolicy(_Degraded):
    """Closes the gripper on the way down, at a height over the card that is drawn for each episode, and stays there."""

    contract = _contract("card-matcher-early-close")

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._closes_at = TABLE_Z + CARD_THICKNESS + self._generator.uniform(*EARLY)
        self._closing = False

    def spoil(self, observation: Observation, chunk: Chunk) -> Chunk:
        self._closing = self._closing or observation.ee.position[2] <= self._closes_at
        return single_delta(observation, np.zeros(3), 0.0, self._brief.rate_hz) if self._closing else chunk
