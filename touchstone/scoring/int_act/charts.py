"""Inline SVGs of a suite's report; their colours come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from touchstone.scoring.int_act.records import ENDINGS, Group, Mean
from touchstone.scoring.int_act.titles import short, title
from touchstone.scoring.int_act.words import points
from touchstone.tasks.int_act.deltas import TaskSummary

#: the chain from meaning an object to having placed it
CHAIN = ("intention", "grasp", "success", "strict")
_LEFT, _PLOT, _ROW, _TOP = 196, 430, 30, 28
_CHAIN_ROW = 52


def gap_chart(groups: Mapping[str, Group]) -> Markup:
    """A row a group: intention, grasp, success and strict on one axis, 0 to 100 %, and the gap in points."""
    rows = [(name, group) for name, group in groups.items() if group.tasks]
    bottom = _TOP + _CHAIN_ROW * len(rows)
    parts = _axis(bottom, [(0.25 * k, f"{25 * k}") for k in range(5)])
    parts.append(f'<text x="{_LEFT + _PLOT + 16}" y="{_TOP - 12}">intention − success, points</text>')
    for number, (name, group) in enumerate(rows):
        middle = _TOP + _CHAIN_ROW * (number + 0.5)
        lanes = {metric: middle + 10 * (k - 1.5) for k, metric in enumerate(CHAIN)}
        at = {metric: group.means[metric].value or 0.0 for metric in CHAIN}
        parts.append(_label(title(name), middle))
        for metric, y in lanes.items():
            if group.means[metric].ci95 is not None:
                low, high = map(_x, group.means[metric].ci95)
                parts.append(f'<line class="ci {metric}" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>')
        way = " ".join(f"{_x(at[metric])},{y}" for metric, y in lanes.items())
        parts.append(f'<polyline class="gap" points="{way}"/>')
        parts += [
            _mark(metric, _x(at[metric]), y, f"{title(metric)} {100 * at[metric]:.1f} %") for metric, y in lanes.items()
        ]
        gap = points(at["intention"] - at["success"]).removeprefix("+")
        parts.append(f'<text class="name" x="{_LEFT + _PLOT + 16}" y="{middle + 4}">{gap}</text>')
        parts.append(
            f'<text x="{_LEFT + _PLOT + 60}" y="{middle + 4}">({100 * at["intention"]:.1f} − '
            f"{100 * at['success']:.1f}), {group.tasks}/{group.of} tasks</text>"
        )
    return _svg(_LEFT + _PLOT + 250, bottom + 24, "From intention to success", parts)


def chain_legend() -> Markup:
    """The marks of `gap_chart`."""
    return _legend([(metric, title(metric)) for metric in CHAIN])


def delta_chart(tasks: Mapping[str, TaskSummary], groups: Mapping[str, Group], metric: str) -> Markup:
    """A row a subcategory: a dot for each task's delta against its base, a bar for their mean; points."""
    rows = []
    for name, group in groups.items():
        dots = [
            (task, one.delta[metric].points)
            for task, one in tasks.items()
            if one.counted and one.subcategory == name and one.delta is not None and one.base != task
        ]
        if dots and group.delta[metric] is not None:
            rows.append((name, group.delta[metric], dots))
    if not rows:
        return Markup("")
    bottom = _TOP + _ROW * len(rows)
    parts = _axis(bottom, [(0.25 * k, label) for k, label in enumerate(("−100", "−50", "0", "+50", "+100"))], zero=0.5)
    parts.append(f'<text x="{_LEFT + _PLOT + 16}" y="{_TOP - 12}">mean, points</text>')
    for number, (name, mean, dots) in enumerate(rows):
        y = _TOP + _ROW * (number + 0.5)
        start, end = sorted((_x(0.5), _x((mean + 1) / 2)))
        kind = "loss" if mean < 0 else "gain"
        parts.append(_label(title(name), y))
        parts.append(f'<rect class="{kind}" x="{start}" y="{y - 8}" width="{end - start:.1f}" height="16"/>')
        for value in sorted({value for _, value in dots}):
            names = [short(task) for task, other in dots if other == value]
            told = f"{', '.join(names)}: {points(value)}"
            x, size = _x((value + 1) / 2), 3.5 + 1.1 * (len(names) - 1)
            parts.append(
                f'<circle class="task" cx="{x}" cy="{y}" r="{size:.1f}"><title>{escape(told)}</title></circle>'
            )
        parts.append(f'<text class="name" x="{_LEFT + _PLOT + 16}" y="{y + 4}">{points(mean)}</text>')
    return _svg(_LEFT + _PLOT + 110, bottom + 24, f"Deltas of {title(metric)} against the base tasks", parts)


def endings_chart(groups: Mapping[str, Group]) -> Markup:
    """A row a group: how its episodes ended, as shares of all."""
    rows = [(name, group) for name, group in groups.items() if group.trials]
    bottom = _TOP + _ROW * len(rows)
    parts = _axis(bottom, [(0.25 * k, f"{25 * k}") for k in range(5)])
    parts.append(f'<text x="{_LEFT + _PLOT + 16}" y="{_TOP - 12}">episodes</text>')
    for number, (name, group) in enumerate(rows):
        y, start = _TOP + _ROW * (number + 0.5), 0.0
        parts.append(_label(title(name), y))
        for ending in ENDINGS:
            share = group.endings[ending] / group.trials
            if share:
                told = f"{title(ending)}: {group.endings[ending]} of {group.trials}"
                x, width = _x(start), round(_PLOT * share, 1)
                parts.append(
                    f'<rect class="end {ending}" x="{x}" y="{y - 9}" width="{width}" height="18">'
                    f"<title>{escape(told)}</title></rect>"
                )
                if width > 26:
                    parts.append(
                        f'<text class="in {ending}" x="{x + width / 2:.1f}" y="{y + 4}" text-anchor="middle">'
                        f"{group.endings[ending]}</text>"
                    )
            start += share
        parts.append(f'<text class="name" x="{_LEFT + _PLOT + 16}" y="{y + 4}">{group.trials}</text>')
    return _svg(_LEFT + _PLOT + 80, bottom + 24, "How episodes ended", parts)


def endings_legend() -> Markup:
    keys = "".join(f'<span class="box {ending}"></span> {escape(title(ending))} ' for ending in ENDINGS)
    return Markup(f'<span class="legend">{keys}</span>')


def rate_chart(groups: Mapping[str, Group], metric: str) -> Markup:
    """A row a group: one rate with its interval."""
    rows = [(name, group) for name, group in groups.items() if group.tasks]
    bottom = _TOP + _ROW * len(rows)
    parts = _axis(bottom, [(0.25 * k, f"{25 * k}") for k in range(5)])
    for number, (name, group) in enumerate(rows):
        y, mean = _TOP + _ROW * (number + 0.5), group.means[metric]
        parts.append(_label(title(name), y))
        if mean.ci95 is not None:
            low, high = map(_x, mean.ci95)
            parts.append(f'<line class="ci {metric}" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>')
        parts.append(_mark(metric, _x(mean.value or 0.0), y, ""))
        parts.append(f'<text class="name" x="{_LEFT + _PLOT + 16}" y="{y + 4}">{100 * (mean.value or 0):.1f} %</text>')
    return _svg(_LEFT + _PLOT + 80, bottom + 24, title(metric), parts)


def mean_bar(mean: Mean) -> Markup:
    """0 to 100 %: the interval as a bar, the mean as a dot."""
    parts = ['<line class="grid" x1="6" x2="194" y1="10" y2="10"/>']
    if mean.ci95 is not None:
        low, high = (round(6 + 188 * bound, 1) for bound in mean.ci95)
        parts.append(f'<rect class="span" x="{low}" y="6" width="{high - low:.1f}" height="8" rx="4"/>')
    if mean.value is not None:
        parts.append(f'<circle class="dot" cx="{6 + 188 * mean.value:.1f}" cy="10" r="5"/>')
    return _svg(200, 20, "", parts)


def _x(value: float) -> float:
    return round(_LEFT + _PLOT * value, 1)


def _axis(bottom: float, ticks: Sequence[tuple[float, str]], zero: float = 0.0) -> list[str]:
    parts = []
    for at, label in ticks:
        kind = "zero" if at == zero else "grid"
        parts.append(f'<line class="{kind}" x1="{_x(at)}" x2="{_x(at)}" y1="{_TOP - 4}" y2="{bottom}"/>')
        parts.append(f'<text x="{_x(at)}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    return parts


def _label(text: str, y: float) -> str:
    return f'<text class="name" x="{_LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(text)}</text>'


def _mark(metric: str, x: float, y: float, told: str) -> str:
    """A shape for each value, so that they are told apart without colour."""
    about = f"<title>{escape(told)}</title>" if told else ""
    if metric == "grasp":
        return f'<path class="mark grasp" d="M{x} {y - 6}l5.5 10h-11z">{about}</path>'
    if metric == "success":
        return f'<rect class="mark success" x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9">{about}</rect>'
    if metric == "strict":
        return f'<path class="mark strict" d="M{x} {y - 6}l6 6l-6 6l-6 -6z">{about}</path>'
    return f'<circle class="mark {metric}" cx="{x}" cy="{y}" r="5">{about}</circle>'


def _legend(keys: Sequence[tuple[str, str]]) -> Markup:
    drawn = "".join(
        f'<svg class="key" viewBox="0 0 16 16" aria-hidden="true">{_mark(metric, 8, 8, "")}</svg> {escape(name)} '
        for metric, name in keys
    )
    return Markup(f'<span class="legend">{drawn}</span>')


def _svg(width: float, height: float, about: str, parts: list[str]) -> Markup:
    about = str(escape(about))
    return Markup(f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{about}">{"".join(parts)}</svg>')
