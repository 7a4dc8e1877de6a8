"""Policies that are worse than card-matcher in one known way each: what a gap study is tried out on.

Every one sees what card-matcher sees and nothing more. What it draws at random comes from the brief's seed, so that the
same episode goes the same way again as long as the world does. `degraded_expert` has some of them without pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
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
#: heights of the TCP over the cards [m] between which the gripper closes too early; a touch counts up to 0.05
EARLY = (0.04, 0.20)


def _contract(name: str) -> PolicyContract:
    return PolicyContract(name=f"card-matcher-{name}", version="1", cameras=(CAMERA,))


class Degraded:
    """A policy with one weakness; a subclass changes what it sees, what it does, or who acts."""

    contract: PolicyContract
    base: Callable[[], Policy] = CardMatcherPolicy

    def __init__(self) -> None:
        self._inner = type(self).base()
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
        return observation

    def spoil(self, observation: Observation, chunk: Chunk) -> Chunk:
        """The action as this policy carries it out."""
        return chunk


class NoisyPolicy(Degraded):
    """Errs about where things are: it takes its camera to hang elsewhere, by an error drawn for each episode."""

    contract = _contract("noisy")

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._error = self._generator.normal(0.0, NOISE, 3)

    def see(self, observation: Observation) -> Observation:
        model = observation.cameras[CAMERA.name].model
        pose = replace(model.base_from_camera, position=model.base_from_camera.position + self._error)
        return _with_frame(observation, model=replace(model, base_from_camera=pose))


class BlurredPolicy(Degraded):
    """Sees every picture out of focus."""

    contract = _contract("blurred")

    def see(self, observation: Observation) -> Observation:
        image = observation.cameras[CAMERA.name].image
        return _with_frame(observation, image=cv2.GaussianBlur(image, (0, 0), BLUR))


class ColourBlindPolicy(Degraded):
    """Sees brightness only."""

    contract = _contract("colour-blind")

    def see(self, observation: Observation) -> Observation:
        grey = cv2.cvtColor(observation.cameras[CAMERA.name].image, cv2.COLOR_RGB2GRAY)
        return _with_frame(observation, image=cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))


class DelayedPolicy(Degraded):
    """Carries actions out up to `DELAY` ticks late, and then corrects what it has corrected already."""

    contract = _contract("delayed")

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._late = int(self._generator.integers(DELAY + 1))
        self._waiting: deque[Chunk] = deque()

    def spoil(self, observation: Observation, chunk: Chunk) -> Chunk:
        self._waiting.append(chunk)
        if len(self._waiting) <= self._late:
            return single_delta(observation, np.zeros(3), 1.0, self._brief.rate_hz)
        return replace(self._waiting.popleft(), answers=observation.id, t0_ns=observation.stamp_ns)


class WrongCardPolicy(Degraded):
    """In a share `DRAWN` of the episodes, acts on a card at random, as random-card does."""

    contract = _contract("wrong-card")

    def __init__(self) -> None:
        super().__init__()
        self._reading, self._drawing = self._inner, RandomCardPolicy()

    def reset(self, brief: Brief) -> None:
        # a stream of its own: random-card draws the card from the same seed
        draws = np.random.default_rng([brief.seed, 1]).random() < DRAWN
        self._inner = self._drawing if draws else self._reading
        super().reset(brief)


class EarlyClosePolicy(Degraded):
    """Closes the gripper on the way down, at a height over the cards that is drawn for each episode, and stays there.

    heights: between which [m].
    """

    contract = _contract("early-close")
    heights = EARLY

    def reset(self, brief: Brief) -> None:
        super().reset(brief)
        self._closes_at = TABLE_Z + CARD_THICKNESS + self._generator.uniform(*self.heights)
        self._closing = False

    def spoil(self, observation: Observation, chunk: Chunk) -> Chunk:
        self._closing = self._closing or observation.ee.position[2] <= self._closes_at
        return single_delta(observation, np.zeros(3), 0.0, self._brief.rate_hz) if self._closing else chunk


def _with_frame(observation: Observation, **changed) -> Observation:
    frame = replace(observation.cameras[CAMERA.name], **changed)
    return replace(observation, cameras={**observation.cameras, CAMERA.name: frame})
