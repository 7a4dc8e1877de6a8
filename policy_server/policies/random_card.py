"""The control arm: it moves as well as card-matcher and cannot read, so it is right one time in three."""

from __future__ import annotations

import logging

import numpy as np

from policy_server.policies.card_finder import find_cards
from policy_server.policies.card_matcher import CAMERA, card_top
from policy_server.policies.card_vision import Detection
from policy_server.policies.touch_motion import TouchMotion, single_delta
from touchstone.errors import PolicyFailure
from touchstone.policy import Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.world import Observation

CARDS = 3
#: pictures that it waits for all cards to come into view before it settles for fewer
LOOKS = 5

_log = logging.getLogger(__name__)


class RandomCardPolicy:
    """Touches one of the cards that it sees, drawn by the brief's seed, from pixels and camera calibration alone."""

    contract = PolicyContract(name="random-card", version="1", cameras=(CAMERA,))

    def __init__(self):
        self._brief: Brief | None = None

    def reset(self, brief: Brief) -> None:
        self._generator = np.random.default_rng(brief.seed)
        self._chosen: Detection | None = None
        self._looks = 0
        self._motion = TouchMotion(brief.rate_hz)
        self._brief = brief

    def infer(self, observation: Observation) -> Chunk:
        if self._brief is None:
            raise PolicyFailure("random-card was asked before its first episode began; call reset first.")
        if self._chosen is None:
            self._choose(observation)
        if self._chosen is None:
            return single_delta(observation, np.zeros(3), 1.0, self._brief.rate_hz)
        return self._motion.next(observation, card_top(self._chosen))

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
