"""What a blind study found, once it is unblinded: rates, comparisons, and whether circumstances mattered."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np

from touchstone.facts import Record
from touchstone.scoring.blinding import key_shown, read_study, unblind
from touchstone.scoring.rates import Rate, rate
from touchstone.scoring.statistics.drift import Drift, drift, drift_between_groups
from touchstone.scoring.statistics.paired import PairedRates, compare_paired, count_pairs
from touchstone.scoring.statistics.ranking import holm


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


class BlindResults(Record):
    """drifts: covariate -> test of no relation with success, within policies. key_shown: when the key was shown to
    whoever started the policies."""

    policies: tuple[PolicyRates, ...]
    comparisons: tuple[Comparison, ...]
    drifts: dict[str, Drift]
    key_shown: tuple[str, ...]


def blind_results(path: Path, seed: int = 0) -> BlindResults:
    """Unblinds a study, if it may be, and scores its labels. Raises as `unblind` does. seed: of permutation tests."""
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
    return BlindResults(
        policies=policies,
        comparisons=tuple(
            Comparison(first=names[a], second=names[b], difference=one, p_holm=p)
            for (a, b), one, p in zip(pairs, found, corrected, strict=True)
        ),
        drifts=_drifts(study, right, np.random.default_rng(seed)),
        key_shown=key_shown(path),
    )


def _drifts(study, right: dict[str, dict[int, bool]], rng: np.random.Generator) -> dict[str, Drift]:
    turns, labels = study.plan.turns, study.labels
    successes = [float(right[turn.alias][turn.index]) for turn in turns]
    strata = [turn.alias for turn in turns]
    numbers = {
        "place in the schedule": [float(turn.number) for turn in turns],
        "motor temperature": [label.temperature for label in labels],
        "pause before": [label.pause_s for label in labels],
    }
    out = {}
    for name, values in numbers.items():
        known = [k for k, value in enumerate(values) if value is not None]
        if known:
            out[name] = drift(
                [successes[k] for k in known], [values[k] for k in known], rng=rng, strata=[strata[k] for k in known]
            )
    operators = [label.operator for label in labels]
    if len(set(operators)) > 1:
        out["operator"] = drift_between_groups(successes, operators, rng=rng, strata=strata)
    return out
