"""What a blind study found, once it is unblinded: rates, comparisons, and whether circumstances mattered.

results.json holds all of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from touchstone.data.disk import replace_whole
from touchstone.facts import Record
from touchstone.scoring.blinding import BlindStudy, key_shown, read_study, unblind
from touchstone.scoring.rates import Rate, rate
from touchstone.scoring.statistics.drift import Drift, drift, drift_between_groups
from touchstone.scoring.statistics.paired import PairedRates, compare_paired, count_pairs
from touchstone.scoring.statistics.planning import expected_width
from touchstone.scoring.statistics.ranking import holm
from touchstone.scoring.statistics.results import CONFIDENCE

RESULTS = "results.json"


class PolicyRates(Record):
    """Over the labels of one policy; recognition's trials are execution's successes."""

    policy: str
    alias: str
    execution: Rate
    recognition: Rate
    overall: Rate


class Comparison(Record):
    """first minus second over the same episodes; p_holm: corrected over all comparisons."""

    first: str
    second: str
    difference: PairedRates
    p_holm: float


class Circumstance(Record):
    """Success under a circumstance, all policies together: `up to 41`, `over 41` (its median), or an operator."""

    group: str
    success: Rate


class BlindResults(Record):
    """circumstances: covariate -> success in its groups. drifts: covariate -> test of no relation with success, within
    policies. key_shown: when the key was shown to whoever started the policies."""

    schema_: Literal[1] = Field(1, alias="schema")
    policies: tuple[PolicyRates, ...]
    comparisons: tuple[Comparison, ...]
    circumstances: dict[str, tuple[Circumstance, ...]]
    drifts: dict[str, Drift]
    key_shown: tuple[str, ...]


def blind_results(path: Path, seed: int = 0) -> BlindResults:
    """Unblinds a study, if it may be, scores its labels and writes results.json. Raises as `unblind` does.

    seed: of the permutation tests.
    """
    names = unblind(path)
    study = read_study(path)
    executed: dict[str, dict[int, bool]] = {alias: {} for alias in study.plan.aliases}
    right: dict[str, dict[int, bool]] = {alias: {} for alias in study.plan.aliases}
    for turn, label in zip(study.plan.turns, study.labels, strict=True):
        executed[turn.alias][turn.index] = label.chosen is not None
        right[turn.alias][turn.index] = label.chosen == study.spec(turn).target
    policies = tuple(
        PolicyRates(
            policy=names[alias],
            alias=alias,
            execution=rate(sum(executed[alias].values()), len(executed[alias])),
            recognition=rate(sum(right[alias].values()), sum(executed[alias].values())),
            overall=rate(sum(right[alias].values()), len(right[alias])),
        )
        for alias in sorted(study.plan.aliases, key=names.get)
    )
    pairs = list(combinations(sorted(study.plan.aliases, key=names.get), 2))
    found = [
        compare_paired(count_pairs(*([float(right[a][i]) for i in range(study.plan.asked.trials)] for a in pair)))
        for pair in pairs
    ]
    corrected = holm([one.p_value for one in found])
    covariates, strata = _covariates(study), [turn.alias for turn in study.plan.turns]
    successes = [float(right[turn.alias][turn.index]) for turn in study.plan.turns]
    results = BlindResults(
        schema=1,
        policies=policies,
        comparisons=tuple(
            Comparison(first=names[a], second=names[b], difference=one, p_holm=p)
            for (a, b), one, p in zip(pairs, found, corrected, strict=True)
        ),
        circumstances={name: _grouped(successes, values) for name, values in covariates.items()},
        drifts=_drifts(successes, covariates, strata, np.random.default_rng(seed)),
        key_shown=key_shown(path),
    )
    text = json.dumps(results.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
    replace_whole(path / RESULTS, text.encode())
    return results


def what_trials_show(trials: int, policies: int) -> str:
    """How much so many episodes of each policy can say, in one sentence, before the first trial."""
    comparisons = policies * (policies - 1) // 2
    # exact McNemar of k differences that all go one way: p = 2 / 2^k, times the comparisons (Holm's first step)
    needed = math.ceil(math.log2(2 * comparisons / (1 - CONFIDENCE)))
    apart = (
        f"two policies can be told apart if they differ in {needed} episodes or more, all one way"
        if needed <= trials
        else f"no two policies can be told apart: that takes {needed} episodes that all differ one way"
    )
    half = 50 * expected_width(rate=0.5, trials=trials)
    episodes = "1 episode" if trials == 1 else f"{trials} episodes"
    return f"With {episodes} of each policy, a rate of one half is known within {half:.0f} points, and {apart}."


def _covariates(study: BlindStudy) -> dict[str, list[float | str | None]]:
    """One value a trial, in order; None where it was not given. Left out where there is nothing to compare."""
    labels = study.labels
    every = {
        "place in the schedule": [float(turn.number) for turn in study.plan.turns],
        "motor temperature": [label.temperature for label in labels],
        "pause before": [label.pause_s for label in labels],
        "operator": [label.operator for label in labels],
    }
    known = {name: {value for value in values if value is not None} for name, values in every.items()}
    return {
        name: values for name, values in every.items() if known[name] and (name != "operator" or len(known[name]) > 1)
    }


def _grouped(successes: Sequence[float], values: Sequence[float | str | None]) -> tuple[Circumstance, ...]:
    known = [(value, success) for value, success in zip(values, successes, strict=True) if value is not None]
    if isinstance(known[0][0], str):
        names = [value for value, _ in known]
    else:
        middle = float(np.median([value for value, _ in known]))
        names = [f"up to {middle:g}" if value <= middle else f"over {middle:g}" for value, _ in known]
    tallies: dict[str, list[float]] = {}
    for name, (_, success) in sorted(zip(names, known, strict=True), key=lambda one: one[1][0]):
        tallies.setdefault(name, []).append(success)
    return tuple(Circumstance(group=name, success=rate(int(sum(each)), len(each))) for name, each in tallies.items())


def _drifts(
    successes: Sequence[float],
    covariates: dict[str, list[float | str | None]],
    strata: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, Drift]:
    out = {}
    for name, values in covariates.items():
        known = [k for k, value in enumerate(values) if value is not None]
        tested = drift_between_groups if isinstance(values[known[0]], str) else drift
        out[name] = tested(
            [successes[k] for k in known], [values[k] for k in known], rng=rng, strata=[strata[k] for k in known]
        )
    return out
