"""Bradley-Terry strengths of policies that tried the same episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_fraction
from touchstone.scoring.statistics.results import CONFIDENCE, Interval

DRAWS = 2_000
#: each policy draws once against a phantom of strength 1, so that one that never lost still has a finite strength
PRIOR_GAMES = 1.0
_STEPS, _TOLERANCE = 2_000, 1e-9


class Strength(Record):
    """strength: log odds against an average policy, with the bootstrap's interval; None where it is undefined.

    ranks: the range of the policy's rank (1 is best; ties share the best) over the central share of the resamples.
    """

    name: str
    strength: float
    interval: Interval | None
    ranks: tuple[int, int]


def bradley_terry(
    results: Mapping[str, Sequence[float | None]],
    *,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
) -> tuple[Strength, ...]:
    """Strengths by Bradley and Terry (1952, Biometrika 39, 324), the strongest first.

    results: policy -> its result in each episode (any number, more is better; None where it did not try), all sequences
    over the same episodes. In an episode the better result wins; equal results are half a win for each, as usual for
    Elo. P(i beats j) = 1 / (1 + exp(s_j - s_i)), the s summing to 0, fitted by Hunter's MM (2004, Ann. Stat. 32, 384)
    with one phantom draw a policy; intervals by resampling whole episodes.
    """
    check_fraction(confidence, "confidence")
    names = list(results)
    if len(names) < 2:
        raise UsageError(f"A ranking needs two policies or more, not {len(names)}.")
    if len({len(each) for each in results.values()}) != 1:
        raise UsageError("The policies have different numbers of episodes; give None where one did not try.")
    values = np.array([[np.nan if v is None else float(v) for v in results[name]] for name in names])
    wins = _wins_by_episode(values)
    episodes = wins.shape[0]
    if not wins.any():
        raise UsageError("No episode was tried by two policies, so there is nothing to compare.")
    strengths = _fit(wins.sum(axis=0)[None])[0]
    weights = rng.multinomial(episodes, np.full(episodes, 1 / episodes), size=draws)
    resampled = _fit(np.einsum("de,eij->dij", weights.astype(float), wins))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    ranks = 1 + (resampled[:, None, :] > resampled[:, :, None] + 1e-6).sum(axis=2)
    bounds = np.quantile(resampled, tails, axis=0)
    spread = np.quantile(ranks, tails, axis=0, method="nearest")
    found = []
    for i in np.argsort(-strengths, kind="stable"):
        interval = None
        if bounds[1, i] - bounds[0, i] > 1e-9:
            low, high = (float(bound) for bound in bounds[:, i])
            interval = Interval(low=low, high=high, confidence=confidence, method="bootstrap-episodes")
        place = (int(spread[0, i]), int(spread[1, i]))
        found.append(Strength(name=names[i], strength=float(strengths[i]), interval=interval, ranks=place))
    return tuple(found)


def _wins_by_episode(values: np.ndarray) -> np.ndarray:
    """float[episode, i, j]: 1 where i beat j, 0.5 where they were equal, 0 where they lost or did not meet."""
    one, other = values.T[:, :, None], values.T[:, None, :]
    wins = np.where(one > other, 1.0, np.where(one == other, 0.5, 0.0))
    wins[:, np.arange(len(values)), np.arange(len(values))] = 0.0
    return wins


def _fit(wins: np.ndarray) -> np.ndarray:
    """Centred log strengths float[draw, policy] of win counts float[draw, i, j]."""
    games = wins + wins.transpose(0, 2, 1)
    won = wins.sum(axis=2) + PRIOR_GAMES / 2
    strength = np.ones(won.shape)
    for _ in range(_STEPS):
        rivals = (games / (strength[:, :, None] + strength[:, None, :])).sum(axis=2)
        new = won / (rivals + PRIOR_GAMES / (strength + 1))
        change = np.abs(np.log(new / strength)).max()
        strength = new
        if change < _TOLERANCE:
            break
    logs = np.log(strength)
    return logs - logs.mean(axis=1, keepdims=True)
