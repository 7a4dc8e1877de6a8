"""`touchstone compare` and `touchstone plan size` as a user types them."""

import json
import sys

import pytest

from tests.scoring.gap.studies import write_side
from touchstone import cli
from touchstone.scoring.comparison_records import PolicyComparison


@pytest.fixture
def touchstone(capsys, monkeypatch, tmp_path):
    write_side(tmp_path / "runs", "twin", {"good": "r" * 12, "fair": "rrrrnnwwrrrr", "poor": "n" * 12})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["touchstone", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        printed = capsys.readouterr()
        return exit_.value.code, printed.out, printed.err

    return run


def test_two_policies_and_the_file(touchstone, tmp_path):
    code, out, _ = touchstone("compare", "runs/good", "runs/poor", "--json", "new/good-poor.json")
    assert code == 0
    for says in (
        "100.0 % (75.8 to 100.0)",
        "as independent trials  +100.0 (",
        "Newcombe), p < 0.001 (Boschloo)",
        "Tango), p < 0.001 (McNemar); 12 won, 0 lost, 0 alike",
        "p = 0.002, evidence 660 (20 decides)",
        "good is better, decided after 7 pairs: stop.",
        "new/good-poor.json",
    ):
        assert says in out, out
    assert "strength" not in out
    text = (tmp_path / "new/good-poor.json").read_text()
    found = PolicyComparison.model_validate_json(text)
    assert found.to_json() == text and json.loads(text)["schema"] == 1
    assert found.duels[0].looking.decided_at == 7


def test_many_policies_are_ranked(touchstone):
    code, out, _ = touchstone("compare", "runs")
    assert code == 0
    assert out.count("minus") == 3 and out.count("by Holm") >= 2
    assert "ranks left (Holm)" in out and "Bradley-Terry strength" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare"], "needs two policies or more, and none was given"),
        (["compare", "runs/good"], "needs two policies or more, and good alone is in runs/good"),
        (["compare", "runs/good", "runs/good"], "The session runs/good is given twice"),
        (["compare", "runs/good", "nowhere"], "There is no folder nowhere"),
        (["compare", "runs/good", "runs/fair", "--margin", "2"], "--margin is 2.0"),
        (["compare", "runs/good", "runs/fair", "--budget", "0"], "--budget is 0"),
        (["compare", "runs/good", "runs/fair", "--json", "runs"], "Cannot write runs"),
        (["plan", "size"], "Say what is to be found"),
        (["plan", "size", "--rate", "1.5", "--difference", "0.1"], "--rate is 1.5; it must lie between 0 and 1."),
        (["plan", "size", "--rate", "0.9", "--difference", "0.2"], "which is no rate"),
        (["plan", "size", "runs/blind", "--rate", "0.5", "--difference", "0.2"], "leave runs/blind out"),
        (["plan", "next"], "Say which study: touchstone plan next DIR."),
    ],
)
def test_one_sentence_and_exit_code_2(touchstone, arguments, says):
    code, _, text = touchstone(*arguments)
    assert code == 2 and says in text, text
    assert text.startswith("touchstone: ") and text.count("\n") == 1


def test_size_before_the_first_trial(touchstone):
    code, out, _ = touchstone(
        "plan", "size", "--rate", "0.3", "--difference", "0.4", "--paired-discordance", "0.5", "--seed", "1"
    )
    assert code == 0
    assert out.startswith(
        "To tell 0.7 from 0.3 with a chance of 80 %, alpha 0.05:\n  independent trials, of each policy:"
    )
    assert "pairs, 50 % of them discordant" in out and out.count("half of all studies stop by") == 2
