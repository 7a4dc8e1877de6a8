"""The shape of every INT-ACT object, by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from sim_twin.int_act import food, goods, sink, tableware
from sim_twin.int_act.solids import Shape
from touchstone.tasks.int_act.objects import object_kind

BUILDERS: dict[str, Callable[[], Shape]] = {
    "carrot": food.carrot,
    "plate": tableware.plate,
    "small_plate": tableware.small_plate,
    "spoon": tableware.spoon,
    "towel": tableware.towel,
    "green_cube": goods.green_cube,
    "yellow_cube": goods.yellow_cube,
    "eggplant": food.eggplant,
    "coke_can": goods.coke_can,
    "pepsi_can": goods.pepsi_can,
    "keyboard": goods.keyboard,
    "sponge": tableware.sponge,
    "half_sponge": tableware.sponge,
    "rabbit": goods.rabbit,
    "orange_juice": goods.orange_juice,
    "nut": goods.nut,
    "ramekin": tableware.ramekin,
    "wheel": goods.wheel,
    "orange": food.orange,
    "sink": sink.sink,
    "basket_floor": sink.basket_floor,
}


@cache
def shape_of(name: str) -> Shape:
    """An object at its true size in its own frame [m]. Raises UsageError for an unknown name."""
    kind = object_kind(name)
    return BUILDERS[name]().fitted(kind.bounds)
