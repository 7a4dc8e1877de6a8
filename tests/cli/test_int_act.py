"""`touchstone eval int-act` as a user types it: its mistakes, and a whole run in a world that tells stories."""

import json
import sys

import pytest

from tests.scoring.int_act.story_world import opener
from touchstone import cli
from touchstone.cli import int_act
from touchstone.tasks.int_act.suite import suite
from touchstone.tasks.int_act.wordings import paraphrased


def run(capsys, monkeypatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["touchstone", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    printed = capsys.readouterr()
    return exit_.value.code, printed.out, printed.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tasks", "widowx_carot_on_plate"], "near it are: widowx_carrot_on_plate"),
        (["--tasks", "robot_*"], "No task of INT-ACT matches 'robot_*'"),
        (["--tasks", ""], "No task of INT-ACT matches ''"),
        (["--tasks", "family:animals"], "INT-ACT has no family 'animals'; it has: original"),
        (["--tasks", "family:original", "widowx_nothing"], "widowx_nothing"),
        (["--episodes", "0"], "--episodes is 0; a task has episodes 0 to 23"),
        (["--episodes", "25"], "--episodes is 25"),
        (["--seeds", "42,x"], "--seeds has 'x'; give whole numbers"),
        (["--seeds", "42,"], "--seeds has ''"),
        (["--seeds", "1.5"], "--seeds has '1.5'"),
        (["--seeds", "7", "42", "7"], "--seeds names 7 twice"),
        (["--robot", "rm75"], "INT-ACT is defined for the arm wx250s alone; use --robot wx250s"),
        (["--trials", "3"], "--trials does not go with the suite; use --episodes"),
        (["--seed", "3"], "--seed does not go with the suite; use --seeds"),
        (["--protocol", "val"], "--protocol does not go with the suite"),
        (["--record", "x"], "--record does not go with the suite"),
        (["--arm-start", "fixed"], "INT-ACT fixes how the arm starts"),
        (["--gate", "observe"], "The gate guards benches with cards"),
        (["--operator", "A. Person"], "An operator stands beside a bench"),
        (["--world", "twin-ros"], "twin-ros runs one task at a time"),
        (["--world", "mars"], "Unknown world 'mars'"),
        (["--policy", "gpt"], "Unknown policy 'gpt'"),
        (["--workers", "0"], "--workers is 0"),
        (["--envs", "0"], "--envs is 0"),
        (["--camera", "webcam"], "Unknown camera preset 'webcam'"),
        (["--out", "/proc/touchstone"], "/proc/touchstone"),
        (["--wording", "paraphrase-9", "--tasks", "family:original"], "has no wording 'paraphrase-9'; it has: suite"),
        (
            ["--wording", "paraphrase-1", "--tasks", "*_neg"],
            "has no wording 'paraphrase-1'; it has: suite; paraphrases",
        ),
        (["--wording", "paraphrase-x"], "has no wording 'paraphrase-x'; it has: suite, paraphrase-1"),
        (["--paraphrases", "--wording", "suite"], "leave --wording out"),
        (
            ["--paraphrases", "--tasks", "widowx_*_lang_neg"],
            "there for --tasks family:original family:object_diversity.",
        ),
        (["--overlay", "bench.png"], "--overlay is a photograph of one scene, and these tasks are in two"),
        (["--instruction", " "], "--instruction is empty"),
        (["--instruction", "lift the {label}"], "leaves open label; only {source} and {target}"),
        (["--instruction", "lift it", "--wording", "suite"], "leave --wording out"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_starts(capsys, monkeypatch, tmp_path, options, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(int_act, "hands_for", lambda *_: pytest.fail("a world was opened"))
    code, _, told = run(capsys, monkeypatch, "eval", "int-act", "--policy", "hold", *options)
    assert code == 2 and says in told, told
    assert told.startswith("touchstone: ") and told.count("\n") == 1
    assert not list(tmp_path.rglob("suite.json")) and not list(tmp_path.rglob("session.json"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["eval", "int-act"], "Say which policy the suite is run with"),
        (["eval", "int-act:widowx_nothing", "--policy", "hold"], "INT-ACT has no task 'widowx_nothing'"),
        (["eval", "touch-emoji", "--tasks", "family:original"], "--tasks is an option of the suite"),
        (["eval", "touch-emoji", "--episodes", "3"], "--episodes is an option of the suite"),
        (["eval", "int-act:widowx_stack_cube", "--paraphrases"], "--paraphrases is an option of the suite"),
        (["collect", "int-act", "--out", "demos", "--expert"], "INT-ACT is a suite"),
    ],
)
def test_what_is_for_a_suite_and_what_for_a_task(capsys, monkeypatch, tmp_path, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, _, told = run(capsys, monkeypatch, *arguments)
    assert code == 2 and says in told and told.count("\n") == 1, told


def test_tasks_and_seeds_are_what_was_typed():
    assert len(int_act.chosen_tasks(())) == 50 and len(int_act.chosen_tasks(("*",))) == 51
    chosen = int_act.chosen_tasks(("widowx_stack_cube,family:original", "*_wheel_*"))
    assert chosen[:4] == tuple(task.id for task in suite().select("family:original")) and len(chosen) == 7
    assert int_act.parse_seeds(()) == (42, 7, 314)
    assert int_act.parse_seeds(("42", "7")) == int_act.parse_seeds(("42,7",)) == (42, 7)


@pytest.fixture
def in_a_story(monkeypatch):
    """Worlds tell stories: even episodes succeed, odd ones are only grasped."""
    worlds = []
    open_hands = opener(lambda spec: "grasped" if spec.index % 2 else "strict", opened=worlds)
    monkeypatch.setattr(int_act, "hands_for", lambda first, *_: open_hands(first))
    return worlds


def test_a_run_ends_with_scores_report_and_tables_and_again_starts_nothing(capsys, monkeypatch, tmp_path, in_a_story):
    out = tmp_path / "suite"
    command = ["eval", "int-act", "--policy", "hold", "--tasks", "family:original", "--episodes", "2", "--seeds", "1"]
    command += ["--no-pictures", "--out", str(out)]
    code, printed, told = run(capsys, monkeypatch, *command)
    assert code == 0, told
    summary = (out / "summary.json").read_bytes()
    scores = json.loads(summary)
    assert scores["tasks"]["widowx_stack_cube"]["grasp"]["rate"] == 1.0
    assert scores["families"]["original"]["means"]["success"]["value"] == 0.5
    assert "all tasks" in printed and "4/50" in printed and "Not run: 46 of 50 tasks" in printed
    for name in ("report.html", "tasks.csv", "groups.csv", "tables.tex"):
        assert (out / name).stat().st_size > 200 and name in printed
    assert [camera for camera, _ in in_a_story] == ["bridge-table", "bridge-sink"]
    code, printed, _ = run(capsys, monkeypatch, *command)
    assert code == 0 and "All 8 episodes are in" in printed and len(in_a_story) == 2
    assert (out / "summary.json").read_bytes() == summary


@pytest.mark.parametrize("command", ["score", "report"])
def test_a_suite_is_scored_and_reported_again_from_its_journals(capsys, monkeypatch, tmp_path, in_a_story, command):
    out = tmp_path / "suite"
    run(capsys, monkeypatch, "eval", "int-act", "--policy", "hold", "--tasks", "widowx_stack_cube", "--episodes", "1",
        "--seeds", "1", "--no-pictures", "--out", str(out))  # fmt: skip
    name = "summary.json" if command == "score" else "report.html"
    before = (out / name).read_bytes()
    (out / name).unlink()
    code, _, told = run(capsys, monkeypatch, command, str(out))
    assert code == 0, told
    assert (out / name).read_bytes() == before


def test_without_tasks_paraphrases_are_of_all_that_have_some(capsys, monkeypatch, tmp_path, in_a_story):
    code, _, told = run(
        capsys, monkeypatch, "eval", "int-act", "--policy", "hold", "--paraphrases", "--episodes", "1",
        "--seeds", "3", "--no-pictures", "--out", str(tmp_path / "words"))  # fmt: skip
    assert code == 0, told
    language = json.loads((tmp_path / "words" / "summary.json").read_text())["language"]
    assert set(language["tasks"]) == set(paraphrased())
    assert language["words"] == ["suite", "paraphrase-1", "paraphrase-2", "paraphrase-3"]


def test_one_task_of_the_suite_is_a_plain_session_told_in_the_suites_words(capsys, monkeypatch, tmp_path, in_a_story):
    from touchstone.cli import evaluate

    monkeypatch.setattr(evaluate, "hands_for", lambda first, *_: opener(lambda spec: "grasped")(first))
    out = tmp_path / "one"
    command = ["eval", "int-act:widowx_stack_cube", "--policy", "hold", "--trials", "2", "--no-pictures"]
    code, printed, told = run(capsys, monkeypatch, *command, "--out", str(out))
    assert code == 0, told
    assert "2 x grasped, not placed" in printed and "seeds 0" in printed
    page = (out / "report.html").read_text()
    assert "hold on INT-ACT: intention 100.0" in page and "Asked and chosen" not in page
    assert "Not run" not in printed
    assert json.loads((out / "summary.json").read_text())["beside"]["strict"]["overall"]["successes"] == 0
    assert not (out / "suite.json").exists() and not (out / "tasks.csv").exists()
    for command in ("score", "report"):
        code, _, told = run(capsys, monkeypatch, command, str(out))
        assert code == 0, told
