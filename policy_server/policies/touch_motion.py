"""From a known card to a touch: the motion that every scripted policy shares."""

from __future__ import annotations

import numpy as np

from policy_server.policies.motion import single_delta, straightening
from touchstone.bench import CARD_THICKNESS, TABLE_Z
from touchstone.policy import Chunk
from touchstone.tasks.emoji.reach import aim_on_card
from touchstone.world import Observation

MAX_SPEED = 0.225  # m/s: 0.045 m in a 5 Hz tick, under the 0.05 m that a tick's action may hold
FINGER_HEIGHT = 0.025  # m, TCP above the card's top when the gripper closes; Touch counts up to 0.05
HOVER = 0.04  # m above that, held until the TCP is over the card, so that fingers never sweep a neighbour
OVER_CARD = 0.02  # m, horizontal distance at which the last descent begins
ARRIVED = 0.008  # m, measured TCP to goal
STALLED = 0.001  # m, a tick that brings the commanded TCP less than this nearer counts as waiting
PATIENCE_S = 2.0  # 10 ticks at 5 Hz


class TouchMotion:
    """Gives the next action towards a card; make a new one for each episode.

    rate_hz: the control rate, from the brief.
    """

    def __init__(self, rate_hz: float):
        self._rate_hz = rate_hz
        self._max_step = MAX_SPEED / rate_hz
        self._patience = round(PATIENCE_S * rate_hz)
        self._last_distance = np.inf
        self._waited = 0
        self._closing = False

    @property
    def wants_cube(self) -> bool:
        return False

    def next(self, observation: Observation, card_xy: np.ndarray, cube: np.ndarray | None = None) -> Chunk:
        """One `target_delta` action towards a card.

        card_xy: its centre, float64[2], metres, base frame. cube: none in this task. The gripper stays open (1) until
        the measured TCP is within 8 mm of the goal, or has stopped coming nearer for 2 s; from then on it closes (0)
        and the arm holds.
        """
        goal = np.array([*aim_on_card(card_xy), TABLE_Z + CARD_THICKNESS + FINGER_HEIGHT])
        self._closing = self._closing or self._arrived(observation, goal)
        translation = np.zeros(3) if self._closing else self._step(observation.ee_commanded.position, goal)
        turn = straightening(observation.ee_commanded)
        return single_delta(observation, translation, 0.0 if self._closing else 1.0, self._rate_hz, turn)

    def _arrived(self, observation: Observation, goal: np.ndarray) -> bool:
        distance = float(np.linalg.norm(observation.ee_commanded.position - goal))
        if distance < STALLED and np.linalg.norm(observation.ee.position - goal) < ARRIVED:
            return True
        self._waited = self._waited + 1 if self._last_distance - distance < STALLED else 0
        self._last_distance = distance
        return self._waited >= self._patience

    def _step(self, commanded: np.ndarray, goal: np.ndarray) -> np.ndarray:
        sideways = np.linalg.norm((goal - commanded)[:2])
        waypoint = goal + np.array([0.0, 0.0, HOVER if sideways > OVER_CARD else 0.0])
        delta = waypoint - commanded
        return delta * min(1.0, self._max_step / max(float(np.linalg.norm(delta)), 1e-12))
