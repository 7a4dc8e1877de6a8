"""The built-in policy that reads: it knows emojis by their Unicode names and pictures, and looks for the named one."""

from __future__ import annotations

import logging

import numpy as np

from policy_server.policies.card_vision import Detection, locate
from policy_server.policies.touch_motion import TouchMotion, single_delta
from touchstone.bench import CARD_THICKNESS, TABLE_Z
from touchstone.errors import PolicyFailure
from touchstone.policy import CameraNeed, Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.tasks.emoji.instructions import label_of
from touchstone.tasks.emoji.table import Emoji, emoji_named
from touchstone.world import Observation

CAMERA = CameraNeed(name="scene", width=640, height=480, calibrated=True)
#: least score of a card that is touched. Measured over 620 pictures: unhidden cards 0.78 and more, cards half hidden by
#: the arm 0.60 and more (19 of 20 over 0.70), absent ones 0.45 in the middle and under 0.65 but for one in 250 (0.70).
FOUND = 0.65
#: a score at which nothing is gained by looking again
SURE = 0.75

_log = logging.getLogger(__name__)


class CardMatcherPolicy:
    """Touches the card that the instruction names, from pixels, camera calibration and instruction alone.

    It looks at every picture until it is sure, keeps the best sighting (the arm may hide the card later), and holds
    with the gripper open while it has none.
    """

    contract = PolicyContract(name="card-matcher", version="1", cameras=(CAMERA,))

    def __init__(self):
        self._brief: Brief | None = None

    def reset(self, brief: Brief) -> None:
        """Raises UsageError for an instruction that names no emoji of the table."""
        self._emoji: Emoji = emoji_named(label_of(brief.instruction))
        self._best: Detection | None = None
        self._motion = TouchMotion(brief.rate_hz)
        self._brief = brief

    def infer(self, observation: Observation) -> Chunk:
        if self._brief is None:
            raise PolicyFailure("card-matcher was asked before its first episode began; call reset first.")
        if self._best is None or self._best.score < SURE:
            self._look(observation)
        if self._best.score < FOUND:
            _log.warning(
                "%s, step %d: no card shows '%s' (best score %.2f, needed %.2f); holding.",
                self._brief.episode,
                observation.step,
                self._emoji.name,
                self._best.score,
                FOUND,
            )
            return single_delta(observation, np.zeros(3), 1.0, self._brief.rate_hz)
        return self._motion.next(observation, card_top(self._best))

    def _look(self, observation: Observation) -> None:
        frame = observation.cameras[CAMERA.name]
        seen = locate(frame.image, frame.model, self._emoji)
        if self._best is None or seen.score > self._best.score:
            self._best = seen


def card_top(card: Detection) -> np.ndarray:
    """Centre of the card's top face, float64[3], metres, base frame."""
    return np.array([*card.xy, TABLE_Z + CARD_THICKNESS])
