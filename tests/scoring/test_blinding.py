import json
from collections import Counter

import pytest

from touchstone.cli.plan import Plan as Command
from touchstone.errors import TouchstoneError, UsageError
from touchstone.scoring.blinding import LABELS, SEALED, Asked, give_label, make_plan, read_study, unblind
from touchstone.scoring.blinding_results import RESULTS, BlindResults, blind_results, what_trials_show
from touchstone.scoring.statistics.paired import Pairs, compare_paired

ASKED = Asked(task="touch-emoji", robot="wx250s", protocol="val", seed=0, trials=6)
POLICIES = ("good", "bad", "ugly")


@pytest.fixture
def path(tmp_path):
    make_plan(tmp_path / "blind", ASKED, POLICIES, entropy=7)
    return tmp_path / "blind"


def label_all(path, right=lambda policy, turn: True, hidden=None):
    """Gives every missing label; `right` decides by the policy, which only this test can know before unblinding."""
    names = hidden or aliases(path)
    while (turn := read_study(path).next_turn) is not None:
        spec = read_study(path).spec(turn)
        chosen = spec.target if right(names[turn.alias], turn) else None
        give_label(
            path,
            turn.number,
            chosen,
            operator=f"operator {turn.number % 2}",
            temperature=30.0 + turn.number,
            at=f"2030-01-01T10:{turn.number:02d}:00+00:00",
        )


def aliases(path):
    import base64
    import zlib

    whole = (path / SEALED).read_bytes()
    return json.loads(zlib.decompress(base64.decodebytes(whole.split(b"\n", 1)[1])))["aliases"]


def test_the_schedule_is_balanced_in_blocks(path):
    turns = read_study(path).plan.turns
    assert [turn.number for turn in turns] == list(range(1, 19))
    assert Counter((turn.alias, turn.index) for turn in turns) == {(a, i): 1 for a in "ABC" for i in range(6)}
    for start in range(0, 18, 3):
        assert len({turn.index for turn in turns[start : start + 3]}) == 1
        assert {turn.alias for turn in turns[start : start + 3]} == set("ABC")
    assert len({tuple(turn.alias for turn in turns[start : start + 3]) for start in range(0, 18, 3)}) > 1


def test_nothing_that_can_be_read_names_a_policy(path):
    for file in path.iterdir():
        assert not any(policy.encode() in file.read_bytes() for policy in POLICIES)


def test_fresh_schedules_differ_and_so_do_their_aliases(tmp_path):
    drawn = [make_plan(tmp_path / str(k), ASKED, POLICIES) for k in range(12)]
    assert len({plan.turns for plan in drawn}) == 12
    assert len({aliases(tmp_path / str(k))["A"] for k in range(12)}) > 1


def test_the_seal_stays_shut_until_every_label_is_given(path):
    with pytest.raises(UsageError, match="18 of 18 trials"):
        unblind(path)
    label_all(path)
    assert sorted(unblind(path).values()) == sorted(POLICIES)
    assert unblind(path) == aliases(path)


def test_labels_latch(path):
    give_label(path, 1, None, operator="x")
    with pytest.raises(UsageError, match="stay as they were given"):
        give_label(path, 1, "card_0", operator="x")
    with pytest.raises(UsageError, match=r"Trial 2 .* comes next"):
        give_label(path, 3, None, operator="x")
    label_all(path)
    unblind(path)
    with pytest.raises(UsageError, match="is unblinded"):
        give_label(path, 19, None, operator="x")


@pytest.mark.parametrize(("number", "opened"), [(0, False), (16, False), (17, True)])
def test_a_label_that_was_changed_later_is_found(path, number, opened):
    label_all(path)
    if opened:
        # nothing follows the last line that could hold its digest, until the study is unblinded
        unblind(path)
    rows = (path / LABELS).read_text().splitlines()
    rows[number] = json.dumps({**json.loads(rows[number]), "chosen": None, "note": "changed"})
    (path / LABELS).write_text("\n".join(rows) + "\n")
    with pytest.raises(TouchstoneError, match="was changed"):
        unblind(path)


def test_a_dropped_label_and_another_plan_are_found(path):
    label_all(path)
    rows = (path / LABELS).read_text().splitlines()
    (path / LABELS).write_text("\n".join(rows[:3] + rows[4:]) + "\n")
    with pytest.raises(TouchstoneError, match="line 4"):
        read_study(path)
    (path / LABELS).write_text("\n".join(rows) + "\n")
    plan = path / "plan.json"
    plan.write_text(plan.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(TouchstoneError, match="line 1"):
        read_study(path)


def test_another_seal_is_refused(path, tmp_path):
    label_all(path)
    make_plan(tmp_path / "other", ASKED, POLICIES, entropy=8)
    (path / SEALED).write_bytes((tmp_path / "other" / SEALED).read_bytes())
    with pytest.raises(UsageError, match="not the file that was sealed"):
        unblind(path)


def test_results_are_paired_by_episode_and_come_back_under_their_names(path):
    label_all(path, right=lambda policy, turn: policy == "good" or (policy == "bad" and turn.index < 2))
    found = blind_results(path)
    overall = {one.policy: (one.overall.successes, one.overall.trials) for one in found.policies}
    assert overall == {"good": (6, 6), "bad": (2, 6), "ugly": (0, 6)}
    one = next(each for each in found.comparisons if {each.first, each.second} == {"good", "bad"})
    assert abs(one.difference.difference) == pytest.approx(4 / 6) and one.difference.pairs.both == 2
    assert one.difference.p_value <= one.p_holm
    assert set(found.drifts) == {"place in the schedule", "motor temperature", "pause before", "operator"}
    assert found.circumstances.keys() == found.drifts.keys()
    for name, groups in found.circumstances.items():
        # nobody labelled before the first trial
        trials = 17 if name == "pause before" else 18
        assert sum(group.success.trials for group in groups) == trials
    assert [group.group for group in found.circumstances["motor temperature"]] == ["up to 39.5", "over 39.5"]
    assert [group.group for group in found.circumstances["operator"]] == ["operator 0", "operator 1"]
    assert BlindResults.model_validate_json((path / RESULTS).read_text()) == found


def test_that_the_key_was_shown_stays_known(path, capsys):
    Command("key", path).run()
    out = capsys.readouterr().out
    assert all(f"{alias} = {policy}" in out for alias, policy in aliases(path).items())
    label_all(path)
    assert len(blind_results(path).key_shown) == 1


def test_a_study_that_tires_shows_a_drift(tmp_path):
    path = tmp_path / "long"
    make_plan(path, ASKED.model_copy(update={"trials": 14}), ("a", "b"), entropy=1)
    label_all(path, right=lambda policy, turn: turn.number <= 14)
    found = blind_results(path)
    assert [(one.success.successes, one.success.trials) for one in found.circumstances["place in the schedule"]] == [
        (14, 14),
        (0, 14),
    ]
    drifts = found.drifts
    assert drifts["place in the schedule"].p_value < 0.01 and drifts["motor temperature"].p_value < 0.01


@pytest.mark.parametrize(
    ("policies", "trials", "said"),
    [(("one",), 3, "2 to 26"), (("one", "one"), 3, "name each once"), (("one", "two"), 0, "--trials is 0")],
)
def test_what_cannot_be_planned(tmp_path, policies, trials, said):
    with pytest.raises(UsageError, match=said):
        make_plan(tmp_path, ASKED.model_copy(update={"trials": trials}), policies)


@pytest.mark.parametrize(("policies", "needed"), [(2, 6), (3, 7), (8, 11)])
def test_a_plan_says_what_its_trials_can_show(policies, needed):
    assert f"differ in {needed} episodes or more" in what_trials_show(20, policies)
    assert f"that takes {needed} episodes" in what_trials_show(needed - 1, policies)
    comparisons = policies * (policies - 1) // 2
    p_values = [
        compare_paired(Pairs(both=0, only_first=k, only_second=0, neither=20 - k)).p_value for k in (needed, needed - 1)
    ]
    assert p_values[0] * comparisons <= 0.05 < p_values[1] * comparisons


def test_a_plan_of_a_newer_version_is_refused(path):
    plan = path / "plan.json"
    plan.write_text(plan.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(UsageError, match=r"has schema 2 .* update Touchstone"):
        read_study(path)


def test_a_plan_is_not_drawn_again(path):
    with pytest.raises(UsageError, match="holds a plan already"):
        make_plan(path, ASKED, POLICIES)


def test_the_commands_lead_through_a_study(tmp_path, capsys):
    folder = tmp_path / "cli"
    Command("make", folder, policies=("octo", "pi0"), trials=1).run()
    Command("next", folder).run()
    out = capsys.readouterr().out
    assert "Trial 1 of 2: policy " in out and "card_2" in out and "octo" not in out and "pi0" not in out
    with pytest.raises(UsageError, match="There is no 'card_9'"):
        Command("label", folder, trial=1, chosen="card_9", operator="x").run()
    with pytest.raises(UsageError, match="--operator"):
        Command("label", folder, trial=1, chosen="none").run()
    Command("label", folder, trial=1, chosen="card_0", operator="x").run()
    Command("label", folder, trial=2, chosen="none", operator="x").run()
    Command("unblind", folder).run()
    out = capsys.readouterr().out
    assert "= octo: " in out and "= pi0: " in out and "minus" in out
    assert "success and place in the schedule: " in out and "no two policies" not in out
