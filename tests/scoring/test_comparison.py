import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.gap.studies import SHADOW, write_side
from tests.support.pick_sessions import write_pick_session
from touchstone.errors import TouchstoneError, UsageError
from touchstone.scoring.comparison import compare_policies
from touchstone.scoring.comparison_advice import continued, recommend
from touchstone.scoring.comparison_size import Sizes, sizes, told
from touchstone.scoring.statistics.bradley_terry import bradley_terry
from touchstone.scoring.statistics.paired import compare_paired, count_pairs
from touchstone.scoring.statistics.planning import pairs_needed, power_paired, sequential_plan, trials_two_rates
from touchstone.scoring.statistics.ranking import rank_paired
from touchstone.scoring.statistics.sequential_tests import sequential_paired
from touchstone.scoring.statistics.two_rates import compare_rates

GOOD, FAIR, POOR = "rrrrrrrrrrwr", "rrrrrnrrwnnr", "nnnnnnrnnnnn"


def ran_at(session: Path, minutes: list[int]) -> None:
    """Says when each episode began, in minutes past an hour."""
    path = session / "episodes.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["started_at"] = f"2030-01-01T10:{minutes[line['index']]:02d}:00.000+00:00"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def solved(endings: str) -> list[float]:
    return [float(ending == "r") for ending in endings]


@pytest.fixture
def runs(tmp_path):
    return write_side(tmp_path / "runs", "twin", {"good": GOOD, "fair": FAIR, "poor": POOR})


def refused(*folders, error=UsageError, **asked):
    with pytest.raises(error) as caught:
        compare_policies(folders, **asked)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


def test_two_policies_are_compared_by_the_statistics_package(runs):
    found = compare_policies([runs / "good", runs / "fair"])
    first, second = solved(GOOD), solved(FAIR)
    (duel,) = found.duels
    assert (duel.first, duel.second) == ("good", "fair")
    assert duel.independent == compare_rates(a=(11, 12), b=(8, 12))
    assert duel.paired == compare_paired(count_pairs(first, second))
    assert duel.p_holm == duel.paired.p_value
    assert duel.looking == sequential_paired(first=first, second=second)
    assert found.ranking is None and found.strengths == () and found.flags == ()
    assert [one.overall.text() for one in found.policies] == [
        "11/12 = 91.7 % (64.6 to 98.5)",
        "8/12 = 66.7 % (39.1 to 86.2)",
    ]
    assert (found.policies[1].execution.successes, found.policies[1].recognition.trials) == (9, 9)
    assert compare_policies([runs / "fair", runs / "good"]).duels[0].paired.difference == -duel.paired.difference


def test_barnard_where_asked_for(runs):
    (duel,) = compare_policies([runs / "good", runs / "poor"], test="barnard").duels
    assert duel.independent == compare_rates(a=(11, 12), b=(1, 12), test="barnard")


def test_many_policies_are_corrected_ranked_and_repeat(runs):
    found = compare_policies([runs])
    results = {"fair": solved(FAIR), "good": solved(GOOD), "poor": solved(POOR)}
    assert [one.name for one in found.policies] == list(results)
    assert found.ranking == rank_paired(results)
    assert found.strengths == bradley_terry(results, rng=np.random.default_rng(0))
    for duel in found.duels:
        pair = [results[duel.first], results[duel.second]]
        assert duel.looking == sequential_paired(first=pair[0], second=pair[1], alpha=0.05 / 3)
        (contrast,) = [c for c in found.ranking.contrasts if {c.first, c.second} == {duel.first, duel.second}]
        assert duel.p_holm == contrast.p_holm
    assert compare_policies([runs]).to_json() == found.to_json()


def test_pairs_come_in_the_order_in_which_they_were_run(tmp_path):
    for name, endings, minutes in (("a", "rrnn", [1, 2, 3, 4]), ("b", "nrrn", [9, 5, 7, 0])):
        write_side(tmp_path, "twin", {name: endings})
        ran_at(tmp_path / name, minutes)
    found = compare_policies([tmp_path / "a", tmp_path / "b"])
    assert found.pairs == ("val-s0-0003", "val-s0-0001", "val-s0-0002", "val-s0-0000")
    expected = sequential_paired(first=[0.0, 1.0, 0.0, 1.0], second=[0.0, 1.0, 1.0, 0.0])
    assert found.duels[0].looking.path == expected.path


def test_a_session_that_is_still_running_is_compared_so_far(tmp_path):
    write_side(tmp_path, "twin", {"a": GOOD})
    write_pick_session(
        tmp_path / "b", "nnnnn", {"policy": "b"}, trials=12, contract={"name": "b", "needs_privileged": False}
    )
    found = compare_policies([tmp_path / "a", tmp_path / "b"])
    assert len(found.pairs) == 5 and found.duels[0].looking.looks == 5
    assert found.flags[0] == f"{tmp_path / 'b'} has 5 of 12 episodes so far."
    assert found.flags[1].startswith("a: 7 of 12 episodes were not run by all")
    assert found.duels[0].independent.a == (11, 12)


def test_seeds_of_one_policy_are_taken_together(tmp_path):
    for policy in ("a", "b"):
        for seed in (0, 1):
            contract = {"name": policy, "needs_privileged": False}
            settings = {"policy": policy, "seed": seed}
            write_pick_session(tmp_path / policy / f"s{seed}", "rrn", settings, contract=contract)
    found = compare_policies([tmp_path / "a", tmp_path / "b"])
    assert [one.overall.trials for one in found.policies] == [6, 6] and len(found.pairs) == 6
    assert len(found.policies[0].sessions) == 2


def test_names_tell_policies_apart_that_call_themselves_alike(tmp_path):
    contract = {"name": "act", "needs_privileged": False}
    for folder, policy in (("old", "tcp://127.0.0.1:1"), ("new", "tcp://127.0.0.1:1"), ("other", "tcp://127.0.0.1:2")):
        write_pick_session(tmp_path / folder, "rn", {"policy": policy}, contract=contract)
    names = [one.name for one in compare_policies([tmp_path / "old", tmp_path / "new"]).policies]
    assert names == ["act (old)", "act (new)"]
    names = [one.name for one in compare_policies([tmp_path / "old", tmp_path / "other"]).policies]
    assert names == ["act (tcp://127.0.0.1:1)", "act (tcp://127.0.0.1:2)"]


def test_strategies_may_differ_and_are_flagged(tmp_path):
    write_side(tmp_path, "twin", {"a": "rr"})
    write_side(tmp_path, "twin", {"b": "rn"}, strategy="sync")
    found = compare_policies([tmp_path / "a", tmp_path / "b"])
    assert found.policies[1].strategy == "sync" and any("strategies" in flag for flag in found.flags)


def test_what_cannot_be_compared_is_refused(tmp_path, runs):
    assert "is given twice" in refused(runs / "good", runs / "good")
    assert "is given twice" in refused(runs / "good", runs)
    assert "good alone is in" in refused(runs / "good")
    assert "none was given" in refused()
    elsewhere = write_side(tmp_path / "seed1", "twin", {"fair": "rr"}, seed=1)
    assert "No episode was run by all of the policies (good: seed 0; fair: seed 1)" in refused(runs / "good", elsewhere)
    shadow = write_side(tmp_path / "shadow", SHADOW, {"fair": "rr"})
    assert "worlds by `touchstone gap`" in refused(runs / "good", shadow)
    wording = write_side(tmp_path / "code", "twin", {"fair": "rr"}, wording="code")
    assert "differ in wording, so more than the policy differs" in refused(runs / "good", wording)
    assert "There is no folder" in refused(runs / "good", tmp_path / "nowhere")
    for asked in ({"margin": 0}, {"margin": 1.5}, {"alpha": 0}, {"budget": 0}, {"test": "fisher"}):
        assert f"--{next(iter(asked))} is" in refused(runs / "good", runs / "fair", **asked)


def test_another_task_is_refused(tmp_path, runs):
    touch = tmp_path / "touch"
    write_pick_session(touch, "rr", {"policy": "fair"})
    head = json.loads((touch / "session.json").read_text())
    head["config"]["task"] = "touch-emoji"
    (touch / "session.json").write_text(json.dumps(head))
    text = refused(runs / "good", touch)
    assert "is pick-emoji val wx250s and" in text and "is touch-emoji val wx250s;" in text


def test_a_copy_of_a_session_is_refused(tmp_path, runs):
    import shutil

    shutil.copytree(runs / "good", tmp_path / "copy")
    assert "one is a copy of the other" in refused(runs / "good", tmp_path / "copy")


def test_an_edited_verdict_is_refused_as_in_a_gap_study(runs):
    path = runs / "poor/episodes.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["verdict"].update(execution=True, recognition=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "val-s0-0000" in refused(runs / "good", runs / "poor", error=TouchstoneError)


def asked(first: str, second: str, margin: float = 0.1, budget: int | None = None, alpha: float = 0.05):
    one, two = (np.array([float(letter == "1") for letter in text]) for text in (first, second))
    test = sequential_paired(first=one, second=two, alpha=alpha)
    return recommend(("A", "B"), one, two, test, margin=margin, budget=budget), test


def test_a_better_policy_stops_the_study():
    found, test = asked("1" * 12, "0" * 12)
    # seven wins of seven: 2^7 B(7.5, 0.5) / B(0.5, 0.5) = 26.8, six give 14.4
    assert test.decided_at == 7 and (found.finding, found.better, found.stop) == ("better", "A", True)
    assert found.because == "A is better, decided after 7 pairs: stop."
    assert asked("0" * 12, "1" * 12)[0].better == "B"


def test_policies_that_never_differ_stop_within_the_margin():
    found, test = asked("10" * 100, "10" * 100)
    assert max(-test.interval.low, test.interval.high) <= 0.1
    assert (found.finding, found.stop, found.more_pairs) == ("alike", True, 0)
    assert found.because == "No difference above 10 points: stop."


def test_more_pairs_are_the_fewest_that_settle_it():
    for first, second in (("1" * 4, "0" * 4), ("1" * 20, "1" * 20)):
        found, _ = asked(first, second)
        assert not found.stop and found.because == f"Not settled: go on; about {found.more_pairs} more pairs."
        so_far = np.array([float(a) - float(b) for a, b in zip(first, second, strict=True)])

        def then(more, so_far=so_far, first=first, second=second):
            ahead = continued(so_far, more)
            one, two = ("".join("1" if d == sign else "0" for d in ahead) for sign in (1, -1))
            return asked(first + one, second + two)[0].finding

        assert then(found.more_pairs) != "open" and then(found.more_pairs - 1) == "open"


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=30), st.integers(1, 300))
def test_pairs_to_come_have_the_shares_so_far(differences, n):
    ahead = continued(np.array(differences), n)
    for kind in (-1.0, 0.0, 1.0):
        share = (differences.count(kind) + 0.5) / (len(differences) + 1.5)
        assert abs((ahead == kind).sum() - n * share) <= 1.5


def test_a_budget_that_cannot_settle_it_stops_the_study():
    assert "the budget of 20 pairs is used up" in asked("1" * 20, "1" * 20, budget=20)[0].because
    found, _ = asked("1" * 20, "1" * 20, budget=22)
    assert found.stop and "the 2 pairs that are left cannot settle it" in found.because
    assert not asked("1" * 20, "1" * 20, budget=100)[0].stop


def test_a_difference_that_changes_is_said_to_drift():
    found, test = asked("1" * 60 + "0" * 200, "0" * 60 + "1" * 200)
    assert test.interval is None and (found.finding, found.stop) == ("drifts", True)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["11", "10", "01", "00"]), min_size=1, max_size=40), st.sampled_from([0.05, 0.1, 0.3]))
def test_a_recommendation_is_whole_and_has_no_side(pairs, margin):
    one, two = "".join(pair[0] for pair in pairs), "".join(pair[1] for pair in pairs)
    found, _ = asked(one, two, margin)
    mirrored, _ = asked(two, one, margin)
    assert (found.finding, found.stop, found.finding == "better") == (
        mirrored.finding,
        mirrored.stop,
        bool(found.better),
    )
    assert found.because.endswith((".", ": stop."))
    assert found.stop == (found.finding != "open" or found.more_pairs is None)


@pytest.fixture(scope="module")
def size() -> Sizes:
    return sizes(rate=0.3, difference=0.4, seed=1)


def test_sizes_with_n_fixed_are_those_of_planning(size):
    assert size.independent == trials_two_rates(rate_a=0.7, rate_b=0.3)
    assert size.discordance == pytest.approx(0.7 * 0.7 + 0.3 * 0.3)
    assert size.paired == pairs_needed(only_first=0.49, only_second=0.09)
    less = sizes(rate=0.7, difference=-0.4, seed=1)
    assert (less.independent.trials, less.paired.trials) == (size.independent.trials, size.paired.trials)


@pytest.mark.parametrize("paired", [False, True])
def test_sequential_sizes_agree_with_simulated_plans(size, paired):
    mine = size.paired_sequential if paired else size.independent_sequential
    other = sequential_plan(
        rate_a=0.7, rate_b=0.3, budget=mine.budget, rng=np.random.default_rng(9), paired=paired, studies=4000
    )
    # 4000 and 2000 studies: a share of 0.8 has a standard error of 0.011
    assert mine.power >= 0.8 and other.power == pytest.approx(0.8, abs=0.045)
    assert mine.mean_looks == pytest.approx(other.mean_looks, rel=0.06)


def test_fewer_discordant_pairs_need_fewer_trials():
    most, few = sizes(rate=0.5, difference=0.2), sizes(rate=0.5, difference=0.2, discordance=0.2)
    assert few.paired.trials < most.paired.trials
    assert few.paired_sequential.budget < most.paired_sequential.budget
    assert power_paired(pairs=few.paired.trials, only_first=0.2, only_second=0.0) >= 0.8
    assert few.independent == most.independent
    assert any(f"    {few.paired.trials} if that number is fixed" in line for line in told(few))


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ({"rate": 1.2, "difference": 0.1}, "--rate is 1.2; it must lie between 0 and 1."),
        ({"rate": -0.2, "difference": 0.1}, "--rate is -0.2"),
        ({"rate": 0.9, "difference": 0.2}, "make 1.1, which is no rate"),
        ({"rate": 0.5, "difference": 0.0}, "--difference is 0"),
        ({"rate": 0.5, "difference": 0.2, "power": 1.0}, "--power is 1.0"),
        ({"rate": 0.5, "difference": 0.2, "alpha": 0.0}, "--alpha is 0.0"),
        ({"rate": 0.5, "difference": 0.2, "discordance": 0.1}, "must lie between 0.2 and 0.8"),
        ({"rate": 0.5, "difference": 0.01}, "More than 2000 pairs would be needed"),
    ],
)
def test_impossible_sizes_are_refused(ask, says):
    with pytest.raises(UsageError) as caught:
        sizes(**ask)
    assert says in str(caught.value)
