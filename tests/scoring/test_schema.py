"""Journals that older versions of Touchstone wrote, kept as they were written, and what newer ones would write."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sessions import CONFIG, PROVENANCE, write_session
from touchstone.data.journal import Session, read_session
from touchstone.data.json_messages import decode_record, encode
from touchstone.errors import TouchstoneError
from touchstone.schema import SCHEMA, current
from touchstone.scoring.report import write_report
from touchstone.scoring.score import score_session
from touchstone.tasks.base import Verdict

JOURNALS = Path(__file__).parent / "journals"
#: journal -> counts by the first rule (execution, recognition, overall), and the rule beside it with its overall count
FROZEN = {
    "1-commanded": ((2, 2), (1, 2), (1, 2), "commanded", (1, 2)),
    "1-beside": ((1, 2), (1, 1), (1, 2), "paper", (2, 2)),
    "2": ((1, 2), (1, 1), (1, 2), "paper", (2, 2)),
}


def counts(rate):
    return rate.successes, rate.trials


@pytest.fixture
def thawed(tmp_path):
    return shutil.copytree(JOURNALS, tmp_path / "journals")


def test_every_schema_has_a_frozen_journal():
    assert {path.name for path in JOURNALS.iterdir()} == set(FROZEN)
    assert {int(name.split("-")[0]) for name in FROZEN} == set(range(1, SCHEMA + 1))
    for name in FROZEN:
        line = json.loads((JOURNALS / name / "episodes.jsonl").read_text().splitlines()[0])
        assert line["schema_version"] == line["spec"]["schema_version"] == int(name.split("-")[0])


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_journal_scores_as_it_did(thawed, name):
    summary = score_session(thawed / name)
    other = FROZEN[name][3]
    found = [counts(rate) for rate in (summary.execution, summary.recognition, summary.overall)]
    assert (*found, other, counts(summary.beside[other].overall)) == FROZEN[name]
    assert "val-s0-0001" in write_report(thawed / name).read_text(encoding="utf-8")


def test_the_same_episodes_of_two_schemas_are_the_same():
    older, newer = (read_session(JOURNALS / name).lines for name in ("1-beside", "2"))
    assert [line.spec for line in older] == [line.spec for line in newer]
    assert [line.verdict for line in older] == [line.verdict for line in newer]


def test_an_older_session_resumes(thawed):
    out = thawed / "1-commanded"
    before = (out / "episodes.jsonl").read_bytes()
    with Session.open(out, CONFIG, PROVENANCE) as session:
        assert sorted(session.finished()) == ["val-s0-0000", "val-s0-0001"]
    assert (out / "episodes.jsonl").read_bytes() == before


def test_a_newer_description_is_refused(tmp_path):
    write_session(tmp_path, ["right"])
    head = json.loads((tmp_path / "session.json").read_text())
    (tmp_path / "session.json").write_text(json.dumps({**head, "schema_version": SCHEMA + 1, "new": 1}))
    for read in (read_session, lambda out: Session.open(out, CONFIG, PROVENANCE)):
        with pytest.raises(TouchstoneError, match=f"session.json has schema {SCHEMA + 1} .* update Touchstone"):
            read(tmp_path)


def test_a_newer_line_is_refused_and_not_cut_off_as_torn(tmp_path):
    write_session(tmp_path, ["right", "right"])
    path = tmp_path / "episodes.jsonl"
    first, last = path.read_text().splitlines()
    path.write_text(f"{first}\n{json.dumps({**json.loads(last), 'schema_version': SCHEMA + 1, 'new': 1})}\n")
    whole = path.read_bytes()
    for read in (read_session, lambda out: Session.open(out, CONFIG, PROVENANCE)):
        with pytest.raises(TouchstoneError, match=f"episodes.jsonl, line 2, has schema {SCHEMA + 1}"):
            read(tmp_path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("version", [0, -1, True, None, "2", 1.0])
def test_a_schema_that_nobody_writes_is_refused(version):
    with pytest.raises(TouchstoneError, match="no version of Touchstone writes"):
        current("spec", {}, version, "It")


verdicts = st.builds(
    Verdict,
    execution=st.booleans(),
    recognition=st.none() | st.booleans(),
    chosen=st.none() | st.just("card_0"),
    step=st.none() | st.integers(0, 60),
    reason=st.text(max_size=10),
)


@given(verdicts, st.none() | verdicts)
def test_a_verdict_by_commanded_time_comes_to_stand_beside(one, other):
    """As the first versions wrote it: nested once, and null where there was none."""

    def older(verdict, commanded):
        kept = {key: value for key, value in verdict.model_dump().items() if key not in ("beside", "values")}
        return {**kept, "commanded": commanded}

    written = older(one, None if other is None else older(other, None))
    text = json.dumps({"schema": 1, "kind": "verdict", "data": written})
    expected = one if other is None else one.model_copy(update={"beside": {"commanded": other}})
    assert decode_record("verdict", text, Verdict) == expected
    assert decode_record("verdict", encode("verdict", expected), Verdict) == expected
