"""Small inline SVGs for the report; their colours come from the page's style sheet."""

from __future__ import annotations

import math

from markupsafe import Markup

from touchstone.scoring.rates import Rate

BINS_PER_DECADE = 12


def interval_bar(rate: Rate, chance: float | None = None) -> Markup:
    """0 to 100 %: the interval as a bar, the rate as a dot, and the chance level as a dashed line."""
    width, left = 300, 8
    span = width - 2 * left

    def x(value: float) -> float:
        return round(left + span * value, 1)

    parts = [f'<line class="axis" x1="{left}" x2="{width - left}" y1="16" y2="16"/>']
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<line class="axis" x1="{x(tick)}" x2="{x(tick)}" y1="13" y2="19"/>')
    if chance is not None:
        parts.append(f'<line class="chance" x1="{x(chance)}" x2="{x(chance)}" y1="3" y2="29"/>')
        parts.append(f'<text x="{x(chance)}" y="40" text-anchor="middle">chance {100 * chance:.0f} %</text>')
    if rate.rate is not None and rate.ci95 is not None:
        low, high = rate.ci95
        parts.append(f'<rect class="ci" x="{x(low)}" y="11" width="{round(x(high) - x(low), 1)}" height="10" rx="5"/>')
        parts.append(f'<circle class="dot" cx="{x(rate.rate)}" cy="16" r="6"/>')
    parts.append(f'<text x="{left}" y="40" text-anchor="start">0</text>')
    parts.append(f'<text x="{width - left}" y="40" text-anchor="end">100 %</text>')
    return _svg(width, 44, rate.text(), parts)


class LatencyScale:
    """A logarithmic axis [ms] that all stages of a session share."""

    width, height, left = 360, 40, 18

    def __init__(self, stages_ms: dict[str, list[float]]) -> None:
        positive = [value for values in stages_ms.values() for value in values if value > 0] or [1.0]
        self._low = math.floor(math.log10(min(positive)))
        self._high = max(self._low + 1, math.ceil(math.log10(max(positive))))

    def histogram(self, stage: str, values: list[float], p50: float, p99: float) -> Markup:
        """How often each latency came; the lines are p50 and p99. Zeros count in the lowest bin."""
        counts = [0] * ((self._high - self._low) * BINS_PER_DECADE)
        for value in values:
            position = 0.0 if value <= 0 else math.log10(value) - self._low
            counts[min(len(counts) - 1, max(0, int(position * BINS_PER_DECADE)))] += 1
        base, step = self.height - 12, (self.width - 2 * self.left) / len(counts)
        parts = []
        for number, count in enumerate(counts):
            if count:
                tall = max(1.5, (base - 4) * count / max(counts))
                x = self.left + number * step
                box = f'x="{x:.1f}" y="{base - tall:.1f}" width="{step - 1:.1f}" height="{tall:.1f}"'
                parts.append(f'<rect class="bin" {box}/>')
        parts.append(f'<line class="axis" x1="{self.left}" x2="{self.width - self.left}" y1="{base}" y2="{base}"/>')
        for name, value in (("p50", p50), ("p99", p99)):
            if value > 0:
                x = self._x(value)
                parts.append(f'<line class="{name}" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{base}"/>')
        for decade in range(self._low, self._high + 1):
            value = 10.0**decade
            place = f'x="{self._x(value):.1f}" y="{self.height - 1}" text-anchor="middle"'
            parts.append(f"<text {place}>{value:g}</text>")
        return _svg(self.width, self.height, f"{stage}: p50 {p50:.1f} ms, p99 {p99:.1f} ms", parts)

    def _x(self, milliseconds: float) -> float:
        share = (math.log10(milliseconds) - self._low) / (self._high - self._low)
        return self.left + (self.width - 2 * self.left) * min(1.0, max(0.0, share))


def _svg(width: float, height: float, title: str, parts: list[str]) -> Markup:
    title = str(Markup.escape(title))
    return Markup(f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}">{"".join(parts)}</svg>')
