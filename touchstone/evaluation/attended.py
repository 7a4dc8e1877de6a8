"""A bench with a person beside it: cards are placed by hand, found by the camera, and a person may overrule a verdict.

Works over any World: an arm's, or a twin's for a rehearsal, whose knowledge of its cards is then thrown away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from touchstone.bench import CARD_THICKNESS, TABLE_Z
from touchstone.errors import TouchstoneError, UsageError
from touchstone.facts import Event, Fact, Facts
from touchstone.policy import Chunk
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.labels import LABEL, PLACED
from touchstone.vision.cards import FOUND, Detection, locate
from touchstone.world import CameraFrame, Observation, World, WorldOffer

#: of a card's found centre [m]: largest error over the twin's pictures (tests/vision/test_detection.py), rounded up
DETECTION_SIGMA = 0.005
CAMERA = "scene"
TASK = "touch-emoji"

#: gives the newest picture
Look = Callable[[], CameraFrame]


class Discarded(TouchstoneError):
    """A person threw the episode away; it is run again."""


class Operator(Protocol):
    """The person beside the bench, however they are asked."""

    name: str

    def clear(self, spec: Spec) -> None:
        """Returns when nobody's hands are in the bench: the arm goes to its start next."""

    def place(self, spec: Spec, look: Look) -> Mapping[str, Detection | None]:
        """Returns when every card lies where it shall and the hands are out again. Gives what was found last, by
        placement's name; None: a card that was not found and that the person says lies where it shall."""

    def label(self, spec: Spec, verdict: Verdict, last: CameraFrame) -> str | None:
        """The touched card's name, or `labels.NONE_TOUCHED`, where the person overrules the verdict; None where not.

        Raises Discarded."""


class AttendedWorld:
    """A World with a person beside it. inhibit: told True while hands are in the bench."""

    def __init__(self, world: World, operator: Operator, inhibit: Callable[[bool], None] = lambda hands: None) -> None:
        self._world, self._operator, self._inhibit = world, operator, inhibit
        self._spec: Spec | None = None
        self._objects: dict[str, Fact] = {}
        self._events: list[Event] = []

    def describe(self) -> WorldOffer:
        return self._world.describe()

    def reset(self, spec: Spec) -> None:
        """Lets the person clear the bench, moves the arm to its start, and lets the person place the cards."""
        if spec.task != TASK:
            raise UsageError(f"With an operator only {TASK} can be scored; nothing follows the objects of {spec.task}.")
        self._operator.clear(spec)
        self._world.reset(spec)
        self._inhibit(True)
        try:
            found = self._operator.place(spec, lambda: self._look(spec))
        finally:
            self._inhibit(False)
        self._world.reset(spec)
        self._spec = spec
        self._objects = {placement.name: _fact(placement, found.get(placement.name)) for placement in spec.layout}
        self._events = [self._event(PLACED, _placed(spec, found))]

    def observe(self) -> Observation:
        return self._world.observe()

    def command(self, chunk: Chunk | None) -> None:
        self._world.command(chunk)

    def advance(self, until_ns: int) -> None:
        self._world.advance(until_ns)

    def facts(self) -> Facts:
        return self._world.facts().model_copy(update={"objects": self._objects})

    def events(self) -> list[Event]:
        events, self._events = [*self._world.events(), *self._events], []
        return events

    def conclude(self, verdict: Verdict) -> list[Event]:
        """Shows the verdict to the person; their label, if they overrule it. Raises Discarded."""
        label = self._operator.label(self._spec, verdict, self._world.observe().cameras[CAMERA])
        return [] if label is None else [self._event(LABEL, {"operator": self._operator.name, "touched": label})]

    def close(self) -> None:
        self._world.close()

    def _look(self, spec: Spec) -> CameraFrame:
        observation = self._world.observe()
        if CAMERA not in observation.cameras:
            raise UsageError(f"With an operator there must be a camera called '{CAMERA}'; leave --no-pictures out.")
        self._world.advance(observation.stamp_ns + spec.dt_ns)
        return observation.cameras[CAMERA]

    def _event(self, kind: str, said: dict) -> Event:
        facts = self._world.facts()
        return Event(stamp_ns=facts.stamp_ns, step=facts.step, kind=kind, detail=json.dumps(said))


def detect_cards(spec: Spec, frame: CameraFrame) -> dict[str, Detection | None]:
    """Where the cards of an episode lie in a picture, by placement's name; None: not seen, or not believable."""
    found: dict[str, Detection | None] = {}
    for placement in spec.layout:
        seen = locate(frame.image, frame.model, placement.emoji)
        found[placement.name] = seen if seen.score >= FOUND else None
    return found


def _fact(placement, seen: Detection | None) -> Fact:
    # without a sighting the person's word counts, which is that it lies as asked
    xy, yaw = (placement.xy, placement.yaw) if seen is None else (seen.xy, seen.yaw)
    turn = [float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))]
    return Fact(
        value=[float(xy[0]), float(xy[1]), TABLE_Z + CARD_THICKNESS, *turn],
        frame="base",
        source="operator" if seen is None else "detected",
        sigma=None if seen is None else DETECTION_SIGMA,
    )


def _placed(spec: Spec, found: Mapping[str, Detection | None]) -> dict:
    return {
        placement.name: None
        if found.get(placement.name) is None
        else {
            "off_mm": round(1e3 * float(np.linalg.norm(np.subtract(found[placement.name].xy, placement.xy))), 1),
            "score": round(found[placement.name].score, 3),
        }
        for placement in spec.layout
    }
