"""Where the objects of an episode are dropped. Episodes 0 to 23 are all different; they depend on their id alone."""

from __future__ import annotations

from itertools import permutations, product

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.tasks.int_act.suite import SuiteTask
from touchstone.tasks.int_act.table import XY, Quaternion


class Drop(Record):
    """One object before it is dropped: xy [m] of its origin in the suite's world frame, quaternion wxyz."""

    object: str
    xy: XY
    turn: Quaternion


def layout_count(task: SuiteTask) -> int:
    """How many different episodes the task has."""
    return len(_places(task)) * len(task.orientations)


def drops(task: SuiteTask, episode: int) -> tuple[Drop, ...]:
    """Source, target and distractors of an episode; ids beyond the last layout begin again with the first.

    Raises UsageError for a negative id.
    """
    if episode < 0:
        raise UsageError(f"Episode {episode} of {task.id} does not exist; ids start at 0.")
    variants = len(task.orientations)
    place, variant = divmod(episode % layout_count(task), variants)
    places, turns = _places(task)[place], task.orientations[variant]
    return tuple(
        Drop(object=name, xy=xy, turn=turn) for name, xy, turn in zip(task.objects.all, places, turns, strict=True)
    )


def _places(task: SuiteTask) -> list[tuple[XY, ...]]:
    """Every choice of places for source, target and distractors, in the order of the layout index."""
    layout = task.layout
    if layout.places is not None:
        grid = layout.places.source
        return [(source, layout.places.target) for source in product(grid.x, grid.y)]
    chosen = []
    for square in layout.squares:
        for source, target in permutations(range(4), 2):
            left = [corner for corner in range(4) if corner not in (source, target)][: layout.distractors]
            chosen.append(tuple(square.corners[corner] for corner in (source, target, *left)))
    return chosen
