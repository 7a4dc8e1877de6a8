"""From a known cube and a known card to a placed cube: the motion that every scripted policy shares."""

from __future__ import annotations

import numpy as np

from policy_server.policies.motion import Stepper, single_delta, straightening
from touchstone.bench import CARD_THICKNESS, CUBE_SIDE, TABLE_Z
from touchstone.policy import Chunk
from touchstone.tasks.emoji.reach import aim_on_card
from touchstone.world import Observation

SPEED = 0.28  # m/s; a WidowX at arm's length then turns its joints at about 1 rad/s
ACCELERATION = 1.2  # m/s^2
HOVER = 0.06  # m over the cube, before the way down and after the release
CARRY = 0.075  # m, TCP over the table while carrying: the held cube clears cards and neighbours by 58 mm
DROP = 0.002  # m, what is left under the cube when it is let go
OVER = 0.006  # m, measured distance sideways at which a way down begins
THERE = 0.004  # m, measured distance at which a way down ends
NEAR = 0.02  # m, the same for points on the way that need no precision
EMPTY = 0.2  # opening under which a closed gripper holds no cube: both arms hold it at 0.4 or more
OPEN = 0.8  # opening at which the cube is free
STILL = 0.004  # change of opening in a tick under which the fingers have stopped
STILL_TICKS = 3
PATIENCE_S = 1.5  # longest wait in one stage for what does not come


class PickMotion:
    """Gives the next action; make a new one for each episode.

    Goes over the cube, down, closes, lifts, carries, lowers, opens, and goes up. A grasp that closes on nothing, and a
    cube that is lost on the way, start again over the cube; `wants_cube` says when its place is needed anew.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._stage = "over cube"
        self._stepper = Stepper(rate_hz, SPEED, ACCELERATION)
        self._patience = round(PATIENCE_S * rate_hz)
        self._ticks = self._still = 0
        self._opening = 1.0

    @property
    def wants_cube(self) -> bool:
        return self._stage == "over cube"

    def next(self, observation: Observation, card_xy: np.ndarray, cube: np.ndarray) -> Chunk:
        """One `target_delta` action. card_xy: the card's centre, float64[2]; cube: its middle, float64[3]; m, base."""
        self._ticks += 1
        moved = abs(observation.gripper.opening - self._opening)
        self._still = self._still + 1 if moved < STILL else 0
        self._opening = observation.gripper.opening
        goal = self._goal(cube, card_xy)
        following = self._after(observation, goal)
        if following is not None:
            self._stage, self._ticks, self._still = following, 0, 0
            goal = self._goal(cube, card_xy)
        commanded = observation.ee_commanded
        gripper = 0.0 if self._stage in ("close", "lift", "carry", "lower") else 1.0
        step = self._stepper.step(commanded.position, commanded.position if goal is None else goal)
        return single_delta(observation, step, gripper, self._rate_hz, straightening(commanded))

    def _goal(self, cube: np.ndarray, card_xy: np.ndarray) -> np.ndarray | None:
        aim = aim_on_card(card_xy)
        down = TABLE_Z + CARD_THICKNESS + CUBE_SIDE / 2 + DROP
        return {
            "over cube": cube + [0.0, 0.0, HOVER],
            "down": cube,
            "lift": np.array([*cube[:2], TABLE_Z + CARRY]),
            "carry": np.array([*aim, TABLE_Z + CARRY]),
            "lower": np.array([*aim, down]),
            "up": np.array([*aim, down + HOVER]),
        }.get(self._stage)

    def _after(self, observation: Observation, goal: np.ndarray | None) -> str | None:
        """The stage that begins now, or None."""
        stage, tired = self._stage, self._ticks >= self._patience
        closed, stopped = self._opening < EMPTY, self._still >= STILL_TICKS
        if stage in ("lift", "carry", "lower") and closed:
            return "over cube"
        if stage == "close":
            if stopped or tired:
                return "over cube" if closed else "lift"
            return None
        if stage == "open":
            return "up" if self._opening > OPEN or tired else None
        there = observation.ee.position - goal
        sideways, away = float(np.linalg.norm(there[:2])), float(np.linalg.norm(there))
        arrived = {
            "over cube": sideways < OVER and abs(there[2]) < NEAR and self._opening > OPEN,
            "down": away < THERE,
            "lift": away < NEAR,
            "carry": sideways < OVER,
            "lower": away < THERE,
            "up": False,
        }[stage]
        waits = np.linalg.norm(observation.ee_commanded.position - goal) < THERE
        late = tired and waits and stage not in ("over cube", "up")
        return _NEXT[stage] if arrived or late else None


_NEXT = {"over cube": "down", "down": "close", "lift": "carry", "carry": "lower", "lower": "open"}
