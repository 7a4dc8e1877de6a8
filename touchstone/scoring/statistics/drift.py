"""Whether success changes with time or another covariate (motor temperature, battery of pauses, operator)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_fraction, check_whole, outcomes
from touchstone.scoring.statistics.results import CONFIDENCE, Interval

DRAWS = 10_000


class Drift(Record):
    """p_value: of no relation between success and the covariate; None, with the reason, where undefined.

    n: episodes. odds_ratio: factor on the odds of success for one standard deviation of a numeric covariate more, with
    Wald's interval of a logistic regression; None for groups, and where the regression does not converge (`reason`).
    """

    p_value: float | None
    n: int
    odds_ratio: float | None = None
    interval: Interval | None = None
    reason: str | None = None


def drift(
    successes: Sequence[float],
    covariate: Sequence[float],
    *,
    rng: np.random.Generator,
    strata: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
) -> Drift:
    """Tests for a trend of success over a number (time in seconds, place in the session, temperature).

    Permutation test of the covariance of success and covariate, which is the score statistic of a logistic regression
    (two-sided; p = (1 + draws as large) / (1 + draws), Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, 39).
    strata: policy, task or both of each episode; outcomes are shuffled within a stratum only, so that policies tried at
    different times are not taken for a drift. Undefined where no shuffle changes anything.
    """
    check_fraction(confidence, "confidence")
    y, groups = _prepared(successes, len(covariate), strata, draws)
    x = np.asarray(covariate, dtype=float)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise UsageError("The covariate must be one finite number an episode.")
    centred = x.copy()
    for places in groups:
        centred[places] -= x[places].mean()
    if not any(np.ptp(y[places]) > 0 and np.ptp(x[places]) > 0 for places in groups if places.size):
        return Drift(p_value=None, n=y.size, reason="Within every stratum, all outcomes or all covariates are alike.")
    observed = abs(float(centred @ y))
    shuffled = np.zeros(draws)
    for places in groups:
        shuffled += rng.permuted(np.tile(y[places], (draws, 1)), axis=1) @ centred[places]
    p_value = _share(np.abs(shuffled), observed)
    ratio, interval, reason = _odds_ratio(y, x, groups, confidence)
    return Drift(p_value=p_value, n=y.size, odds_ratio=ratio, interval=interval, reason=reason)


def drift_between_groups(
    successes: Sequence[float],
    groups: Sequence[Hashable],
    *,
    rng: np.random.Generator,
    strata: Sequence[Hashable] | None = None,
    draws: int = DRAWS,
) -> Drift:
    """Tests whether success differs between groups (operators, days): permutation test within strata of the sum over
    groups of (successes - expected)^2 / expected trials, the expectation being the stratum's rate."""
    y, blocks = _prepared(successes, len(groups), strata, draws)
    names = list(dict.fromkeys(groups))
    member = np.array([[group == name for name in names] for group in groups], dtype=float).reshape(y.size, len(names))
    expected = np.zeros(len(names))
    for places in blocks:
        expected += member[places].sum(axis=0) * y[places].mean()
    sizes = member.sum(axis=0)
    if not any(np.ptp(y[places]) > 0 and np.ptp(member[places], axis=0).any() for places in blocks if places.size):
        return Drift(p_value=None, n=y.size, reason="Within every stratum, all outcomes or all groups are alike.")

    def statistic(counts: np.ndarray) -> np.ndarray:
        return ((counts - expected) ** 2 / sizes).sum(axis=-1)

    shuffled = np.zeros((draws, len(names)))
    for places in blocks:
        shuffled += rng.permuted(np.tile(y[places], (draws, 1)), axis=1) @ member[places]
    return Drift(p_value=_share(statistic(shuffled), float(statistic(y @ member))), n=y.size)


def _prepared(successes, length: int, strata, draws: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """The outcomes, and the places of each stratum."""
    y = outcomes(successes, "successes")
    check_whole(draws, "draws", least=1)
    labels = [0] * y.size if strata is None else list(strata)
    if length != y.size or len(labels) != y.size:
        raise UsageError(f"There are {y.size} outcomes, {length} covariates and {len(labels)} strata; give one each.")
    places: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        places.setdefault(label, []).append(index)
    return y, [np.array(each) for each in places.values()]


def _share(shuffled: np.ndarray, observed: float) -> float:
    # a shuffle that equals the observed order must count, whatever the rounding errors
    return float((1 + (shuffled >= observed * (1 - 1e-9) - 1e-12).sum()) / (1 + shuffled.size))


def _odds_ratio(y, x, groups, confidence: float) -> tuple[float | None, Interval | None, str | None]:
    import warnings

    import statsmodels.api as sm

    informative = [places for places in groups if np.ptp(y[places]) > 0]
    kept = np.concatenate(informative)
    scale = x[kept].std()
    if scale == 0:
        return None, None, "The covariate does not vary where outcomes do, so there is no odds ratio."
    design = np.zeros((kept.size, 1 + len(informative)))
    design[:, 0] = (x[kept] - x[kept].mean()) / scale
    start = 0
    for column, places in enumerate(informative, 1):
        design[start : start + places.size, column] = 1.0
        start += places.size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sm.Logit(y[kept], design).fit(disp=False, maxiter=100)
        except Exception as error:  # statsmodels raises several kinds for separated or collinear data
            return None, None, f"The logistic regression failed ({type(error).__name__}), so there is no odds ratio."
    slope, error = float(fit.params[0]), float(fit.bse[0])
    if not fit.mle_retvals["converged"] or not np.isfinite(error) or error > 100:
        return None, None, "The covariate separates successes from failures, so the odds ratio has no finite value."
    from scipy.special import ndtri

    half = float(ndtri((1 + confidence) / 2)) * error
    bounds = np.exp([slope - half, slope + half])
    interval = Interval(low=float(bounds[0]), high=float(bounds[1]), confidence=confidence, method="wald-log-odds")
    return float(np.exp(slope)), interval, None
