import json

import pytest

from tests.scoring.gap.studies import SHADOW, write_side
from touchstone.data.sealed import seal
from touchstone.errors import TouchstoneError, UsageError
from touchstone.scoring.gap.study import gap_study


def refused(sim, real, error=UsageError):
    with pytest.raises(error) as caught:
        gap_study(sim=[sim], real=[real])
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


@pytest.fixture
def sides(tmp_path):
    sim = write_side(tmp_path / "sim", "twin", {"one": "rrrn"})
    real = write_side(tmp_path / "real", SHADOW, {"one": "rnrn"})
    return sim, real


def edit(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_what_does_not_pair(tmp_path, sides):
    other = write_side(tmp_path / "other", SHADOW, {"one": "rr"}, seed=1)
    assert "seeds 0 in --sim and 1 in --real" in refused(sides[0], other)


def test_a_policy_that_was_not_simulated(tmp_path, sides):
    write_side(sides[1], SHADOW, {"two": "rr"})
    assert "two on pick-emoji" in refused(*sides)


def test_a_policy_that_was_only_simulated_is_flagged(sides):
    write_side(sides[0], "twin", {"two": "rr"})
    study, _ = gap_study(sim=[sides[0]], real=[sides[1]])
    assert [cell.policy for cell in study.cells] == ["one"]
    assert any("two on pick-emoji" in flag and "simulated only" in flag for flag in study.flags)
    assert study.sim.episodes == 4


def test_mixed_worlds_on_one_side(sides):
    write_side(sides[1], "shadow:grip@1", {"two": "rr"})
    assert "mixes worlds" in refused(*sides)


def test_a_twin_is_no_bench(tmp_path, sides):
    again = write_side(tmp_path / "again", "twin", {"one": "rrrn"})
    assert "only an arm is real" in refused(sides[0], again)


def test_a_shadow_is_no_twin(sides):
    assert "cannot be on the --sim side" in refused(sides[1], sides[1])


def test_other_settings_are_named_with_both_hashes(tmp_path, sides):
    other = write_side(tmp_path / "other", SHADOW, {"one": "rr"}, strategy="sync")
    text = refused(sides[0], other)
    hashes = [json.loads((side / "one/session.json").read_text())["config_hash"] for side in (sides[0], other)]
    assert "differ in strategy" in text and all(one in text for one in hashes)


def test_another_version_of_the_policy(sides):
    edit(sides[1] / "one/session.json", lambda head: head["runs"][0]["contract"].update(version="2"))
    assert "contract.version" in refused(*sides)


def test_other_versions_of_touchstone_are_flagged(sides):
    for side, version in zip(sides, ("0.1.0", "0.2.0"), strict=True):
        edit(side / "one/session.json", lambda head, version=version: head["runs"][0].update(touchstone=version))
    study, _ = gap_study(sim=[sides[0]], real=[sides[1]])
    assert "The sessions were recorded by versions 0.1.0, 0.2.0 of Touchstone." in study.flags


def test_the_same_episode_twice(tmp_path, sides):
    write_side(tmp_path / "sim2", "twin", {"one": "rr"})
    with pytest.raises(UsageError, match=r"Both .* hold episode val-s0-0000 of one"):
        gap_study(sim=[sides[0], tmp_path / "sim2"], real=[sides[1]])


def test_an_unfinished_session_is_flagged(sides):
    lines = (sides[1] / "one/episodes.jsonl").read_text().splitlines(keepends=True)
    (sides[1] / "one/episodes.jsonl").write_text("".join(lines[:1] + lines[2:]))
    study, _ = gap_study(sim=[sides[0]], real=[sides[1]])
    assert any("lacks 1 of 4 episodes (the first is number 1)" in flag for flag in study.flags)
    assert study.cells[0].pairs == 3


def test_an_episode_that_was_not_simulated_is_flagged(tmp_path, sides):
    sim = write_side(tmp_path / "short", "twin", {"one": "rr"})
    study, _ = gap_study(sim=[sim], real=[sides[1]])
    assert any("2 of 4 episodes of the shadow side were not simulated" in flag for flag in study.flags)
    assert study.cells[0].lone_real == 2 and study.cells[0].real.overall.trials == 4


def test_an_edited_configuration(sides):
    edit(sides[1] / "one/session.json", lambda head: head["config"].update(world="shadow:grip@0.1"))
    assert "was changed after it was written" in refused(*sides)


def test_a_world_that_was_renamed_in_the_runs(sides):
    edit(sides[1] / "one/session.json", lambda head: head["runs"][0].update(plant="atoms", path="wire"))
    assert "do not name one world" in refused(*sides)


def edit_line(path, number, change):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines[number])
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_an_edited_verdict(sides):
    def succeed(line):
        line["verdict"].update(execution=True, recognition=True)

    edit_line(sides[1] / "one/episodes.jsonl", 1, succeed)
    assert "val-s0-0001" in refused(*sides, error=TouchstoneError)


def test_an_edited_spec(sides):
    edit_line(sides[1] / "one/episodes.jsonl", 1, lambda line: line["spec"].update(instruction="Do as you like."))
    assert "another spec" in refused(*sides)


def test_an_edited_recording(sides):
    path = sides[1] / "one/episodes/val-s0-0001.mcap"
    path.write_bytes(path.read_bytes() + b" ")
    assert "not the file that was recorded" in refused(*sides, error=TouchstoneError)


def test_a_broken_seal(sides):
    digest = seal(sides[1] / "one", {"strengths": {"grip": 0.5}})
    edit(sides[1] / "one/session.json", lambda head: head["runs"][0].update(sealed_sha256=digest))
    study, _ = gap_study(sim=[sides[0]], real=[sides[1]])
    assert study.sessions[-1].sealed == digest
    seal(sides[1] / "one", {"strengths": {"grip": 0.1}})
    assert "not the file that was sealed" in refused(*sides)


def test_no_session_at_all(tmp_path, sides):
    (tmp_path / "empty").mkdir()
    assert "There is no session in" in refused(sides[0], tmp_path / "empty")
    assert "There is no folder" in refused(sides[0], tmp_path / "nowhere")
