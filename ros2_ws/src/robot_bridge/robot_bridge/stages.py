"""Who puts the objects on the table: found by a word, as worlds and policies are."""

from __future__ import annotations

from pathlib import Path

from hardware.bench.stage import EmulatedStage, Stage
from robot_bridge.picture_notes import PictureNotes
from touchstone.clock import Clock
from touchstone.errors import UsageError
from touchstone.facts import Fact
from touchstone.spec import Spec

#: how long a camera may take to show what was placed [s]
PICTURE_S = 30.0


def open_stage(word: str) -> Stage:
    """`plant:SOCKET` is the table of a simulator, `operator` one on which a person places things and finds them with
    the camera. Raises UsageError for a word that names no stage."""
    kind, _, where = word.partition(":")
    if kind == "plant" and where:
        return EmulatedStage(Path(where))
    if word == "operator":
        return OperatorStage()
    raise UsageError(f"'{word}' is no stage; write plant:SOCKET or operator.")


class OperatorStage:
    """A table of which the arm knows nothing: what lies where is the session's to find out."""

    def prepare(self, spec: Spec) -> None:
        """Nothing: the person has placed the objects, or will."""

    def objects(self) -> dict[str, Fact]:
        return {}

    def finger_forces(self) -> dict[str, Fact]:
        return {}

    def close(self) -> None:
        """Nothing to let go of."""


class SeenStage:
    """A stage whose cameras have shown what was placed before the episode begins."""

    def __init__(self, stage: Stage, pictures: PictureNotes, clock: Clock) -> None:
        self._stage, self._pictures, self._clock = stage, pictures, clock

    def prepare(self, spec: Spec) -> None:
        self._stage.prepare(spec)
        self._pictures.wait_for(self._clock.now_ns(), PICTURE_S)

    def objects(self) -> dict[str, Fact]:
        return self._stage.objects()

    def finger_forces(self) -> dict[str, Fact]:
        return self._stage.finger_forces()

    def close(self) -> None:
        self._stage.close()
