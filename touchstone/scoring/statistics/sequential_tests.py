"""Tests of two success rates that stay valid however often one looks and whenever one stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from touchstone.facts import Record
from touchstone.scoring.statistics.betting import betting_mean
from touchstone.scoring.statistics.checks import check_fraction, check_whole, outcomes, same_length
from touchstone.scoring.statistics.confidence_sequences import Advice
from touchstone.scoring.statistics.results import Interval

#: Beta(0.18, 0.18) prior of both rates: the value Turner, Ly and Gruenwald found best for blocks of one and one
PRIOR_TWO_RATES = 0.18
#: Jeffreys' prior of the share of discordant pairs that the first wins
PRIOR_PAIRED = 0.5

Side = Literal["first", "second"]


class SequentialTest(Record):
    """e_value: the evidence against equal rates now; p_value: 1 / the largest e_value so far, valid at every stop.

    looks: blocks (one trial each) or pairs so far. decided_at: the look at which the evidence first reached 1 / alpha,
    None if it did not; better: who led then. interval: first minus second, holding at all times at once; None without
    looks or if no single difference fits. path: the e-value after each look.
    """

    looks: int
    e_value: float
    p_value: float
    alpha: float
    decided_at: int | None
    better: Side | None
    interval: Interval | None
    path: tuple[float, ...]
    advice: Advice


def sequential_two_rates(
    *, first: Sequence[float], second: Sequence[float], budget: int | None = None, alpha: float = 0.05
) -> SequentialTest:
    """Tests equal rates of two *independent* streams of 0 and 1, the k-th of both being block k.

    Turner, Ly and Gruenwald 2024 (J. Stat. Plan. Inference 230, 106116): each block multiplies the evidence by
    P(x; f) P(y; g) / (P(x; h) P(y; h)), with f and g the posterior means of the blocks before it and h = (f + g) / 2.
    If the rates are equal it exceeds 1 / alpha at any time with probability at most alpha (Ville). A stream that is
    ahead waits for the other. Interval: betting on the blocks' differences (`betting_mean`).
    budget: blocks planned; the advice then says when it cannot be decided any more.
    """
    one, two = outcomes(first, "first"), outcomes(second, "second")
    check_fraction(alpha, "alpha")
    n = min(one.size, two.size)
    one, two = one[:n], two[:n]
    return _result(one, two, two_rate_log_e, budget, alpha, "blocks")


def sequential_paired(
    *, first: Sequence[float], second: Sequence[float], budget: int | None = None, alpha: float = 0.05
) -> SequentialTest:
    """Tests whether two policies win equally often where they differ, over paired episodes of 0 and 1: McNemar's test
    as a process.

    With w and l the pairs that only the first or only the second solved, the evidence is the mixture of likelihood
    ratios 2^(w + l) B(1/2 + w, 1/2 + l) / B(1/2, 1/2) (Robbins 1970; Shafer 2021, J. R. Stat. Soc. A 184, 407).
    The two outcomes of a pair may depend on each other. Interval: betting on the pairs' differences (`betting_mean`).
    """
    same_length(first, second, "first and second")
    one, two = outcomes(first, "first"), outcomes(second, "second")
    check_fraction(alpha, "alpha")
    return _result(one, two, paired_log_e, budget, alpha, "pairs")


def two_rate_log_e(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Natural logarithm of the e-process of `sequential_two_rates` after each block; arrays [study, n] of 0 and 1."""
    f, g = _predictions(first), _predictions(second)
    h = (f + g) / 2
    steps = _log_likelihood(first, f) + _log_likelihood(second, g)
    steps -= _log_likelihood(first, h) + _log_likelihood(second, h)
    return np.cumsum(steps, axis=1)


def paired_log_e(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Natural logarithm of the e-process of `sequential_paired` after each pair; arrays [study, n] of 0 and 1."""
    from scipy.special import betaln

    wins, losses = np.cumsum(first > second, axis=1), np.cumsum(first < second, axis=1)
    mixture = betaln(PRIOR_PAIRED + wins, PRIOR_PAIRED + losses) - betaln(PRIOR_PAIRED, PRIOR_PAIRED)
    return mixture + (wins + losses) * np.log(2)


def _predictions(stream: np.ndarray) -> np.ndarray:
    """The posterior mean before each block."""
    before = np.cumsum(stream, axis=1) - stream
    return (PRIOR_TWO_RATES + before) / (2 * PRIOR_TWO_RATES + np.arange(stream.shape[1]))


def _log_likelihood(stream: np.ndarray, rate: np.ndarray) -> np.ndarray:
    return np.where(stream > 0.5, np.log(rate), np.log1p(-rate))


def _result(one, two, log_e, budget: int | None, alpha: float, unit: str) -> SequentialTest:
    n = one.size
    path = log_e(one[None], two[None])[0] if n else np.zeros(0)
    crossed = np.flatnonzero(path >= -np.log(alpha))
    decided_at = int(crossed[0]) + 1 if crossed.size else None
    better: Side | None = None
    if decided_at is not None:
        lead = one[:decided_at].sum() - two[:decided_at].sum()
        better = "first" if lead > 0 else "second"
    # beyond e^700 a float overflows, and JSON has no infinity
    evidence = tuple(float(e) for e in np.exp(np.minimum(path, 700.0)))
    return SequentialTest(
        looks=n,
        e_value=evidence[-1] if n else 1.0,
        p_value=float(min(1.0, np.exp(-path.max()))) if n else 1.0,
        alpha=alpha,
        decided_at=decided_at,
        better=better,
        interval=betting_mean(one - two, bounds=(-1.0, 1.0), anytime=True, confidence=1 - alpha).interval,
        path=evidence,
        advice=_advice(one, two, log_e, decided_at, better, budget, alpha, unit),
    )


def _advice(one, two, log_e, decided_at, better, budget: int | None, alpha: float, unit: str) -> Advice:
    if decided_at is not None:
        return Advice(stop=True, because=f"The {better} is better, decided after {decided_at} {unit}.")
    if budget is None:
        return Advice(stop=False, because=f"Undecided after {one.size} {unit}.")
    check_whole(budget, "budget", least=1)
    left = budget - one.size
    if left <= 0:
        return Advice(stop=True, because=f"The budget of {budget} {unit} is used up, and it is undecided.")
    ones, zeros = np.ones(left), np.zeros(left)
    best = max(
        log_e(np.concatenate([one, x])[None], np.concatenate([two, y])[None])[0].max()
        for x, y in ((ones, zeros), (zeros, ones))
    )
    if best < -np.log(alpha):
        because = f"Even if one side won all of the {left} {unit} that are left, it would stay undecided."
        return Advice(stop=True, because=because)
    return Advice(stop=False, because=f"Undecided after {one.size} {unit}; {left} are left.")
