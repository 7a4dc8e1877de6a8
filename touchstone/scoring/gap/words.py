"""A gap study in words and numbers for people; nothing but atoms is ever called real."""

from __future__ import annotations

from touchstone.scoring.gap.records import Advice, Cell, Proportion, Study
from touchstone.scoring.statistics.agreement import Measure
from touchstone.scoring.statistics.ppi import Powered
from touchstone.scoring.statistics.results import Estimate, Interval

FINDINGS = {"differs": "differs", "agrees": "agrees", "open": "not settled"}


def there(study: Study) -> str:
    """How the real side is called: `bench`, or `shadow` for what stands in for one."""
    return "shadow" if study.stands_in else "bench"


def points(value: float) -> str:
    """A difference of rates: '+12.5', and '0.0' for none."""
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def span(interval: Interval | None, form=lambda value: f"{100 * value:.1f}") -> str:
    return "undefined" if interval is None else f"{form(interval.low)} to {form(interval.high)}"


def p_value(value: float | None) -> str:
    if value is None:
        return "undefined"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def proportion(one: Proportion) -> str:
    """'28/30 = 93.3 % (78.7 to 98.2)'."""
    counts = f"{one.successes}/{one.trials}"
    return counts if one.rate is None else f"{counts} = {100 * one.rate:.1f} % ({span(one.wilson)})"


def difference(estimate: Estimate) -> str:
    if estimate.value is None:
        return "undefined"
    interval = f" ({span(estimate.interval, points)})" if estimate.interval else f" (no interval: {estimate.reason})"
    return f"{points(estimate.value)} points{interval}"


def told(reason: str, other: str) -> str:
    """A statistic's reason with the names of these worlds; to the statistics, the side that is predicted is `real`."""
    return reason.replace("real", other).replace("sim rates", "twin rates")


def measure(one: Measure, other: str) -> str:
    """'0.856, 6 units, 0.854 to 0.942 when one is left out'."""
    units = f"{one.units} unit" + ("" if one.units == 1 else "s")
    if one.value is None:
        return f"undefined, {units}: {told(one.reason, other)}"
    dropped = (
        "undefined when one of them is left out"
        if one.drop_one is None
        else f"{one.drop_one[0]:.3f} to {one.drop_one[1]:.3f} when one is left out"
    )
    return f"{one.value:.3f}, {units}, {dropped}"


def powered(one: Powered, other: str) -> str:
    if one.real is None:
        return f"undefined: {told(one.reason, other)}"
    return f"{100 * one.real:.1f} % ({span(one.interval)})"


def saved(one: Powered) -> str:
    return "-" if one.saved is None else f"{one.saved:+d}"


def more_pairs(advice: Advice) -> str:
    if advice.more_pairs is None:
        return "more than 2000"
    return "none" if advice.more_pairs == 0 else f"about {advice.more_pairs}"


def headline(study: Study) -> str:
    """The answer in one sentence."""
    other = there(study)
    value = study.difference.value
    if value == 0:
        return f"Over {sum(cell.pairs for cell in study.cells)} pairs, {other} and twin succeed equally often."
    few = "less" if value < 0 else "more"
    interval = study.difference.interval
    sure = f" ({span(interval, points)})" if interval else ""
    return f"The {other} succeeds {abs(100 * value):.1f} points {few} often than the twin{sure}."


def answers(study: Study) -> list[str]:
    """How far, for which policies, how sure, and how many more trials: a sentence each."""
    other = there(study)
    counts = {kind: [cell for cell in study.cells if cell.finding == kind] for kind in FINDINGS}
    out = [
        f"{other.capitalize()} minus twin: {difference(study.difference)}, over {sum(c.pairs for c in study.cells)} "
        f"paired episodes of {study.difference.n} different layouts."
    ]
    if counts["differs"]:
        listed = ", ".join(f"{cell.name} ({points(cell.difference.difference)})" for cell in counts["differs"])
        out.append(f"The worlds differ for {listed}.")
    if counts["agrees"]:
        out.append(f"They agree within {100 * study.margin:g} points for {_names(counts['agrees'])}.")
    if counts["open"]:
        needs = [cell.advice.more_pairs for cell in counts["open"]]
        known = [need for need in needs if need is not None]
        more = f"about {max(known)} more pairs each would settle {'these' if len(known) == len(needs) else 'some'}"
        out.append(f"Not settled: {_names(counts['open'])}; {more if known else 'no number that could be run would'}.")
    return out


def _names(cells: list[Cell]) -> str:
    return ", ".join(cell.name for cell in cells)
