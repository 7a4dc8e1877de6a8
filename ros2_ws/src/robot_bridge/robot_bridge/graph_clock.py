"""From a world's stamps to the graph's: header stamps never go back, whatever clock a world has."""

from __future__ import annotations

import time
from typing import Protocol

from touchstone.clock import Clock

#: episodes of a world whose clock starts anew are laid out one after the other, each at a whole second [ns]
_SECOND = 1_000_000_000


class GraphClock(Protocol):
    """The graph's time of one world."""

    def new_episode(self) -> None:
        """The world's clock may begin again."""

    def at(self, stamp_ns: int) -> int:
        """Header stamp [ns] of a world's stamp in the present episode."""


class EpisodeClock:
    """Of a world whose clock starts at 0 with every episode."""

    def __init__(self) -> None:
        self._epoch_ns = 0
        self._latest_ns = 0

    def new_episode(self) -> None:
        """The next stamp 0 of the world lies at the next whole second but one."""
        self._epoch_ns = (self._latest_ns // _SECOND + 2) * _SECOND

    def at(self, stamp_ns: int) -> int:
        self._latest_ns = max(self._latest_ns, self._epoch_ns + stamp_ns)
        return self._epoch_ns + stamp_ns


class BenchClock:
    """Of a bench, which lives on `clock`: at scale 1 the graph's time is the system's, as ROS nodes expect; in a world
    that is slowed it runs slower from the machine's start on. Processes of one machine agree to within microseconds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._start_ns = time.time_ns() - time.monotonic_ns()

    def new_episode(self) -> None:
        """Goes on: monotonic time never begins again."""

    def at(self, stamp_ns: int) -> int:
        return self._start_ns + stamp_ns
