"""What a person beside the bench said about an episode, as its events keep it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from touchstone.facts import Event

#: kinds of the events that a person causes
PLACED, LABEL = "operator_placed", "operator_label"
#: a label for an episode in which no card was touched
NONE_TOUCHED = "none"


def operator_label(events: Sequence[Event]) -> str | None:
    """Which card was touched as the person says who overruled the verdict, or `NONE_TOUCHED`; None if nobody did."""
    labels = [json.loads(event.detail)["touched"] for event in events if event.kind == LABEL]
    return labels[-1] if labels else None
