import dataclasses
import io
import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.support.pick_sessions import PICK_CONFIG, TASK, pick_facts, write_pick_session
from tests.support.sessions import PROVENANCE, write_session
from touchstone.cli.table import Table
from touchstone.data.journal import Session
from touchstone.errors import TouchstoneError, UsageError
from touchstone.robots.wx250s import ARM
from touchstone.scoring.many import find_sessions, seed_table, spread
from touchstone.scoring.published import GRINNINGFACE_TABLE_3
from touchstone.scoring.score import score_session
from touchstone.scoring.seed_table import markdown, print_seed_table, write_seed_table

#: (protocol, seed) -> endings; s: strict execution, recognition; p: the paper's
RUNS = {("val", 0): "rrwn", ("val", 1): "rppn", ("train", 0): "rrrr", ("hard", 0): "nnnn"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    for (protocol, seed), endings in RUNS.items():
        write_pick_session(root / f"{protocol}-{seed}", endings, {"protocol": protocol, "seed": seed})
    return root


@pytest.fixture(scope="module")
def table(root):
    return seed_table([root])


def printed(table, width=160):
    text = io.StringIO()
    print_seed_table(table, Console(file=text, width=width))
    return text.getvalue()


def rows(text, first):
    return [line.split() for line in text.splitlines() if line.split()[:1] == [first]]


@pytest.mark.parametrize(
    ("ending", "strict", "paper"),
    [("r", (True, True), (True, True)), ("w", (True, False), (True, False)), ("n", (False, None), (False, None))]
    + [("p", (False, None), (True, True))],
)
def test_the_hand_made_episodes_end_as_they_say(ending, strict, paper):
    spec = TASK.plan("val", 0, 0, ARM)
    verdict = TASK.judge(spec, pick_facts(spec, ending), [])
    assert (verdict.execution, verdict.recognition) == strict
    assert (verdict.beside["paper"].execution, verdict.beside["paper"].recognition) == paper


def test_every_rule_has_a_block_with_its_own_counts(table):
    strict, paper = table.blocks
    assert [(block.rule, block.decides) for block in table.blocks] == [("strict", True), ("paper", False)]
    assert [column.protocol for column in strict.columns] == ["train", "val", "hard"]
    counts = {
        block.rule: [
            (cell.seed, cell.execution.successes, cell.recognition.successes, cell.recognition.trials)
            for cell in block.columns[1].cells
        ]
        for block in table.blocks
    }
    assert counts == {"strict": [(0, 3, 2, 3), (1, 1, 1, 1)], "paper": [(0, 3, 2, 3), (1, 3, 3, 3)]}
    assert strict.published is None and paper.published == GRINNINGFACE_TABLE_3


def test_mean_and_sample_deviation_are_over_seeds(table):
    val = table.blocks[0].columns[1].spread
    assert (val["execution"].mean, val["execution"].seeds) == (0.5, 2)
    assert val["execution"].std == pytest.approx(0.353553, abs=1e-6)
    assert val["recognition"].mean == pytest.approx(5 / 6, abs=1e-6)
    one = table.blocks[0].columns[0].spread["execution"]
    assert (one.mean, one.std) == (1.0, None)


def test_what_was_never_executed_has_no_recognition(table):
    hard = table.blocks[0].columns[2]
    assert hard.cells[0].recognition.rate is None and hard.spread["recognition"].mean is None
    text = printed(table)
    assert rows(text, "0")[0] == ["0", "100.0/100.0", "75.0/66.7", "0.0/-"]
    assert "Seeds without an execution have no recognition" in text


def test_the_printed_rows_are_seeds_then_mean_then_std_beside_the_published(table):
    text = printed(table)
    assert rows(text, "1")[0] == ["1", "-", "25.0/100.0", "-"]
    assert rows(text, "mean")[0] == ["mean", "100.0/100.0", "50.0/83.3", "0.0/-"]
    assert rows(text, "std")[0] == ["std", "-", "35.4/23.6", "-"]
    assert "sample standard deviation" in text
    strict, paper = text.split("rule paper")[:2]
    assert "94/81" not in strict and "published" not in strict
    assert "published" in paper and rows(text, "0")[1][-4:] == ["s1", "94/81", "91/64", "92/47"]
    assert "does not say whether sample or population" in paper


def test_a_narrow_terminal_loses_no_number(table):
    def figures(text):
        return sorted(word for word in text.split() if "/" in word)

    assert figures(printed(table, width=60)) == figures(printed(table, width=200))


def test_the_table_is_computed_from_the_journals_alone(root, table, tmp_path):
    out = write_pick_session(tmp_path / "one", "rn")
    summary = score_session(out).model_dump(mode="json", by_alias=True)
    summary["execution"] = {"successes": 2, "trials": 2, "rate": 1.0, "ci95": [0.3, 1.0]}
    (out / "summary.json").write_text(json.dumps(summary))
    assert seed_table([out]).blocks[0].columns[0].cells[0].execution.successes == 1
    lines = (out / "episodes.jsonl").read_text().splitlines()
    first, last = map(json.loads, lines)
    last["verdict"] = first["verdict"]
    (out / "episodes.jsonl").write_text(f"{lines[0]}\n{json.dumps(last)}\n")
    with pytest.raises(UsageError, match="val-s0-0001 has another verdict"):
        seed_table([out])
    (out / "episodes.jsonl").write_text("\n".join(lines) + "\n")
    (out / "episodes" / "val-s0-0001.mcap").unlink()
    with pytest.raises(TouchstoneError, match=r"In .*one: Episode val-s0-0001 has lost its file"):
        seed_table([out])


def test_sessions_are_found_one_level_down_and_once(root):
    inside = sorted(path for path in root.iterdir())
    assert find_sessions([root]) == inside
    assert find_sessions([root, inside[0], root / "." / "val-0"]) == inside
    assert find_sessions([inside[2], inside[0]]) == [inside[2], inside[0]]


def test_nothing_to_tabulate_is_refused_in_one_sentence(root, tmp_path):
    with pytest.raises(UsageError, match="There is no session in"):
        seed_table([tmp_path])
    with pytest.raises(UsageError, match="There is no session in"):
        seed_table([root.parent / root.name, tmp_path])
    with pytest.raises(UsageError, match="There is no folder"):
        seed_table([tmp_path / "none"])
    with pytest.raises(UsageError, match="No folder was given"):
        seed_table([])
    deep = write_pick_session(tmp_path / "a" / "b", "r")
    with pytest.raises(UsageError, match="directly inside"):
        seed_table([tmp_path])
    assert seed_table([deep.parent]).blocks
    Session.open(tmp_path / "empty", PICK_CONFIG, PROVENANCE).close()
    with pytest.raises(UsageError, match="no finished episode"):
        seed_table([tmp_path])


def test_the_same_seed_twice_is_refused(root, tmp_path):
    again = write_pick_session(tmp_path / "again", "rn")
    with pytest.raises(UsageError, match=r"val-0 and .*again are seed 0 of val for expert on pick-emoji"):
        seed_table([root, again])
    other = write_pick_session(tmp_path / "other", "rn", {"policy": "hold"})
    assert [block.policy for block in seed_table([root, other]).blocks] == ["expert"] * 2 + ["hold"] * 2


@pytest.mark.parametrize("protocol", ["val", "train"])
@pytest.mark.parametrize("key", ["wording", "arm_start", "camera"])
def test_sessions_of_other_settings_do_not_share_a_table(tmp_path, key, protocol):
    write_pick_session(tmp_path / "a", "r", {key: "one", "seed": 0})
    write_pick_session(tmp_path / "b", "r", {key: "other", "seed": 1, "protocol": protocol})
    with pytest.raises(UsageError, match=f"differ in {key}"):
        seed_table([tmp_path])


def test_the_lists_may_differ_between_protocols_and_not_between_seeds(tmp_path):
    write_pick_session(tmp_path / "a", "r", {"protocol": "train", "material": {}})
    write_pick_session(tmp_path / "b", "r", {"protocol": "val", "material": {"lists": "1"}})
    assert len(seed_table([tmp_path]).blocks[0].columns) == 2
    write_pick_session(tmp_path / "d", "r", {"protocol": "val", "seed": 2, "material": {"lists": "1"}, "record": "x"})
    assert len(seed_table([tmp_path]).blocks[0].columns[1].cells) == 2
    write_pick_session(tmp_path / "c", "r", {"protocol": "val", "seed": 1, "material": {"lists": "2"}})
    with pytest.raises(UsageError, match=r"differ in material\.lists"):
        seed_table([tmp_path])


def test_an_unfinished_session_is_starred_and_named(tmp_path):
    write_pick_session(tmp_path / "a", "rn", trials=5)
    write_pick_session(tmp_path / "b", "rr", {"seed": 1})
    table = seed_table([tmp_path])
    text = printed(table)
    assert rows(text, "0")[0] == ["0", "50.0/100.0*"] and rows(text, "1")[0] == ["1", "100.0/100.0"]
    assert rows(text, "mean")[0] == ["mean", "75.0/100.0*"]
    assert f"* not finished: {tmp_path / 'a'} (2 of 5)" in text
    assert "50.0/100.0\\*" in markdown(table)


def test_other_tasks_have_their_rules_and_nothing_published(tmp_path):
    table = seed_table([write_session(tmp_path / "touch", ["right", "wrong", "never"])])
    assert [block.rule for block in table.blocks] == ["measured", "commanded"]
    assert all(block.published is None for block in table.blocks)
    assert rows(printed(table), "0")[0] == ["0", "66.7/50.0"]


def test_where_it_ran_and_a_privileged_policy_are_said(tmp_path):
    out = write_pick_session(tmp_path / "a", "r", contract={"name": "expert", "needs_privileged": True})
    for text in (printed(seed_table([out])), markdown(seed_table([out]))):
        assert "Simulated: ManiSkill twin" in text and "privileged policy" in text


def test_the_command_prints_and_writes_the_same_bytes_each_time(root, table, tmp_path, capsys):
    assert Table((root,)).run() == 0
    assert "s1" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    command = Table((root,), out=tmp_path / "made" / "here")
    command.run()
    files = sorted((tmp_path / "made" / "here").iterdir())
    assert [file.name for file in files] == ["table3.json", "table3.md"]
    first = [file.read_bytes() for file in files]
    dataclasses.replace(command).run()
    assert [file.read_bytes() for file in files] == first
    data = json.loads(first[0])
    assert (data["schema"], data["deviation"], len(data["blocks"])) == (1, "sample", 2)
    assert type(table).model_validate(data) == table
    assert "| s1 | 94/81 | 91/64 | 92/47 |" in first[1].decode()


def test_an_out_that_cannot_be_written_is_refused(table, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        write_seed_table(table, tmp_path / "file")


@given(st.lists(st.none() | st.floats(0, 1), max_size=6))
def test_spread_leaves_out_what_is_undefined(rates):
    known = [rate for rate in rates if rate is not None]
    got = spread(rates)
    assert got.seeds == len(known) and (got.mean is None) == (not known) and (got.std is None) == (len(known) < 2)
    if known:
        assert min(known) - 1e-6 <= got.mean <= max(known) + 1e-6
    if len(known) > 1:
        squares = sum((rate - sum(known) / len(known)) ** 2 for rate in known)
        assert got.std == pytest.approx((squares / (len(known) - 1)) ** 0.5, abs=2e-6)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("protocol", ["id", "train", "val"])
def test_the_published_rows_agree_with_their_own_mean(protocol, which):
    """The rows are whole percents, so their deviation may be off a little; it lies nearer to the population's."""
    table = GRINNINGFACE_TABLE_3
    values = [row.cells[protocol][which] for row in table.seeds]
    assert statistics.fmean(values) == pytest.approx(table.mean.cells[protocol][which], abs=1e-9)
    printed_std = table.std.cells[protocol][which]
    sample, population = statistics.stdev(values), statistics.pstdev(values)
    assert abs(population - printed_std) < abs(sample - printed_std) and abs(population - printed_std) < 0.15
