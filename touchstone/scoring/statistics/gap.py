"""Where a gap between simulation and reality arises: stage by stage, and group by group."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from math import factorial

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_fraction, same_length
from touchstone.scoring.statistics.ranking import holm
from touchstone.scoring.statistics.results import CONFIDENCE, Interval
from touchstone.scoring.statistics.stages import StageRate, conditional_rates
from touchstone.scoring.statistics.two_rates import Test, TwoRates, compare_rates

DRAWS = 4_000


class StageGap(Record):
    """One stage: its conditional rate in both worlds, each with its own n, and the test of their difference (real minus
    sim; interval and test are for unpaired trials, and err on the safe side for pairs that resemble each other).

    p_holm: its p-value corrected over the stages, None where a world never came to the stage.
    contribution: how much of the overall gap it explains (all stages' add up to it), with its bootstrap interval, which
    is None where no resample differs.
    """

    sim: StageRate
    real: StageRate
    difference: TwoRates
    p_holm: float | None
    contribution: float
    interval: Interval | None


class GapByStage(Record):
    """gap: overall real minus sim success. blamed: of the stages whose rates differ significantly (p_value corrected by
    Holm over the stages), the one with the largest contribution in the gap's direction; None if there is none, and
    `because` says so."""

    gap: float
    stages: tuple[StageGap, ...]
    paired: bool
    blamed: str | None
    because: str


class GroupGap(Record):
    """One task, card position or other group: sim and real (successes, trials), compared."""

    group: str
    comparison: TwoRates


def gap_by_stage(
    *,
    sim: Sequence[int],
    real: Sequence[int],
    stages: Sequence[str],
    paired: bool,
    rng: np.random.Generator,
    test: Test = "boschloo",
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
) -> GapByStage:
    """Splits the overall gap among stages that follow each other.

    sim, real: for each episode, how many of `stages` it passed, in order (0..len(stages)). Overall success is the
    product of the conditional rates; each stage's contribution is the Shapley value of exchanging its rate from sim's
    to real's (Das Gupta 1993, Standardization and Decomposition of Rates; Shapley 1953), so the order of exchange does
    not matter and they add up exactly. A stage that was never tried in one world is taken not to differ there: nothing
    shows that it does. Intervals: percentile bootstrap over episodes, both worlds' together if paired.
    """
    check_fraction(confidence, "confidence")
    names = list(stages)
    counts = [_passed(values, name, len(names)) for values, name in ((sim, "sim"), (real, "real"))]
    if paired:
        same_length(sim, real, "sim and real")
    rates = [
        conditional_rates(
            {name: int((each > k).sum()) for k, name in enumerate(names)}, trials=each.size, confidence=confidence
        )
        for each in counts
    ]
    reached = [_reached(_histogram(each, len(names))[None]) for each in counts]
    contributions = _shapley(*reached)[0]
    gap = float(reached[1][0, -1] - reached[0][0, -1])
    spread = _resampled(*counts, len(names), paired, rng, draws)
    tail = (1 - confidence) / 2
    bounds = np.quantile(spread, [tail, 1 - tail], axis=0)
    differences = [
        compare_rates(a=(r.successes, r.trials), b=(s.successes, s.trials), test=test, confidence=confidence)
        for s, r in zip(*rates, strict=True)
    ]
    tested = [k for k, each in enumerate(differences) if each.p_value is not None]
    p_holm = dict(zip(tested, holm([differences[k].p_value for k in tested]), strict=True))
    found = []
    for k, difference in enumerate(differences):
        low, high = (float(bound) for bound in bounds[:, k])
        interval = Interval(low=low, high=high, confidence=confidence, method="bootstrap-episodes")
        found.append(
            StageGap(
                sim=rates[0][k],
                real=rates[1][k],
                difference=difference,
                p_holm=p_holm.get(k),
                contribution=float(contributions[k]),
                interval=interval if high - low > 1e-12 else None,
            )
        )
    blamed, because = _blame(found, gap, 1 - confidence)
    return GapByStage(gap=gap, stages=tuple(found), paired=paired, blamed=blamed, because=because)


def gap_by_group(
    *,
    sim: Sequence[tuple[Hashable, float]],
    real: Sequence[tuple[Hashable, float]],
    test: Test = "boschloo",
    confidence: float = CONFIDENCE,
) -> tuple[GroupGap, ...]:
    """Real minus sim success in each group (task, card position), from (group, 0 or 1) of each episode, sorted by name.

    The p-values are not corrected for the number of groups; `holm` does that.
    """
    groups = sorted({str(group) for group, _ in (*sim, *real)})
    return tuple(
        GroupGap(
            group=group,
            comparison=compare_rates(a=_tally(real, group), b=_tally(sim, group), test=test, confidence=confidence),
        )
        for group in groups
    )


def _tally(episodes: Sequence[tuple[Hashable, float]], group: str) -> tuple[int, int]:
    values = [value for name, value in episodes if str(name) == group]
    if any(value not in (0, 1) for value in values):
        raise UsageError(f"An outcome of the group {group!r} is neither 0 nor 1.")
    return int(sum(values)), len(values)


def _passed(values: Sequence[int], name: str, stages: int) -> np.ndarray:
    array = np.asarray(values)
    if stages == 0:
        raise UsageError("There are no stages; name at least one.")
    if array.size == 0:
        raise UsageError(f"{name} has no episodes, so there is no gap to explain.")
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer) or array.min() < 0 or array.max() > stages:
        raise UsageError(f"{name} must say for each episode how many of the {stages} stages it passed, 0 to {stages}.")
    return array


def _histogram(passed: np.ndarray, stages: int) -> np.ndarray:
    return np.bincount(passed, minlength=stages + 1)


def _reached(histograms: np.ndarray) -> np.ndarray:
    """float[draw, stage + 1]: share of episodes that passed at least so many stages, from counts by number passed."""
    tail = np.cumsum(histograms[:, ::-1], axis=1)[:, ::-1]
    return tail / tail[:, :1]


def _shapley(sim: np.ndarray, real: np.ndarray) -> np.ndarray:
    """float[draw, stage] contributions from the shares that `_reached` gives."""
    s, r = (
        np.divide(x[:, 1:], x[:, :-1], out=np.full(x[:, 1:].shape, np.nan), where=x[:, :-1] > 0) for x in (sim, real)
    )
    s, r = np.where(np.isnan(s), r, s), np.where(np.isnan(r), s, r)
    # never tried in either world: it cannot matter
    s, r = np.nan_to_num(s), np.nan_to_num(r)
    stages = s.shape[1]
    contributions = np.zeros(s.shape)
    for k in range(stages):
        others = [i for i in range(stages) if i != k]
        for size in range(stages):
            weight = factorial(size) * factorial(stages - size - 1) / factorial(stages)
            for changed in combinations(others, size):
                rest = np.prod([r[:, i] if i in changed else s[:, i] for i in others], axis=0)
                contributions[:, k] += weight * rest * (r[:, k] - s[:, k])
    return contributions


def _resampled(sim, real, stages: int, paired: bool, rng: np.random.Generator, draws: int) -> np.ndarray:
    """float[draw, stage]: the contributions of resampled episodes."""
    size = stages + 1
    if paired:
        joint = np.bincount(sim * size + real, minlength=size * size)
        drawn = rng.multinomial(sim.size, joint / sim.size, size=draws).reshape(draws, size, size)
        return _shapley(_reached(drawn.sum(axis=2)), _reached(drawn.sum(axis=1)))
    one, other = (rng.multinomial(x.size, _histogram(x, stages) / x.size, size=draws) for x in (sim, real))
    return _shapley(_reached(one), _reached(other))


def _blame(stages: list[StageGap], gap: float, alpha: float) -> tuple[str | None, str]:
    if gap == 0:
        return None, "There is no overall gap to explain."
    same = [s for s in stages if s.contribution * gap > 0 and s.p_holm is not None and s.p_holm <= alpha]
    if not same:
        return None, "No stage that widens the gap differs significantly between the worlds; more trials are needed."
    worst = max(same, key=lambda stage: abs(stage.contribution))
    share = abs(worst.contribution / gap)
    return worst.sim.name, f"{worst.sim.name} explains {worst.contribution:+.3f} of {gap:+.3f} ({100 * share:.0f} %)."
