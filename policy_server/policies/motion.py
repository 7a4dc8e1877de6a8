"""What every scripted motion is made of: one action towards a point, no faster than an arm can follow."""

from __future__ import annotations

import numpy as np

from touchstone.geometry import Pose
from touchstone.policy import Chunk
from touchstone.world import Observation

#: largest turn of the gripper in one action [rad]
MAX_TURN = 0.02
#: beyond the first radius [m] an arm's elbow straightens and its joints turn faster for the same path: there it slows
#: down, to `SLOWEST` of its speed at the second
EASY_RADIUS, FARTHEST_RADIUS, SLOWEST = 0.36, 0.49, 0.2
#: a command that came out this far from what was asked was refused [m]
REFUSED = 0.0005


class Stepper:
    """Steps of the commanded TCP towards a goal, with a speed limit and gentle starts and stops.

    rate_hz: control rate. speed [m/s], acceleration [m/s^2]: along the path. A refused step (a joint too fast near the
    edge of the reach) is tried again at half the length.
    """

    def __init__(self, rate_hz: float, speed: float, acceleration: float) -> None:
        self._dt, self._speed, self._acceleration = 1.0 / rate_hz, speed, acceleration
        self._now = 0.0
        self._scale = 1.0
        self._expected: np.ndarray | None = None

    def step(self, commanded: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Translation [m], float64[3], from the `commanded` position towards `goal`, both float64[3], base frame."""
        refused = self._expected is not None and np.linalg.norm(commanded - self._expected) > REFUSED
        self._scale = self._scale / 2 if refused else min(1.0, self._scale * 1.5)
        delta = goal - commanded
        distance = float(np.linalg.norm(delta))
        braking = np.sqrt(2 * self._acceleration * distance)
        ahead = commanded + delta * min(1.0, self._speed * self._dt / max(distance, 1e-12))
        radius = float(np.linalg.norm(ahead[:2]))
        limit = self._speed * float(np.interp(radius, (EASY_RADIUS, FARTHEST_RADIUS), (1.0, SLOWEST)))
        self._now = min(limit, self._now + self._acceleration * self._dt, braking)
        step = delta * min(1.0, self._scale * self._now * self._dt / max(distance, 1e-12))
        self._expected = commanded + step
        return step


def straightening(commanded: Pose) -> np.ndarray:
    """Rotation vector [rad], float64[3], base axes, that turns the gripper (TCP's x) towards straight down."""
    pointing = commanded.rotation().apply([1.0, 0.0, 0.0])
    axis = np.cross(pointing, [0.0, 0.0, -1.0])
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, -pointing[2])
    return axis / max(sine, 1e-12) * min(angle, MAX_TURN)


def single_delta(
    observation: Observation,
    translation: np.ndarray,
    gripper: float,
    rate_hz: float,
    turn: np.ndarray | None = None,
) -> Chunk:
    """A chunk of one `target_delta` action; translation [m] and turn (rotation vector, rad): float64[3], base axes."""
    return Chunk(
        answers=observation.id,
        t0_ns=observation.stamp_ns,
        dt=1.0 / rate_hz,
        kind="target_delta",
        actions=np.concatenate([translation, np.zeros(3) if turn is None else turn])[None, :],
        gripper=np.array([gripper], dtype=np.float64),
    )
