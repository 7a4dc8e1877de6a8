"""Compares policies on one task, while trials may still come in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from touchstone.data.labels import plain_words
from touchstone.errors import UsageError
from touchstone.scoring.comparison_advice import recommend
from touchstone.scoring.comparison_records import Duel, Policy, PolicyComparison
from touchstone.scoring.comparison_sides import Competitor, Each, oddities, read_competitors
from touchstone.scoring.gap.sides import Trial
from touchstone.scoring.rates import rate
from touchstone.scoring.statistics.bradley_terry import bradley_terry
from touchstone.scoring.statistics.checks import check_choice, check_fraction, check_whole
from touchstone.scoring.statistics.paired import compare_paired, count_pairs
from touchstone.scoring.statistics.ranking import Ranking, rank_paired
from touchstone.scoring.statistics.sequential_tests import sequential_paired
from touchstone.scoring.statistics.two_rates import Test, compare_rates

MARGIN = 0.1
ALPHA = 0.05
SEED = 0


def compare_policies(
    folders: Sequence[Path],
    *,
    margin: float = MARGIN,
    alpha: float = ALPHA,
    budget: int | None = None,
    test: Test = "boschloo",
    seed: int = SEED,
    each: Each = lambda sessions: sessions,
) -> PolicyComparison:
    """The comparison of the policies in some session folders, or folders that hold some.

    margin: a difference whose interval lies within it is none. alpha: of all tests together. budget: how many pairs can
    be run at most. test: of independent trials. seed: of the bootstrap. each: as for `read_competitors`.
    Raises UsageError and TouchstoneError, in one sentence, as `read_competitors` does, and if the policies have no
    episode in common.
    """
    check_fraction(margin, "--margin")
    check_fraction(alpha, "--alpha")
    check_choice(test, ("boschloo", "barnard"), "--test")
    if budget is not None:
        check_whole(budget, "--budget", least=1)
    competitors = read_competitors(folders, each)
    common = _in_common(competitors)
    results = {one.name: np.array([float(one.trials[key].success) for key in common]) for one in competitors}
    ranking = rank_paired(results, alpha=alpha)
    many = len(competitors) > 2
    first = competitors[0].first.summary
    return PolicyComparison(
        schema=1,
        task=first.task,
        protocol=first.protocol,
        robot=first.robot,
        rule=first.rule,
        world=first.world,
        words=plain_words(first.plant, first.path),
        margin=margin,
        alpha=alpha,
        budget=budget,
        seed=seed,
        policies=tuple(_policy(one) for one in competitors),
        pairs=tuple(competitors[0].trials[key].line.episode for key in common),
        duels=_duels(competitors, results, ranking, margin, alpha, budget, test),
        ranking=ranking if many else None,
        strengths=bradley_terry(results, rng=np.random.default_rng(seed)) if many else (),
        flags=(*oddities(competitors), *_left_out(competitors, len(common))),
    )


def _in_common(competitors: Sequence[Competitor]) -> list[str]:
    """Keys of the episodes that all ran, in the order in which their last run began, which no outcome decides."""
    keys = set.intersection(*(set(one.trials) for one in competitors))
    if not keys:
        seeds = "; ".join(f"{one.name}: seed {_seeds(one)}" for one in competitors)
        raise UsageError(f"No episode was run by all of the policies ({seeds}); run the same protocol and seed.")

    def when(key: str) -> tuple[str, int, int]:
        trials: list[Trial] = [one.trials[key] for one in competitors]
        return max(trial.line.started_at for trial in trials), trials[0].spec.seed, trials[0].spec.index

    return sorted(keys, key=when)


def _seeds(one: Competitor) -> str:
    return ", ".join(map(str, sorted({trial.spec.seed for trial in one.trials.values()})))


def _left_out(competitors: Sequence[Competitor], pairs: int) -> list[str]:
    return [
        f"{one.name}: {len(one.trials) - pairs} of {len(one.trials)} episodes were not run by all; they are in its "
        "rate and in the differences of independent trials, and in no pair."
        for one in competitors
        if len(one.trials) > pairs
    ]


def _policy(one: Competitor) -> Policy:
    verdicts = [trial.line.verdict for trial in one.trials.values()]
    executed, succeeded = sum(each.execution for each in verdicts), sum(each.success for each in verdicts)
    return Policy(
        name=one.name,
        policy=one.first.summary.policy,
        strategy=one.first.record.config.get("strategy"),
        privileged=one.first.summary.privileged,
        execution=rate(executed, len(verdicts)),
        recognition=rate(succeeded, executed),
        overall=rate(succeeded, len(verdicts)),
        sessions={str(session.record.path): session.record.head.config_hash for session in one.sessions},
    )


def _duels(
    competitors: Sequence[Competitor],
    results: dict[str, np.ndarray],
    ranking: Ranking,
    margin: float,
    alpha: float,
    budget: int | None,
    test: Test,
) -> tuple[Duel, ...]:
    corrected = {frozenset((one.first, one.second)): one.p_holm for one in ranking.contrasts}
    counts = {one.name: (sum(t.success for t in one.trials.values()), len(one.trials)) for one in competitors}
    duels = []
    for pair in combinations(results, 2):
        first, second = (results[name] for name in pair)
        # all duels are looked at together, so each gets its share of alpha (Bonferroni)
        looking = sequential_paired(first=first, second=second, alpha=alpha / len(corrected))
        duels.append(
            Duel(
                first=pair[0],
                second=pair[1],
                independent=compare_rates(a=counts[pair[0]], b=counts[pair[1]], test=test),
                paired=compare_paired(count_pairs(first, second)),
                p_holm=corrected[frozenset(pair)],
                looking=looking,
                recommendation=recommend(pair, first, second, looking, margin=margin, budget=budget),
            )
        )
    return tuple(duels)
