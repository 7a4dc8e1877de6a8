"""What the statistics answer with."""

from __future__ import annotations

from touchstone.facts import Record

CONFIDENCE = 0.95


class Interval(Record):
    """Closed, at the stated confidence; method names the formula."""

    low: float
    high: float
    confidence: float
    method: str

    @property
    def width(self) -> float:
        return self.high - self.low

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


class Estimate(Record):
    """A value with its interval; either is None when it is undefined, and `reason` then says why in one sentence.

    n: number of independent units behind it (trials, tasks, policies, as the function says).
    """

    value: float | None
    interval: Interval | None
    n: int
    reason: str | None = None
