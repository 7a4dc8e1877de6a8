"""How many trials tell two policies apart: asked before the first one."""

from __future__ import annotations

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Record
from touchstone.scoring.statistics.checks import check_fraction, check_rate
from touchstone.scoring.statistics.planning import (
    Plan,
    SequentialPlan,
    pairs_needed,
    power_paired,
    trials_two_rates,
)
from touchstone.scoring.statistics.sequential_tests import paired_log_e, two_rate_log_e

#: simulated in batches, for the memory's sake
STUDIES, BATCH = 2_000, 250
#: a sequential study that is longer is not simulated: nobody runs it
LONGEST = 4_000
#: nor does anybody run more pairs than `pairs_needed` looks for
MOST_PAIRS = 2_000


class Sizes(Record):
    """rate_a, rate_b: the rates that are to be told apart. discordance: the share of episodes in which just one of the
    two succeeds. independent, paired: trials a policy and pairs with n fixed beforehand (Boschloo, McNemar).
    independent_sequential, paired_sequential: with a look after every block or pair; None where more than 4000 would be
    needed."""

    rate_a: float
    rate_b: float
    power: float
    alpha: float
    discordance: float
    independent: Plan
    paired: Plan
    independent_sequential: SequentialPlan | None
    paired_sequential: SequentialPlan | None


def sizes(
    *,
    rate: float,
    difference: float,
    power: float = 0.8,
    discordance: float | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> Sizes:
    """How many trials find, with the power, that one policy has the rate and the other the rate plus the difference.

    discordance: without it the outcomes of an episode are taken to have nothing to do with each other. seed: of the
    simulated sequential studies. Raises UsageError for what no two policies can have, and where more than 2000 pairs
    would be needed.
    """
    other = _other_rate(rate, difference)
    check_fraction(power, "--power")
    check_fraction(alpha, "--alpha")
    least, most = abs(difference), min(rate + other, 2 - rate - other)
    apart = other * (1 - rate) + rate * (1 - other)
    discordance = apart if discordance is None else discordance
    if not least - 1e-9 <= discordance <= most + 1e-9:
        raise UsageError(
            f"--paired-discordance is {discordance:g}; with rates of {rate:g} and {other:g} it must lie between "
            f"{least:g} and {most:g}."
        )
    only_first, only_second = max(0.0, (discordance + difference) / 2), max(0.0, (discordance - difference) / 2)
    if power_paired(pairs=MOST_PAIRS, only_first=only_first, only_second=only_second, alpha=alpha) < power:
        raise UsageError(
            f"More than {MOST_PAIRS} pairs would be needed to find a difference of {100 * difference:g} points; ask "
            "for a larger one."
        )
    return Sizes(
        rate_a=other,
        rate_b=rate,
        power=power,
        alpha=alpha,
        discordance=discordance,
        independent=trials_two_rates(rate_a=other, rate_b=rate, power=power, alpha=alpha),
        paired=pairs_needed(only_first=only_first, only_second=only_second, power=power, alpha=alpha),
        independent_sequential=_sequential(_independent(other, rate), two_rate_log_e, power, alpha, seed),
        paired_sequential=_sequential(_paired(only_first, only_second), paired_log_e, power, alpha, seed),
    )


def told(found: Sizes) -> list[str]:
    """The answer in lines for people."""
    asked = f"with a chance of {100 * found.power:g} %, alpha {found.alpha:g}"
    lines = [f"To tell {found.rate_a:g} from {found.rate_b:g} {asked}:"]
    kinds = (
        ("independent trials, of each policy", found.independent, found.independent_sequential),
        (f"pairs, {100 * found.discordance:g} % of them discordant", found.paired, found.paired_sequential),
    )
    for what, fixed, looking in kinds:
        lines.append(f"  {what}:")
        rough = "" if fixed.method == "exact" else ", by the normal approximation"
        lines.append(f"    {fixed.trials} if that number is fixed and nobody looks before{rough}")
        lines.append(
            f"    more than {LONGEST} if the study may stop at any time"
            if looking is None
            else f"    {looking.budget} at most if the study may stop at any time; half of all studies stop by "
            f"{looking.median_looks:g}"
        )
    return lines


def _other_rate(rate: float, difference: float) -> float:
    check_rate(rate, "--rate")
    # 0.7 and not 0.7000000000000001
    other = round(rate + difference, 12)
    if difference == 0:
        raise UsageError("--difference is 0; no number of trials tells equal policies apart.")
    if not 0 <= other <= 1:
        raise UsageError(f"--rate {rate:g} and --difference {difference:g} make {other:g}, which is no rate.")
    return other


def _independent(rate_a: float, rate_b: float):
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        return (rng.random(shape) < rate_a).astype(float), (rng.random(shape) < rate_b).astype(float)

    return draw


def _paired(only_first: float, only_second: float):
    """Only episodes in which the two differ bear on the test, so those in which both succeed may be left at 0."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        place = rng.random(shape)
        return (place < only_first).astype(float), (place >= 1 - only_second).astype(float)

    return draw


def _sequential(draw, log_e, power: float, alpha: float, seed: int) -> SequentialPlan | None:
    """The smallest budget that decides in the share `power` of simulated studies, and what these cost."""
    horizon = 250
    while horizon <= LONGEST:
        rng = np.random.default_rng(seed)
        crossed = [log_e(*draw(rng, (BATCH, horizon))) >= -np.log(alpha) for _ in range(STUDIES // BATCH)]
        first = [np.where(each.any(axis=1), each.argmax(axis=1) + 1, horizon + 1) for each in crossed]
        decided = np.concatenate(first)
        budget = int(np.quantile(decided, power, method="inverted_cdf"))
        if budget <= horizon:
            looks = np.minimum(decided, budget)
            return SequentialPlan(
                budget=budget,
                power=float((decided <= budget).mean()),
                median_looks=float(np.median(looks)),
                mean_looks=float(looks.mean()),
                studies=STUDIES,
            )
        horizon *= 2
    return None
