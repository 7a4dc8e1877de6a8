"""The built-in policy that reads: it knows emojis by their Unicode names and pictures, and looks for the named one."""

from __future__ import annotations

import logging

import numpy as np

from policy_server.policies.cube_finder import find_cube
from policy_server.policies.motion import single_delta
from policy_server.policies.motions import motion_for
from touchstone.errors import PolicyFailure
from touchstone.policy import CameraNeed, Chunk, PolicyContract
from touchstone.spec import Brief
from touchstone.tasks.emoji.instructions import label_of
from touchstone.tasks.emoji.names import emojis_called
from touchstone.vision.cards import FOUND, Detection, locate
from touchstone.world import Observation

CAMERA = CameraNeed(name="scene", width=640, height=480, calibrated=True)
#: a score at which nothing is gained by looking again
SURE = 0.75

_log = logging.getLogger(__name__)


class CardMatcherPolicy:
    """Acts on the card that the instruction names, from pixels, camera calibration and instruction alone.

    It looks at every picture until it is sure, keeps the best sighting (the arm may hide the card later), and holds
    with the gripper open while it has none. A label that several emojis share is looked for as each of them.
    """

    contract = PolicyContract(name="card-matcher", version="2", cameras=(CAMERA,))

    def __init__(self):
        self._brief: Brief | None = None

    def session(self) -> CardMatcherPolicy:
        return CardMatcherPolicy()

    def reset(self, brief: Brief) -> None:
        """Raises UsageError for an instruction that names no emoji that a card may show."""
        self._emojis = emojis_called(label_of(brief.instruction))
        self._best: Detection | None = None
        self._cube: np.ndarray | None = None
        self._motion = motion_for(brief)
        self._brief = brief

    def infer(self, observation: Observation) -> Chunk:
        if self._brief is None:
            raise PolicyFailure("card-matcher was asked before its first episode began; call reset first.")
        if self._best is None or self._best.score < SURE:
            self._look(observation)
        missing = self._missing(observation)
        if missing:
            _log.warning("%s, step %d: %s; holding.", self._brief.episode, observation.step, missing)
            return single_delta(observation, np.zeros(3), 1.0, self._brief.rate_hz)
        return self._motion.next(observation, self._best.xy, self._cube)

    def _look(self, observation: Observation) -> None:
        frame = observation.cameras[CAMERA.name]
        seen = [locate(frame.image, frame.model, emoji.char) for emoji in self._emojis]
        self._best = max([*seen, *([self._best] if self._best else [])], key=lambda card: card.score)

    def _missing(self, observation: Observation) -> str | None:
        if self._best.score < FOUND:
            return f"no card shows '{self._emojis[0].name}' (best score {self._best.score:.2f}, needed {FOUND:.2f})"
        if not self._motion.wants_cube:
            return None
        frame = observation.cameras[CAMERA.name]
        seen = find_cube(frame.image, frame.model)
        # the gripper hides the cube as it comes down; what was seen last is where it lies
        self._cube = self._cube if seen is None else seen
        return "no cube in view" if self._cube is None else None
