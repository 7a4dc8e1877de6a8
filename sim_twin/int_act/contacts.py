"""What touches the objects, as INT-ACT's rules read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import sapien.physx

from sim_twin.int_act.thing import Thing


def contacts(
    system: sapien.physx.PhysxSystem, things: Iterable[Thing], arm_links: Iterable[sapien.physx.PhysxBaseComponent] = ()
) -> dict[str, dict[str, float]]:
    """By object, the magnitude [N s] of the summed impulse of every body that touched it in the last physics step.

    Bodies go by their entities' names; the arm's links are left out. PhysX keeps the contacts of bodies that sleep.
    """
    names = {thing.body: thing.name for thing in things}
    arm = set(arm_links)
    sums: Mapping[str, dict[str, np.ndarray]] = {name: defaultdict(lambda: np.zeros(3)) for name in names.values()}
    for contact in system.get_contacts():
        first, second = contact.bodies
        if first not in names and second not in names:
            continue
        impulse = np.sum([point.impulse for point in contact.points], axis=0)
        for one, other, sign in ((first, second, 1), (second, first, -1)):
            if one in names and other not in arm:
                sums[names[one]][other.entity.name] += sign * impulse
    return {
        name: {other: float(np.linalg.norm(total)) for other, total in by_other.items()}
        for name, by_other in sums.items()
    }
