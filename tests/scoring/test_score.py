import io
import json

import pytest
from rich.console import Console

from tests.support.pick_sessions import write_pick_session
from tests.support.sessions import CONFIG, PROVENANCE, TASK, episode, plan, write_episode, write_session
from touchstone.data.journal import Session, read_session
from touchstone.errors import TouchstoneError, UsageError
from touchstone.scoring.running import RunningScore
from touchstone.scoring.score import score_session
from touchstone.scoring.summary import Summary
from touchstone.scoring.table import print_summary

ENDINGS = ["right", "wrong", "right", "never", "beside", "right"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("session"), ENDINGS)


def test_recognition_counts_only_what_was_executed(out):
    summary = score_session(out)
    assert (summary.execution.successes, summary.execution.trials) == (4, 6)
    assert (summary.recognition.successes, summary.recognition.trials) == (3, 4)
    assert (summary.overall.successes, summary.overall.trials) == (3, 6)
    assert summary.failures == {
        "acted on another object than the one asked for": 1,
        "the gripper closed, but not over a card": 1,
        "the gripper was not closed within 60 steps": 1,
    }


def test_summary_json_has_the_promised_schema(out):
    score_session(out)
    summary = json.loads((out / "summary.json").read_text())
    head = {key: summary[key] for key in ("schema", "task", "world", "plant", "path", "robot", "policy", "protocol")}
    assert head == {
        "schema": 1,
        "task": "touch-emoji",
        "world": "twin",
        "plant": "twin",
        "path": "inproc",
        "robot": "wx250s",
        "policy": "card-matcher",
        "protocol": "val",
    }
    assert (summary["seed"], summary["trials"], len(summary["config_hash"])) == (0, 6, 12)
    for name in ("execution", "recognition", "overall"):
        assert set(summary[name]) == {"successes", "trials", "rate", "ci95"}
    assert set(summary["latency_ms"]) == {"infer", "render", "step"}
    assert set(summary["latency_ms"]["infer"]) == {"p50", "p99", "n"}
    assert summary["latency_ms"]["infer"]["n"] == 6 * 12
    assert summary["rule"] == "measured" and set(summary["beside"]) == {"commanded"}
    assert set(summary["beside"]["commanded"]) == {"execution", "recognition", "overall", "agree"}
    assert summary["privileged"] is False and summary["shader"] == "minimal"
    assert Summary.model_validate(summary) == score_session(out)


def test_scoring_again_gives_the_same_bytes(out):
    score_session(out)
    first = (out / "summary.json").read_bytes()
    score_session(out)
    assert (out / "summary.json").read_bytes() == first


def test_slots_count_asked_against_chosen(out):
    slots = score_session(out).by_slot
    assert slots.names == ("card_0", "card_1", "card_2")
    assert sum(map(sum, slots.counts)) == 6
    assert sum(row[-1] for row in slots.counts) == 2
    for line in read_session(out).lines:
        asked = slots.names.index(line.spec.target)
        chosen = 3 if line.verdict.chosen is None else slots.names.index(line.verdict.chosen)
        assert slots.counts[asked][chosen] >= 1


def test_each_rule_has_its_own_scores(tmp_path):
    summary = score_session(write_pick_session(tmp_path, "rrpwn"))
    paper = summary.beside["paper"]
    assert (summary.rule, set(summary.beside), paper.agree) == ("strict", {"paper"}, 4)
    assert (summary.execution.successes, paper.execution.successes) == (3, 4)
    assert (summary.recognition.successes, summary.recognition.trials) == (2, 3)
    assert (paper.recognition.successes, paper.recognition.trials) == (3, 4)
    assert (summary.overall.successes, paper.overall.successes, paper.overall.trials) == (2, 3, 5)
    text = io.StringIO()
    print_summary(summary, Console(file=text, width=120))
    lines = [line.split() for line in text.getvalue().splitlines()]
    assert ["execution", "strict", "3", "/", "5"] in [line[:5] for line in lines]
    assert ["execution", "paper", "4", "/", "5"] in [line[:5] for line in lines]


def test_nothing_executed_leaves_recognition_null(tmp_path):
    summary = score_session(write_session(tmp_path, ["never"]))
    assert (summary.execution.rate, summary.recognition.rate, summary.recognition.ci95) == (0.0, None, None)
    assert json.loads((tmp_path / "summary.json").read_text())["recognition"]["ci95"] is None
    print_summary(summary, Console(file=io.StringIO()))


def test_a_verdict_that_the_facts_do_not_support_is_an_error(tmp_path):
    spec, other = plan(0), episode(plan(0), "never")
    with Session.open(tmp_path, CONFIG, PROVENANCE) as session:
        recorder = session.record(spec)
        for tick in episode(spec):
            recorder.tick(tick.observation, tick.facts, tick.events, tick.chunk, tick.stages_ms)
        recorder.finish(TASK.judge(spec, [tick.facts for tick in other], []))
    with pytest.raises(TouchstoneError, match="val-s0-0000: its facts give 'touched squid, as asked' but live it was"):
        score_session(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("verdict", {"execution": False, "recognition": None, "chosen": None, "step": None, "reason": "x"}, "verdict"),
        ("steps", 3, "number of steps"),
        ("events", {"intervention": 2}, "number of events"),
        ("index", 7, "index"),
        ("episode", "val-s0-0007", "name"),
    ],
)
def test_a_line_that_is_not_as_recorded_is_refused(tmp_path, field, value, said):
    write_session(tmp_path, ["right", "never"])
    lines = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    lines[1][field] = value
    (tmp_path / "episodes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UsageError, match=f"was changed after it was written: .* has another {said} in episodes.jsonl"):
        score_session(tmp_path)


def test_a_configuration_that_was_edited_is_refused(tmp_path):
    write_session(tmp_path, ["right"])
    head = json.loads((tmp_path / "session.json").read_text())
    head["config"]["policy"] = "mine"
    (tmp_path / "session.json").write_text(json.dumps(head))
    with pytest.raises(UsageError, match="does not have the hash beside it"):
        score_session(tmp_path)


def test_an_empty_or_missing_session_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="There is no session"):
        score_session(tmp_path / "none")
    Session.open(tmp_path, CONFIG, PROVENANCE).close()
    with pytest.raises(UsageError, match="no finished episode"):
        score_session(tmp_path)


def test_a_session_of_two_starts_scores_as_an_undisturbed_one(tmp_path, out):
    broken = write_session(tmp_path, ENDINGS[:2])
    with Session.open(broken, CONFIG, PROVENANCE) as session:
        session.record(plan(2)).abandon()
        for index in range(2, len(ENDINGS)):
            write_episode(session, plan(index), ENDINGS[index])
    assert score_session(broken) == score_session(out)


def test_a_privileged_policy_is_marked(tmp_path):
    out = write_session(tmp_path, ["right"], contract={"name": "expert", "needs_privileged": True})
    summary = score_session(out)
    text = io.StringIO()
    print_summary(summary, Console(file=text, width=200))
    assert summary.privileged and "privileged" in text.getvalue()


def test_the_table_shows_every_score_and_latency(out):
    text = io.StringIO()
    print_summary(score_session(out), Console(file=text, width=120))
    for word in ("Simulated: ManiSkill twin", "execution", "4 / 6", "75.0 %", "overall", "infer", "1 x the gripper"):
        assert word in text.getvalue()


def test_running_scores_count_as_the_summary_does(out):
    running = RunningScore()
    assert running.text == "exec 0/0 rec 0/0"
    for line in read_session(out).lines:
        running.add(line.verdict)
    assert running.text == "exec 4/6 rec 3/4"
