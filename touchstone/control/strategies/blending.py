"""Averages of actions, each kind in its own way, and of chunks, element by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from touchstone.control.strategies.timing import element_at, step_ns
from touchstone.geometry import quaternion_from_rotation
from touchstone.policy import ActionKind, Chunk

#: from how many predictions there are for one moment, oldest first, to their weights
Weigh = Callable[[int], np.ndarray]


def merge(chunks: Sequence[Chunk], now_ns: int, weigh: Weigh) -> Chunk | None:
    """What several chunks say together from `now_ns` on; None when the newest is over and adds nothing.

    chunks: oldest first, of one kind and one dt. For every moment, the elements that were planned for it are averaged
    with `weigh`; where one chunk alone covers a moment, its element stands as it is. Stamps and id are the newest's.
    """
    newest = chunks[-1]
    dt_ns = step_ns(newest)
    first = slot = element_at(newest, now_ns)
    if first >= newest.length:
        return None
    shifts = [round((newest.t0_ns - chunk.t0_ns) / dt_ns) for chunk in chunks]
    actions, gripper = [], []
    while True:
        planned = [
            (chunk.actions[slot + shift], chunk.gripper[slot + shift])
            for chunk, shift in zip(chunks, shifts, strict=True)
            if 0 <= slot + shift < chunk.length
        ]
        if not planned:
            break
        action, opening = blend(newest.kind, *map(np.array, zip(*planned, strict=True)), weigh(len(planned)))
        actions.append(action)
        gripper.append(opening)
        slot += 1
    return replace(newest, t0_ns=newest.t0_ns + first * dt_ns, actions=np.array(actions), gripper=np.array(gripper))


def blend(kind: ActionKind, actions: np.ndarray, gripper: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """The weighted average of actions float64[N,D] of one kind and of gripper openings float64[N]; weights: [N] >= 0.

    Linear, but for the rotations of `ee_abs`: theirs is the rotation that has the least weighted sum of squared chordal
    distances to all of them (scipy's Rotation.mean).
    """
    if len(actions) == 1:
        return actions[0], float(gripper[0])
    action = np.average(actions, axis=0, weights=weights)
    if kind == "ee_abs":
        mean = Rotation.from_quat(np.roll(actions[:, 3:], -1, axis=1)).mean(weights)
        action[3:] = quaternion_from_rotation(mean)
    # an average of 0..1 may leave the range by a rounding error, which the embodiment would refuse
    return action, min(1.0, max(0.0, float(np.average(gripper, weights=weights))))
