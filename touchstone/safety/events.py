"""The gate's interventions as events of a journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from touchstone.facts import Event
from touchstone.safety.codes import Intervention

KIND = "intervention"


def intervention_events(interventions: Sequence[Intervention], step: int) -> list[Event]:
    """One event of each code, the first, with how many there were; `detail` begins with the code."""
    counts = Counter(each.code for each in interventions)
    events = []
    for each in interventions:
        if number := counts.pop(each.code, 0):
            times = f" ({number} times)" if number > 1 else ""
            detail = f"{each.code.value}: {each.detail}{times}"
            events.append(Event(stamp_ns=each.stamp_ns, step=step, kind=KIND, detail=detail))
    return events
