"""Finds worlds, policies, tasks and robots by name, through Python entry points, without importing any of them.

A plugin is a package that declares, for instance, in its pyproject.toml:
    [project.entry-points."touchstone.policies"]
    my-policy = "my_package:MyPolicy"
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from touchstone.errors import UsageError

WORLDS = "touchstone.worlds"  # name -> factory(WorldRequest) -> World
FLEETS = "touchstone.fleets"  # name -> factory(WorldRequest, count) -> WorldsInStep, for worlds that step together
STACKS = "touchstone.stacks"  # name -> run(SessionConfig) -> exit code: worlds that are several processes
POLICIES = "touchstone.policies"  # name -> factory() -> Policy
POLICY_SCHEMES = "touchstone.policy_schemes"  # URL scheme -> connect(url) -> Policy
TASKS = "touchstone.tasks"  # name -> factory() -> Task
ROBOTS = "touchstone.robots"  # name -> Arm


def names(group: str) -> list[str]:
    """The names registered in a group, sorted."""
    return sorted({point.name for point in _points(group)})


def load(group: str, name: str) -> Any:
    """The object behind a name. Raises UsageError for an unknown name, naming the known ones."""
    for point in _points(group):
        if point.name == name:
            return point.load()
    kind = group.rsplit(".", 1)[-1].replace("_", " ")
    singular = {"policies": "policy"}.get(kind, kind.rstrip("s"))
    raise UsageError(f"Unknown {singular} '{name}'; choose one of: {', '.join(names(group)) or 'none are installed'}.")


@cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    """Reading what is installed takes 10 ms, and a suite asks thousands of times."""
    return tuple(entry_points(group=group))
