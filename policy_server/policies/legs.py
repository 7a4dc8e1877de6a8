"""Both emoji tasks as legs of a way, chosen from one observation, and rolled out into actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from policy_server.policies import pick_motion, touch_motion
from policy_server.policies.motion import Stepper, straightening
from touchstone.bench import CARD_THICKNESS, CUBE_SIDE, TABLE_Z
from touchstone.errors import UsageError
from touchstone.geometry import Pose, quaternion_from_rotation
from touchstone.tasks.emoji.reach import aim_on_card

#: gentle, since latency may skip a plan's beginning and make one step of several [m/s^2]
ACCELERATION = 0.5
#: how long the twin's arm takes to come to rest where it was sent, a little over two of its time constants [s]
SETTLE_S = 0.6
#: the same where it needs to be roughly there only
PASS_S = 0.3
#: fingers to the cube, and off it again [s]
CLOSE_S, OPEN_S = 0.5, 0.4
#: measured distance [m] within which nothing need be waited for; half a finger's width
THERE = 0.006
#: measured distance [m] to the cube's middle within which closing fingers close on it
AT_CUBE = 0.015
#: distance sideways [m] from a card's aim within which a cube is being set down there
SET_DOWN = 0.03


@dataclass(frozen=True)
class Start:
    """What a plan begins with: the TCP in the base frame, its velocity [m/s], the gripper's opening 0..1.

    closing: the gripper was last told to close. held: the cube is between the fingers.
    """

    commanded: Pose
    measured: np.ndarray
    velocity: np.ndarray
    opening: float
    closing: bool
    held: bool


@dataclass(frozen=True)
class Leg:
    """Goes straight to `goal` float64[3] with the gripper at `gripper`, and waits there; the last one never ends."""

    goal: np.ndarray
    gripper: float
    wait_s: float = 0.0


def legs_of(task: str, start: Start, card: np.ndarray, cube: np.ndarray | None) -> list[Leg]:
    """The way that is left of a task. card: centre, float64[2]; cube: its middle, float64[3], or None; m, base frame.

    Raises UsageError for a task that has no such way.
    """
    if task == "touch-emoji":
        return _touch(start, card)
    if task == "pick-emoji":
        return _pick(start, card, cube)
    raise UsageError(f"expert-chunks knows no way through {task}; choose touch-emoji or pick-emoji.")


def roll(legs: Sequence[Leg], start: Start, count: int, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """`count` actions `target_delta` float64[count,6] along the legs, and the gripper's openings float64[count]."""
    position, rotation = start.commanded.position, start.commanded.rotation()
    way = list(legs)
    towards = way[0].goal - position
    speed = float(start.velocity @ towards) / max(float(np.linalg.norm(towards)), 1e-9)
    stepper = _Moving(rate_hz, max(0.0, speed))
    waited = SETTLE_S if np.linalg.norm(start.measured - way[0].goal) < THERE else 0.0
    actions, gripper = np.zeros((count, 6)), np.zeros(count)
    for k in range(count):
        while len(way) > 1 and np.linalg.norm(way[0].goal - position) < 1e-6 and waited >= way[0].wait_s - 1e-9:
            way.pop(0)
            waited = 0.0
        step = stepper.step(position, way[0].goal)
        turn = straightening(Pose(position, quaternion_from_rotation(rotation)))
        actions[k], gripper[k] = [*step, *turn], way[0].gripper
        position, rotation = position + step, Rotation.from_rotvec(turn) * rotation
        if np.linalg.norm(way[0].goal - position) < 1e-6:
            waited += 1.0 / rate_hz
    return actions, gripper


class _Moving(Stepper):
    """A stepper that begins at a speed [m/s]."""

    def __init__(self, rate_hz: float, speed: float) -> None:
        fastest = min(touch_motion.MAX_SPEED, pick_motion.SPEED)
        super().__init__(rate_hz, fastest, ACCELERATION)
        self._now = speed


def _touch(start: Start, card: np.ndarray) -> list[Leg]:
    goal = np.array([*aim_on_card(card), TABLE_Z + CARD_THICKNESS + touch_motion.FINGER_HEIGHT])
    here = start.commanded.position
    if start.closing:
        return [Leg(here, 0.0)]
    over = [Leg(goal + [0.0, 0.0, touch_motion.HOVER], 1.0)] if _sideways(here, goal) > touch_motion.OVER_CARD else []
    return [*over, Leg(goal, 1.0, SETTLE_S), Leg(goal, 0.0)]


def _pick(start: Start, card: np.ndarray, cube: np.ndarray) -> list[Leg]:
    aim = aim_on_card(card)
    down = np.array([*aim, TABLE_Z + CARD_THICKNESS + CUBE_SIDE / 2 + pick_motion.DROP])
    here = start.commanded.position
    away = [Leg(down, 1.0, OPEN_S), Leg(down + [0.0, 0.0, pick_motion.HOVER], 1.0)]
    if start.held:
        return [*_carry(here, aim), Leg(down, 0.0, SETTLE_S), *away]
    if _sideways(cube, aim) < SET_DOWN:
        return away if start.opening < pick_motion.OPEN else away[1:]
    close = [Leg(cube, 0.0, CLOSE_S), *_carry(cube, aim), Leg(down, 0.0, SETTLE_S), *away]
    at_cube = np.linalg.norm(start.measured - cube) < AT_CUBE
    if start.closing and at_cube and start.opening >= pick_motion.EMPTY:
        return [Leg(here, 0.0, CLOSE_S), *close[1:]]
    over = Leg(cube + [0.0, 0.0, pick_motion.HOVER], 1.0, PASS_S)
    ready = _sideways(here, cube) < pick_motion.OVER and start.opening > pick_motion.OPEN
    return [*([] if ready else [over]), Leg(cube, 1.0, SETTLE_S), *close]


def _carry(here: np.ndarray, aim: np.ndarray) -> list[Leg]:
    """Up and over the card, with the cube in the fingers; nothing where the arm is over it already."""
    height = TABLE_Z + pick_motion.CARRY
    if _sideways(here, aim) < pick_motion.OVER:
        return []
    return [Leg(np.array([*here[:2], height]), 0.0), Leg(np.array([*aim, height]), 0.0, PASS_S)]


def _sideways(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(one[:2] - other[:2]))
