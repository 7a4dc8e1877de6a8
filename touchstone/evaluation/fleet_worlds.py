"""The worlds of a fleet: how several of a kind are opened, and what a request for them may not ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from touchstone.errors import UsageError
from touchstone.evaluation.execution import REAL, Execution
from touchstone.registry import FLEETS, WORLDS, names
from touchstone.registry import load as find
from touchstone.spec import Spec
from touchstone.world import World, WorldRequest

#: more than any GPU renders at once
MOST = 4096


def check_envs(envs: int, workers: int, execution: Execution) -> None:
    """Raises UsageError for a number of episodes at once that makes no sense, or does not go with the rest."""
    if not 1 <= envs <= MOST:
        raise UsageError(f"--envs is {envs}; use 1 to {MOST}.")
    if envs > 1 and workers > 1:
        raise UsageError(f"--envs {envs} is one process and --workers {workers} are several; leave one of them out.")
    if envs > 1 and execution.charge == REAL:
        raise UsageError(
            "With --envs an inference waits for the other episodes, so its round trip says nothing; give "
            "--charge-latency in milliseconds, or leave --envs out."
        )


def open_worlds(name: str, request: WorldRequest, count: int) -> WorldsInStep:
    """`count` worlds of a registered name: its fleet if it has one, else one after the other in this process."""
    if name in names(FLEETS):
        return find(FLEETS, name)(request, count)
    members: list[World] = []
    try:
        for _ in range(count):
            members.append(find(WORLDS, name)(request))
    except BaseException:
        EachByItself(members).close()
        raise
    return EachByItself(members)


class WorldsInStep(Protocol):
    """Worlds of one kind that move on together: twins of this process, or the environments of one GPU.

    resets_together: one can only be reset when none is in mid-episode.
    """

    members: Sequence[World]
    resets_together: bool

    def reset(self, specs: Mapping[int, Spec]) -> None:
        """Brings the named members, by their place in `members`, to the start of their specs."""

    def advance(self, until_ns: Mapping[int, int]) -> None:
        """Lets the clocks of the named members run to the given times."""

    def close(self) -> None:
        """Lets go of everything; may be called twice."""


class EachByItself:
    """Worlds that are advanced one after the other: nothing is won but the policy's batches."""

    resets_together = False

    def __init__(self, members: Sequence[World]) -> None:
        self.members = members

    def reset(self, specs: Mapping[int, Spec]) -> None:
        for place, spec in specs.items():
            self.members[place].reset(spec)

    def advance(self, until_ns: Mapping[int, int]) -> None:
        for place, until in until_ns.items():
            self.members[place].advance(until)

    def close(self) -> None:
        for member in self.members:
            member.close()
