"""Who puts the objects on the table and knows where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from touchstone.facts import Fact
from touchstone.plant import CONNECT_S, PlantClient
from touchstone.spec import Spec


class Stage(Protocol):
    """One bench's objects. Called by one thread."""

    def prepare(self, spec: Spec) -> None:
        """Brings the objects to where the spec wants them; the arm is inhibited meanwhile. Raises WorldFailure."""

    def objects(self) -> dict[str, Fact]:
        """Pose of each object of the spec, as in `Facts.objects`; value None where it is not known."""

    def finger_forces(self) -> dict[str, Fact]:
        """As in `Facts.finger_forces`; empty where nothing measures them."""

    def close(self) -> None:
        """May be called twice."""


class EmulatedStage:
    """The table of the simulator behind `link` (`python -m sim_twin.plant`)."""

    def __init__(self, link: Path, timeout_s: float = CONNECT_S) -> None:
        self._plant = PlantClient(link, timeout_s)
        self._forces: dict[str, Fact] = {}

    def prepare(self, spec: Spec) -> None:
        self._plant.ask("reset", spec=spec.model_dump(mode="json"))

    def objects(self) -> dict[str, Fact]:
        """Brings the finger forces of the same moment along."""
        facts = self._plant.ask("facts")
        self._forces = {name: Fact.model_validate(fact) for name, fact in facts["finger_forces"].items()}
        return {name: Fact.model_validate(fact) for name, fact in facts["objects"].items()}

    def finger_forces(self) -> dict[str, Fact]:
        return self._forces

    def close(self) -> None:
        self._plant.close()
