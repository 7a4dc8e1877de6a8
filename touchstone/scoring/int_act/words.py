"""Numbers and findings of a suite's report as text."""

from __future__ import annotations

from collections import Counter

from touchstone.scoring.int_act.records import Comparison, SuiteScores
from touchstone.scoring.int_act.titles import title

_ALONE = "by INT-ACT's rule alone: "


def percent(value: float | None) -> str:
    """'66.7', or a dash."""
    return "–" if value is None else f"{100 * value:.1f}"


def span(bounds: tuple[float, float] | None) -> str:
    """'44–84', in percent."""
    return "" if bounds is None else f"{100 * bounds[0]:.0f}–{100 * bounds[1]:.0f}"


def points(value: float | None) -> str:
    """'+3.1' or '−12.5', in points."""
    return "–" if value is None else _signed(f"{100 * value:+.1f}")


def percent_of_base(value: float | None) -> str:
    """'−24 %', of the base's value."""
    return "–" if value is None else _signed(f"{value:+.0f}") + " %"


def headline(scores: SuiteScores) -> str:
    """One sentence with the numbers that matter."""
    if scores.all.tasks == 0:
        return f"{scores.policy} on INT-ACT: no task that counts was run"
    means = scores.all.means
    said = ", ".join(
        f"{title(name)} {percent(means[name].value)}\u00a0%" for name in ("intention", "success", "strict")
    )
    return f"{scores.policy} on INT-ACT: {said}"


def findings(scores: SuiteScores) -> list[str]:
    """What the numbers say, one sentence each."""
    out = []
    means = scores.all.means
    if scores.all.tasks:
        gap = means["intention"].value - means["success"].value
        alone = scores.all.endings["paper_only"]
        wrong = percent(means["wrong_object"].value)
        out.append(
            f"Intention and success are {100 * gap:.1f} points apart; "
            + ("no episode" if wrong == "0.0" else f"{wrong} % of the episodes")
            + " ended with another object moved."
        )
        out.append(
            f"INT-ACT's own rule counts {alone} of {scores.all.trials} episodes that the strict rule does not."
            if alone
            else "Both rules count the same episodes."
        )
    falls = {name: group.delta["success"] for name, group in scores.subcategories.items() if name != "original"}
    known = {name: value for name, value in falls.items() if value is not None}
    if known:
        worst = min(known, key=known.get)
        if known[worst] < 0:
            out.append(f"Success falls most under {title(worst)}: {points(known[worst])} points against the base.")
    return out


def alone_reasons(scores: SuiteScores) -> list[tuple[str, int]]:
    """Why episodes were no strict successes though INT-ACT's rule held, most frequent first."""
    found: Counter[str] = Counter()
    for reason, count in scores.failures.items():
        if _ALONE in reason:
            found[reason.split(_ALONE)[1]] += count
    return found.most_common()


def p_value(one: float | None) -> str:
    if one is None:
        return "–"
    return "< 0.001" if one < 0.001 else f"{one:.3f}"


def difference(one: Comparison) -> str:
    """'−12.5 (−30.1 to +6.0)' in points."""
    paired = one.paired
    if paired.difference is None:
        return "–"
    interval = paired.interval
    return f"{points(paired.difference)} ({points(interval.low)} to {points(interval.high)})"


def _signed(number: str) -> str:
    """With a true minus, and a zero without a sign."""
    return number.lstrip("+-") if float(number) == 0 else number.replace("-", "−")
