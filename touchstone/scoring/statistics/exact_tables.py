"""Boschloo's p-value of every 2 x 2 table of two sample sizes at once, for planning."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from touchstone.errors import UsageError
from touchstone.scoring.statistics.checks import check_whole

#: beyond this many trials a policy the enumeration takes seconds and hundreds of MiB
LARGEST_ARM = 150
#: common rates over which the p-value is maximised; halving the grid's step changes no power in the third decimal
_GRID = np.arange(1, 200) / 200


@lru_cache(maxsize=8)
def boschloo_p_values(trials_a: int, trials_b: int) -> np.ndarray:
    """float[trials_a + 1, trials_b + 1], read-only: the two-sided p-value of [k_a, k_b] successes, as SciPy defines it.

    Fisher's one-sided p-value is the statistic; its distribution is maximised over a grid of common rates; two-sided is
    twice the smaller side, at most 1. Compare two observed rates with `compare_rates`; this serves whole power tables.
    """
    from scipy.stats import binom, hypergeom

    for name, trials in (("trials_a", trials_a), ("trials_b", trials_b)):
        check_whole(trials, name, least=1)
        if trials > LARGEST_ARM:
            raise UsageError(f"{name} is {trials}; exact power is computed up to {LARGEST_ARM} trials a policy.")
    a, b = np.meshgrid(np.arange(trials_a + 1), np.arange(trials_b + 1), indexing="ij")
    total = trials_a + trials_b
    fisher = {
        "greater": hypergeom.sf(a - 1, total, a + b, trials_a),
        "less": hypergeom.cdf(a, total, a + b, trials_a),
    }
    chance_a = binom.pmf(np.arange(trials_a + 1)[:, None], trials_a, _GRID)
    chance_b = binom.pmf(np.arange(trials_b + 1)[:, None], trials_b, _GRID)
    chance = (chance_a[:, None, :] * chance_b[None, :, :]).reshape(-1, _GRID.size)
    p = np.minimum(1.0, 2 * np.minimum(*(_largest_tail(statistic, chance) for statistic in fisher.values())))
    p = p.reshape(a.shape)
    p.setflags(write=False)
    return p


def _largest_tail(statistic: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """For every table, the largest over the grid of the probability of a statistic as small as its own."""
    # equal statistics that differ by rounding errors count as equal
    keys = np.round(statistic.ravel(), 12)
    order = np.argsort(keys, kind="stable")
    tails = np.cumsum(chance[order], axis=0).max(axis=1)
    last = np.searchsorted(keys[order], keys, side="right") - 1
    return tails[last]
