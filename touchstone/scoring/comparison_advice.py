"""Whether a comparison may stop, and how many more pairs it would take; it may be asked after every pair."""

from __future__ import annotations

import numpy as np

from touchstone.scoring.comparison_records import Recommendation
from touchstone.scoring.statistics.sequential_tests import SequentialTest, sequential_paired

#: more pairs than this are not advised: nobody runs them
MOST_PAIRS = 2_000
#: pairs of each kind (won, lost, alike) taken for seen beforehand, as by Jeffreys: a few pairs rule no kind out
UNSEEN = 0.5


def recommend(
    names: tuple[str, str],
    first: np.ndarray,
    second: np.ndarray,
    test: SequentialTest,
    *,
    margin: float,
    budget: int | None = None,
) -> Recommendation:
    """What `sequential_paired` of some pairs says should be done.

    names: of both policies. first, second: float[n] of 0 and 1, the pairs that `test` is of, at least one. margin: a
    difference that is no difference. budget: how many pairs can be run at most, None for as many as it takes.
    """
    if test.interval is None:
        because = "No single difference fits these pairs: something changed meanwhile. Find out what before going on."
        return Recommendation(finding="drifts", stop=True, more_pairs=None, because=because)
    if test.better is not None:
        better = names[0] if test.better == "first" else names[1]
        because = f"{better} is better, decided after {_pairs(test.decided_at)}: stop."
        return Recommendation(finding="better", stop=True, better=better, more_pairs=0, because=because)
    if _alike(test, margin):
        because = f"No difference above {100 * margin:g} points: stop."
        return Recommendation(finding="alike", stop=True, more_pairs=0, because=because)
    return _open(first, second, test, margin, budget)


def continued(differences: np.ndarray, n: int) -> np.ndarray:
    """float[n] of -1, 0 and 1 in about the shares of those so far, mixed evenly: always the kind most behind."""
    kinds = np.array([-1.0, 0.0, 1.0])
    counts = np.array([(differences == kind).sum() for kind in kinds]) + UNSEEN
    shares = counts / counts.sum()
    behind = np.zeros(3)
    out = np.empty(n)
    for k in range(n):
        behind += shares
        chosen = int(behind.argmax())
        behind[chosen] -= 1
        out[k] = kinds[chosen]
    return out


def _open(first, second, test: SequentialTest, margin: float, budget: int | None) -> Recommendation:
    more = _more_pairs(first, second, margin, test.alpha)
    stop = True
    if budget is not None and budget <= len(first):
        because = f"Not settled, and the budget of {_pairs(budget)} is used up: stop."
    elif budget is not None and _hopeless(first, second, margin, test.alpha, budget):
        because = f"Not settled, and the {_pairs(budget - len(first))} that are left cannot settle it: stop."
    elif more is None:
        because = f"Not settled, and {MOST_PAIRS} more pairs with shares as so far would not settle it: stop."
    else:
        stop, because = False, f"Not settled: go on; about {more} more pair{'' if more == 1 else 's'}."
    return Recommendation(finding="open", stop=stop, more_pairs=more, because=because)


def _pairs(n: int | None) -> str:
    return f"{n} pair" + ("" if n == 1 else "s")


def _alike(test: SequentialTest, margin: float) -> bool:
    return test.interval is not None and max(-test.interval.low, test.interval.high) <= margin


def _settled(first: np.ndarray, second: np.ndarray, margin: float, alpha: float) -> bool:
    test = sequential_paired(first=first, second=second, alpha=alpha)
    return test.better is not None or _alike(test, margin)


def _more_pairs(first: np.ndarray, second: np.ndarray, margin: float, alpha: float) -> int | None:
    """By bisection: what is settled stays so, for evidence and interval count over all looks."""
    ahead = continued(first - second, MOST_PAIRS)

    def enough(more: int) -> bool:
        wins, losses = (np.concatenate([one, ahead[:more] == sign]) for one, sign in ((first, 1), (second, -1)))
        return _settled(wins, losses, margin, alpha)

    if not enough(MOST_PAIRS):
        return None
    low, high = 0, MOST_PAIRS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _hopeless(first: np.ndarray, second: np.ndarray, margin: float, alpha: float, budget: int) -> bool:
    """Neither a winner of every pair that is left nor a draw in all of them would settle it."""
    test = sequential_paired(first=first, second=second, budget=budget, alpha=alpha)
    draws = np.zeros(budget - len(first))
    drawn = _settled(np.concatenate([first, draws]), np.concatenate([second, draws]), margin, alpha)
    return test.advice.stop and not drawn
