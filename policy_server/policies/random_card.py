"""The control arm: it moves as well as card-matcher and cannot read, so it is right one time in three."""

from __future__ import annotations

import logging

import numpy as np

from policy_server.policies.card_finder import find_cards
from policy_server.policies.card_matcher import CAMERA
from policy_server.policies.cube_finder import find_cube
from policy_server.policies.motion import single_delta
from policy_server.policies.motions import motion_for
from touchstone.errors import PolicyFailure
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.vision.cards import Detection
from touchstone.world import Observation

CARDS = 3
#: pictures that it waits for all cards to come into view before it settles for fewer
LOOKS = 5

_log = logging.getLogger(__name__)


class RandomCardPolicy:
    """Acts on one of the cards that it sees, drawn by the brief's seed, from pixels and camera calibration alone."""

    contract = PolicyContract(name="random-card", version="2", cameras=(CAMERA,))

    def __init__(self):
        self._brief: Brief | None = None

    def session(self) -> RandomCardPolicy:
        return RandomCardPolicy()

    def reset(self, brief: Brief) -> None:
        self._generator = np.random.default_rng(brief.seed)
        self._chosen: Detection | None = None
        self._cube: np.ndarray | None = None
        self._looks = 0
        self._motion = motion_for(brief)
        self._brief = brief

    def infer(self, observation: Observation) -> Chunk:
        if self._brief is None:
            raise PolicyFailure("random-card was asked before its first episode began; call reset first.")
        if self._chosen is None:
            self._choose(observation)
        if self._motion.wants_cube:
            frame = observation.cameras[CAMERA.name]
            seen = find_cube(frame.image, frame.model)
            self._cube = self._cube if seen is None else seen
        if self._chosen is None or (self._motion.wants_cube and self._cube is None):
            return single_delta(observation, np.zeros(3), 1.0, self._brief.rate_hz)
        return self._motion.next(observation, self._chosen.xy, self._cube)

    def _choose(self, observation: Observation) -> None:
        frame = observation.cameras[CAMERA.name]
        cards = find_cards(frame.image, frame.model, CARDS)
        self._looks += 1
        if len(cards) == CARDS or (cards and self._looks >= LOOKS):
            # by place, not by score: how well a card is seen must not tell which one is drawn
            cards.sort(key=lambda card: card.xy[1])
            self._chosen = cards[self._generator.integers(len(cards))]
        else:
            _log.warning("%s, step %d: %d cards in view; holding.", self._brief.episode, observation.step, len(cards))
