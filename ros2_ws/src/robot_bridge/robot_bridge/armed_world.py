"""A bench whose episodes end when its arm is stopped, so that nobody scores a policy for what a stop did."""

from __future__ import annotations

from hardware.arm import ArmDriver
from hardware.bench.world import BenchWorld
from touchstone.errors import WorldFailure
from touchstone.safety.states import State
from touchstone.spec import Spec

#: how often a simulated arm is armed for one episode: a busy machine may hold its wire up until the gate stops it
TRIES = 3


class ArmedWorld(BenchWorld):
    """driver: the one behind the arm side. armed_by: who re-arms it at an episode's start if it is stopped; None: a
    person has to. The rest as in `BenchWorld`."""

    def __init__(self, driver: ArmDriver, armed_by: str | None, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self._driver, self._armed_by = driver, armed_by

    def reset(self, spec: Spec) -> None:
        for tries_left in reversed(range(TRIES)):
            if self._armed_by is not None and self._stopped():
                self._driver.rearm(self._armed_by)
            try:
                return super().reset(spec)
            except WorldFailure:
                if self._armed_by is None or not tries_left or not self._stopped():
                    raise

    def advance(self, until_ns: int) -> None:
        """Raises WorldFailure, too, when the arm has been stopped meanwhile."""
        super().advance(until_ns)
        if self._stopped():
            why = self._driver.state().why
            raise WorldFailure(
                f"The arm was stopped ({why}) and the episode with it; look at the arm, and run the same command again "
                "to go on."
            )

    def _stopped(self) -> bool:
        return self._driver.state().gate == State.STOPPED
