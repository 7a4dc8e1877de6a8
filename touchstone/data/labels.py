"""Plant and path in the familiar names and in plain words. Nothing but atoms is ever called real."""

from __future__ import annotations

_NAMES = {
    ("twin", "inproc"): "twin",
    ("twin", "ros"): "twin-ros",
    ("twin", "wire"): "emulated",
    ("shadow", "wire"): "emulated",
    ("shadow", "inproc"): "shadow",
    ("atoms", "wire"): "real",
}
_PLANTS = {
    "twin": "Simulated: ManiSkill twin",
    "shadow": "Simulated: a shadow (a twin with hidden shifts that stands in for a bench)",
    "atoms": "Real arm",
}
_PATHS = {
    "inproc": "in one process",
    "ros": "through ROS 2",
    "wire": "through the vendor's driver",
}


def world_label(plant: str, path: str) -> str:
    """`twin`, `twin-ros`, `emulated`, `real` or `shadow`; any other pair is written out as `plant/path`."""
    return _NAMES.get((plant, path), f"{plant}/{path}")


def plain_words(plant: str, path: str) -> str:
    """What ran where, for people: 'Simulated: ManiSkill twin, through ROS 2'."""
    return f"{_PLANTS.get(plant, plant)}, {_PATHS.get(path, path)}"
