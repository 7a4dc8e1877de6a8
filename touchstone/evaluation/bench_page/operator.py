"""The operator who is asked through a page in a browser."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import cv2
import numpy as np

from touchstone.errors import UsageError
from touchstone.evaluation.attended import Discarded, Look, detect_cards
from touchstone.evaluation.bench_page.server import Button, PageServer, Row
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.emoji.cards import card_picture
from touchstone.tasks.labels import NONE_TOUCHED
from touchstone.vision.cards import Detection
from touchstone.vision.overlay import near_enough, placement_overlay
from touchstone.world import CameraFrame

#: between two looks at the bench while cards are placed [s]
LOOK_EVERY = 0.3
GO, PLACED, TRUST, AGREE, DISCARD = "go", "placed", "trust", "agree", "discard"


class PageOperator:
    """name: of the person, for the journal. server: where they are asked."""

    def __init__(self, name: str, server: PageServer) -> None:
        if not name.strip():
            raise UsageError("--operator is empty; give the name of the person beside the bench.")
        self.name = name
        self._server = server

    def clear(self, spec: Spec) -> None:
        self._server.show(
            _title(spec),
            "Next, the arm goes to its start. Take hands and loose things out of the bench.",
            buttons=(Button(GO, "The bench is clear: move", "Enter"),),
        )
        self._server.answer()

    def place(self, spec: Spec, look: Look) -> Mapping[str, Detection | None]:
        said = None
        while True:
            frame = look()
            found = detect_cards(spec, frame)
            if said == TRUST or (said == PLACED and all(found.values())):
                self._server.show(_title(spec), "Running. Keep clear of the arm.", rows=_rows(spec, found))
                return found
            self._server.picture(placement_overlay(frame.image, frame.model, spec, found))
            self._server.show(
                _title(spec),
                "The arm is held. Place the cards as shown, the drawing's top at the dot, and take your hands out.",
                rows=_rows(spec, found),
                buttons=(
                    Button(PLACED, "All lie as shown: start", "Enter", enabled=all(found.values())),
                    Button(TRUST, "Start although the camera does not see all; they lie as shown", "t"),
                ),
            )
            said = self._server.answer(LOOK_EVERY)

    def label(self, spec: Spec, verdict: Verdict, last: CameraFrame) -> str | None:
        self._server.picture(last.image)
        cards = [placement for placement in spec.layout if placement.kind == "card"]
        overrule = tuple(Button(card.name, f"It touched {card.label}", str(k)) for k, card in enumerate(cards, start=1))
        self._server.show(
            _title(spec),
            f"Measured: {verdict.reason}.",
            buttons=(
                Button(AGREE, "That is right", "Enter"),
                *overrule,
                Button(NONE_TOUCHED, "It touched no card", "0"),
                Button(DISCARD, "Throw this episode away and run it again", "x"),
            ),
        )
        said = self._server.answer()
        if said == DISCARD:
            raise Discarded("The operator threw the episode away; it is run again.")
        return None if said == AGREE else said


def _title(spec: Spec) -> str:
    return f"{spec.episode} · {spec.instruction}"


def _rows(spec: Spec, found: Mapping[str, Detection | None]) -> tuple[Row, ...]:
    return tuple(
        Row(
            picture=_data_url(card_picture(card.emoji, 96)),
            text=f"{card.label}: x {card.xy[0]:.3f} m, y {card.xy[1]:+.3f} m",
            state=_state(card.xy, found.get(card.name)),
            good=found.get(card.name) is not None and near_enough(card.xy, found[card.name]),
        )
        for card in spec.layout
        if card.kind == "card"
    )


def _state(xy: tuple[float, float], seen: Detection | None) -> str:
    if seen is None:
        return "not seen"
    ahead, left = np.subtract(xy, seen.xy) * 1e3
    if near_enough(xy, seen):
        return f"lies there ({np.hypot(ahead, left):.0f} mm off)"
    # as seen from the arm's base
    along, across = "away" if ahead > 0 else "nearer", "left" if left > 0 else "right"
    return f"move it {abs(ahead):.0f} mm {along}, {abs(left):.0f} mm {across}"


def _data_url(picture: np.ndarray) -> str:
    _, data = cv2.imencode(".png", picture[..., ::-1])
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()
