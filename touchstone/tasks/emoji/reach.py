"""What an arm can reach of a bench with its gripper straight down, and where on a card it had better act."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from touchstone.bench import CARD_THICKNESS, CUBE_SIDE, GRINNINGFACE_BENCH, TABLE_Z, TOUCH_BENCH, CardBench
from touchstone.errors import UsageError
from touchstone.geometry import Pose
from touchstone.robots.base import Arm, arm
from touchstone.spec import Placement

#: TCP over the table when a held cube is set down on a card [m], the lowest that either task asks over a card
LOWEST_OVER_CARD = CARD_THICKNESS + CUBE_SIDE / 2
#: beyond this radius a card is acted on nearer to the base: the WidowX's elbow is straight at 0.50 m
COMFORTABLE_RADIUS = 0.485
#: but never farther from its centre than this; a cube set down there still lies 20 mm inside the edge
FARTHEST_FROM_CENTRE = 0.035


def aim_on_card(xy) -> np.ndarray:
    """Where to act on a card with centre `xy` [m], base frame: float64[2], its centre or a little towards the base."""
    centre = np.asarray(xy, dtype=np.float64)
    radius = float(np.linalg.norm(centre))
    pull = min(max(radius - COMFORTABLE_RADIUS, 0.0), FARTHEST_FROM_CENTRE)
    return centre * (1 - pull / max(radius, 1e-9))


def pick_bench(arm_: Arm) -> CardBench:
    """GrinningFace's own bench if the arm reaches its cards, else the Touch bench. Raises UsageError for neither."""
    return _pick_bench(arm_.name)


def check_reach(layout: tuple[Placement, ...], arm_: Arm, episode: str) -> None:
    """Raises UsageError, naming the first object that the arm cannot act on with its gripper straight down."""
    for placement in layout:
        on_card = placement.kind == "card"
        xy = aim_on_card(placement.xy) if on_card else np.array(placement.xy)
        if not _reaches(arm_, xy, LOWEST_OVER_CARD if on_card else CUBE_SIDE / 2):
            x, y = placement.xy
            raise UsageError(
                f"Episode {episode}: {placement.name} at x {x:.3f}, y {y:.3f} m is out of the {arm_.title}'s reach; "
                "move it nearer to the arm's base or choose another bench."
            )


@lru_cache
def _pick_bench(name: str) -> CardBench:
    robot = arm(name)
    for bench in (GRINNINGFACE_BENCH, TOUCH_BENCH):
        if all(_reaches(robot, np.array(xy), LOWEST_OVER_CARD) for xy in bench.card_centres):
            return bench
    raise UsageError(f"The {robot.title} reaches the cards of no bench; add one for it to touchstone/bench.py.")


def _reaches(robot: Arm, xy: np.ndarray, height: float) -> bool:
    target = Pose(np.array([*xy, TABLE_Z + height]), robot.ready_tcp.quaternion)
    return robot.kinematics.inverse(target, robot.ready).ok
