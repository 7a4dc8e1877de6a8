"""Whether a cell is settled, and how many more trials would settle it."""

from __future__ import annotations

from touchstone.scoring.gap.records import Advice, Finding
from touchstone.scoring.statistics.paired import PairedRates, Pairs, compare_paired
from touchstone.scoring.statistics.planning import more_trials_for_width
from touchstone.scoring.statistics.results import Interval

#: half width of the bench rate's interval that is planned for
HALF_WIDTH = 0.1
#: more pairs than this are not advised: nobody runs them
MOST_PAIRS = 2_000


def finding(interval: Interval, p_value: float, margin: float) -> Finding:
    """What a difference shows. p_value: corrected for the number of cells, so that many cells are no many chances."""
    if (interval.low > 0 or interval.high < 0) and p_value <= 1 - interval.confidence:
        return "differs"
    return "agrees" if max(-interval.low, interval.high) <= margin else "open"


def advise(difference: PairedRates, found: Finding, *, real: tuple[int, int], margin: float, cells: int) -> Advice:
    """difference: of at least one pair, and what it shows; real: (successes, trials) on the bench; cells: how many
    differences the study tests, for which p-values to come are multiplied (Bonferroni: Holm asks for no more)."""
    return Advice(
        more_pairs=0 if found != "open" else _more_pairs(difference, margin, cells),
        more_for_width=more_trials_for_width(successes=real[0], trials=real[1], half_width=HALF_WIDTH),
        half_width=HALF_WIDTH,
    )


def _more_pairs(difference: PairedRates, margin: float, cells: int) -> int | None:
    have = difference.pairs.n
    sizes, n = [], have
    while n < MOST_PAIRS:
        n += max(1, n // 50)
        sizes.append(n)
    settled = None
    for n in reversed(sizes):
        # whole numbers make the shares jump: what counts is from where on it stays settled
        grown = compare_paired(_grown(difference.pairs, n))
        if finding(grown.interval, min(1.0, cells * grown.p_value), margin) == "open":
            break
        settled = n - have
    return settled


def _grown(pairs: Pairs, n: int) -> Pairs:
    """The same shares of n pairs, in whole numbers that add up (largest remainders)."""
    counts = {name: count * n / pairs.n for name, count in pairs.model_dump().items()}
    whole = {name: int(count) for name, count in counts.items()}
    for name in sorted(counts, key=lambda name: whole[name] - counts[name])[: n - sum(whole.values())]:
        whole[name] += 1
    return Pairs(**whole)
