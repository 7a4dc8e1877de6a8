"""Rates with their 95 % intervals."""

from __future__ import annotations

from touchstone.facts import Record
from touchstone.scoring.statistics.intervals import wilson


class Rate(Record):
    """successes of trials; `rate` and `ci95` (Wilson) are None when there were no trials."""

    successes: int
    trials: int
    rate: float | None
    ci95: tuple[float, float] | None

    def text(self) -> str:
        """'28/30 = 93.3 % (78.7 to 98.2)', or '0/0' when there were no trials."""
        if self.rate is None or self.ci95 is None:
            return f"{self.successes}/{self.trials}"
        low, high = (100 * bound for bound in self.ci95)
        return f"{self.successes}/{self.trials} = {100 * self.rate:.1f} % ({low:.1f} to {high:.1f})"


def rate(successes: int, trials: int) -> Rate:
    """The rate with its Wilson interval, six decimals. ValueError unless 0 <= successes <= trials."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials")
    interval = wilson(successes, trials)
    if interval is None:
        return Rate(successes=0, trials=0, rate=None, ci95=None)
    bounds = (round(interval.low, 6), round(interval.high, 6))
    return Rate(successes=successes, trials=trials, rate=round(successes / trials, 6), ci95=bounds)
