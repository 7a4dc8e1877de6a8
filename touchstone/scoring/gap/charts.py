"""Inline SVGs of a gap study; their colours come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from touchstone.scoring.gap.records import Cell
from touchstone.scoring.gap.words import FINDINGS, points
from touchstone.scoring.statistics.gap import StageGap
from touchstone.scoring.statistics.intervals import wilson

_ROW, _LEFT, _PLOT, _RIGHT = 26, 230, 430, 180


def forest(cells: Sequence[Cell], margin: float, other: str) -> Markup:
    """Differences with their intervals, a row a cell, largest loss first; the band is the margin."""
    rows = sorted(cells, key=lambda cell: cell.difference.difference)
    reach = max(0.2, *(max(abs(c.difference.interval.low), abs(c.difference.interval.high)) for c in rows))
    top, bottom = 24, 24 + _ROW * len(rows)

    def x(value: float) -> float:
        return round(_LEFT + _PLOT * (value / reach + 1) / 2, 1)

    parts = [
        f'<rect class="band" x="{x(-margin)}" y="{top}" width="{x(margin) - x(-margin):.1f}" height="{bottom - top}"/>'
    ]
    step = next(size for size in (0.05, 0.1, 0.25, 0.5) if reach / size <= 5)
    ticks = [k * step for k in range(-int(reach / step), int(reach / step) + 1)]
    for tick in ticks:
        parts.append(
            f'<line class="{"zero" if tick == 0 else "grid"}" x1="{x(tick)}" x2="{x(tick)}" y1="{top}" y2="{bottom}"/>'
        )
        parts.append(
            f'<text x="{x(tick)}" y="{bottom + 15}" text-anchor="middle">{f"{100 * tick:+.0f}" if tick else 0}</text>'
        )
    parts.append(f'<text x="{x(0) - 8}" y="14" text-anchor="end">← {escape(other)} worse</text>')
    parts.append(f'<text x="{x(0) + 8}" y="14">{escape(other)} better →</text>')
    for number, cell in enumerate(rows):
        y = top + _ROW * (number + 0.5)
        gap, interval = cell.difference.difference, cell.difference.interval
        parts.append(f'<text class="name" x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{_short(cell.name)}</text>')
        parts.append(
            f'<line class="ci {cell.finding}" x1="{x(interval.low)}" x2="{x(interval.high)}" y1="{y}" y2="{y}"/>'
        )
        parts.append(f'<rect class="mark {cell.finding}" x="{x(gap) - 4.5}" y="{y - 4.5}" width="9" height="9"/>')
        numbers = f"{points(gap)} ({points(interval.low)} to {points(interval.high)})"
        parts.append(f'<text class="name" x="{_LEFT + _PLOT + 14}" y="{y + 4}">{numbers}</text>')
    return _svg(_LEFT + _PLOT + _RIGHT, bottom + 22, f"Differences, {other} minus twin", parts)


def scatter(cells: Sequence[Cell], other: str) -> Markup:
    """Twin's rate across, the other world's up, both over the pairs; the dashed line is equality.

    Points are numbered in the order of the cells; points in one place share a label.
    """
    size, left, top = 360, 56, 12

    def x(value: float) -> float:
        return round(left + size * value, 1)

    def y(value: float) -> float:
        return round(top + size * (1 - value), 1)

    parts = [f'<rect class="frame" x="{left}" y="{top}" width="{size}" height="{size}"/>']
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="{top}" y2="{top + size}"/>')
        parts.append(f'<line class="grid" x1="{left}" x2="{left + size}" y1="{y(tick)}" y2="{y(tick)}"/>')
        parts.append(f'<text x="{x(tick)}" y="{top + size + 16}" text-anchor="middle">{100 * tick:.0f}</text>')
        parts.append(f'<text x="{left - 8}" y="{y(tick) + 4}" text-anchor="end">{100 * tick:.0f}</text>')
    parts.append(f'<line class="identity" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>')
    places: dict[tuple[float, float], list[int]] = {}
    for number, cell in enumerate(cells, 1):
        places.setdefault((cell.sim_paired, cell.real_paired), []).append(number)
        low, high = _whisker(cell.real_paired, cell.pairs)
        parts.append(
            f'<line class="whisker" x1="{x(cell.sim_paired)}" x2="{x(cell.sim_paired)}" y1="{y(low)}" y2="{y(high)}"/>'
        )
        (low, high), at = _whisker(cell.sim_paired, cell.pairs), y(cell.real_paired)
        parts.append(f'<line class="whisker" x1="{x(low)}" x2="{x(high)}" y1="{at}" y2="{at}"/>')
    for (sim, real), numbers in places.items():
        title = "; ".join(f"{escape(cells[n - 1].name)}: {100 * sim:.1f} / {100 * real:.1f} %" for n in numbers)
        finding = cells[numbers[0] - 1].finding
        parts.append(
            f'<circle class="mark {finding}" cx="{x(sim)}" cy="{y(real)}" r="5.5"><title>{title}</title></circle>'
        )
        # to the left where the right edge is near
        side, anchor = (-9, "end") if sim > 0.85 else (9, "start")
        label = ", ".join(map(str, numbers))
        parts.append(
            f'<text class="number" x="{x(sim) + side}" y="{y(real) + 14}" text-anchor="{anchor}">{label}</text>'
        )
    middle = left + size / 2
    parts.append(f'<text x="{middle}" y="{top + size + 34}" text-anchor="middle">twin, success in %</text>')
    upright = f'transform="translate(14 {top + size / 2}) rotate(-90)" text-anchor="middle"'
    parts.append(f"<text {upright}>{escape(other)}, success in %</text>")
    return _svg(left + size + 14, top + size + 40, f"Success in twin and {other}", parts)


def contribution(stage: StageGap, reach: float) -> Markup:
    """How much of the gap a stage explains, on an axis of -reach..reach, with its interval."""
    width, height, middle = 240, 22, 120

    def x(value: float) -> float:
        return round(middle + (middle - 8) * max(-1.0, min(1.0, value / reach)), 1)

    start, end = sorted((middle, x(stage.contribution)))
    parts = [
        f'<line class="zero" x1="{middle}" x2="{middle}" y1="1" y2="21"/>',
        f'<rect class="share" x="{start}" y="5" width="{max(0.5, end - start):.1f}" height="12"/>',
    ]
    if stage.interval is not None:
        parts.append(
            f'<line class="whisker" x1="{x(stage.interval.low)}" x2="{x(stage.interval.high)}" y1="11" y2="11"/>'
        )
    return _svg(width, height, f"{stage.sim.name}: {points(stage.contribution)} points", parts)


def legend() -> Markup:
    """What the colours of the findings are."""
    return Markup("".join(f'<span class="key {kind}"></span>{escape(word)} ' for kind, word in FINDINGS.items()))


def _whisker(rate: float, pairs: int) -> tuple[float, float]:
    interval = wilson(round(rate * pairs), pairs)
    return interval.low, interval.high


def _short(name: str) -> str:
    return str(escape(name if len(name) <= 36 else name[:34] + "…"))


def _svg(width: float, height: float, title: str, parts: list[str]) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{"".join(map(str, parts))}</svg>'
    )
