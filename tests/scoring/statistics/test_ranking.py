import numpy as np
import pytest
import statsmodels.api as sm

from touchstone.errors import UsageError
from touchstone.scoring.statistics.bradley_terry import bradley_terry
from touchstone.scoring.statistics.ranking import holm, rank_paired, rank_rates

#: GrinningFace (arXiv 2511.06619), Table 1: episodes of 30 in which the right card was touched
TABLE_1 = {
    "Baseline": (11, 30),
    "Freezing VLM": (20, 30),
    "Co-training": (26, 30),
    "Discretised": (10, 30),
    "Latent action": (24, 30),
}


def test_holm_by_hand():
    # sorted .01 .02 .03 .04 times 4 3 2 1, never falling
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))
    assert holm([]) == ()
    with pytest.raises(UsageError):
        holm([1.5])


def test_the_papers_table_1_is_ranked_as_far_as_30_trials_can():
    ranking = rank_rates(TABLE_1)
    assert ranking.policies[0].name == "Co-training"
    differing = {(pair.first, pair.second) for pair in ranking.contrasts if pair.differs}
    assert differing == {
        ("Co-training", "Baseline"),
        ("Co-training", "Discretised"),
        ("Latent action", "Baseline"),
        ("Latent action", "Discretised"),
    }
    ranks = {policy.name: policy.ranks for policy in ranking.policies}
    assert ranks["Co-training"] == ranks["Latent action"] == (1, 3)
    assert ranks["Freezing VLM"] == (1, 5)
    assert ranks["Baseline"] == ranks["Discretised"] == (3, 5)


def test_pairing_sees_what_independent_trials_hide():
    hard = np.arange(40) < 20
    better, worse = np.where(hard, 0, 1), np.where(np.arange(40) < 28, 0, 1)
    paired = rank_paired({"better": better, "worse": worse})
    assert paired.contrasts[0].differs and paired.contrasts[0].p_value == pytest.approx(2 / 2**8)
    assert not rank_rates({"better": (20, 40), "worse": (12, 40)}).contrasts[0].differs


def test_rankings_need_policies_and_trials():
    with pytest.raises(UsageError, match="two policies"):
        rank_rates({"a": (1, 2)})
    with pytest.raises(UsageError, match="no trials"):
        rank_rates({"a": (1, 2), "b": (0, 0)})


def glm_strengths(results):
    """Bradley-Terry with one phantom draw a policy, as a logistic regression of statsmodels."""
    names = list(results)
    rows, won, weight = [], [], []
    for i, one in enumerate(names):
        for j in range(i + 1, len(names)):
            for x, y in zip(results[one], results[names[j]], strict=True):
                row = np.zeros(len(names))
                row[i], row[j] = 1, -1
                rows.append(row)
                won.append(0.5 if x == y else float(x > y))
                weight.append(1.0)
        phantom = np.zeros(len(names))
        phantom[i] = 1
        rows.append(phantom)
        won.append(0.5)
        weight.append(1.0)
    fit = sm.GLM(np.array(won), np.array(rows), family=sm.families.Binomial(), freq_weights=np.array(weight)).fit(
        tol=1e-12
    )
    return dict(zip(names, fit.params - fit.params.mean(), strict=True))


def graded(rates, episodes=60):
    rng = np.random.default_rng(2)
    return {name: (rng.random(episodes) < rate).astype(int) for name, rate in rates.items()}


@pytest.mark.filterwarnings("ignore")
def test_bradley_terry_is_the_logistic_regression():
    results = graded({"a": 0.9, "b": 0.6, "c": 0.5, "d": 0.1})
    found = bradley_terry(results, rng=np.random.default_rng(0), draws=200)
    expected = glm_strengths(results)
    assert {one.name: one.strength for one in found} == pytest.approx(expected, abs=1e-5)
    assert found[0].name == "a" and found[0].ranks == (1, 1) and found[-1].ranks == (4, 4)
    assert all(one.interval.low < one.strength < one.interval.high for one in found)


def test_a_policy_that_never_loses_has_a_finite_strength_and_no_false_certainty():
    best, worst = bradley_terry({"a": [1] * 20, "b": [0] * 20}, rng=np.random.default_rng(0), draws=50)
    assert best.name == "a" and np.isfinite(best.strength) and best.interval is None
    assert worst.strength == pytest.approx(-best.strength)


def test_episodes_that_a_policy_did_not_try_do_not_count():
    results = {"a": [1, 1, None, 0], "b": [0, 1, 1, None], "c": [0, 0, 1, 1]}
    rng = np.random.default_rng(0)
    assert {one.name for one in bradley_terry(results, rng=rng, draws=50)} == set("abc")
    with pytest.raises(UsageError, match="nothing to compare"):
        bradley_terry({"a": [1, None], "b": [None, 1]}, rng=rng)
    with pytest.raises(UsageError, match="different numbers"):
        bradley_terry({"a": [1], "b": [1, 0]}, rng=rng)
