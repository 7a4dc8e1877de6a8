import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.sessions import CONFIG, PROVENANCE, TASK, episode, plan, write_episode, write_session
from touchstone.data.journal import Session, check_resumable, read_episode, read_session
from touchstone.errors import TouchstoneError, UsageError

ROOT = Path(__file__).parents[2]


def begin(session, spec, ticks=4):
    recorder = session.record(spec)
    for tick in episode(spec)[:ticks]:
        recorder.tick(tick.observation, tick.facts, tick.events, tick.chunk, tick.stages_ms)
    return recorder


def files(out):
    return sorted(path.name for path in (out / "episodes").iterdir())


def test_an_episode_comes_back_as_it_was_recorded(tmp_path):
    spec = plan(3)
    with Session.open(tmp_path / "s", CONFIG, PROVENANCE) as session:
        line = write_episode(session, spec, "wrong")
    made = episode(spec, "wrong")
    log = read_episode(tmp_path / "s" / line.files["mcap"].path)
    assert log.spec == spec
    assert log.facts == [tick.facts for tick in made]
    assert log.events == [event for tick in made for event in tick.events]
    assert log.stages_ms == [tick.stages_ms for tick in made]
    assert log.verdict == line.verdict
    sent = [tick.chunk for tick in made if tick.chunk is not None]
    assert len(log.chunks) == len(sent) == len(made) - 1
    for back, chunk in zip(log.chunks, sent, strict=True):
        assert np.array_equal(back.actions, chunk.actions) and np.array_equal(back.gripper, chunk.gripper)
        assert (back.answers, back.t0_ns, back.kind, back.timing) == (
            chunk.answers,
            chunk.t0_ns,
            chunk.kind,
            chunk.timing,
        )


def test_a_line_says_what_happened_and_which_files_hold_it(tmp_path):
    write_session(tmp_path, ["right", "never"])
    record = read_session(tmp_path)
    first, second = record.lines
    assert (first.episode, first.world, first.steps) == ("val-s0-0000", "twin", 12)
    assert first.verdict.success and not second.verdict.execution
    assert first.events == {"close_commanded": 1} and second.events == {}
    assert first.latency_ms["infer"].n == 12
    assert set(first.files) == {"mcap", "mp4", "jpg"}
    assert files(tmp_path) == sorted(Path(e.path).name for line in record.lines for e in line.files.values())
    assert TASK.judge(first.spec, record.read(first).facts, []) == first.verdict


def test_a_session_resumes_with_what_is_finished(tmp_path):
    write_session(tmp_path, ["right", "wrong"])
    with Session.open(tmp_path, CONFIG, {**PROVENANCE, "command": "again"}) as session:
        assert sorted(session.finished()) == ["val-s0-0000", "val-s0-0001"]
        with pytest.raises(ValueError, match="already"):
            session.record(plan(0))
        write_episode(session, plan(2))
    record = read_session(tmp_path)
    assert [line.index for line in record.lines] == [0, 1, 2]
    assert [run["command"] for run in record.head.runs] == [PROVENANCE["command"], "again"]


def test_an_episode_whose_file_is_gone_runs_again(tmp_path):
    write_session(tmp_path, ["wrong", "right"])
    (tmp_path / "episodes" / "val-s0-0000.mcap").unlink()
    with pytest.raises(TouchstoneError, match="val-s0-0000 has lost"):
        record = read_session(tmp_path)
        record.read(record.lines[0])
    with Session.open(tmp_path, CONFIG, PROVENANCE) as session:
        assert list(session.finished()) == ["val-s0-0001"]
        write_episode(session, plan(0), "right")
    assert [line.verdict.success for line in read_session(tmp_path).lines] == [True, True]


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.999])
def test_a_torn_last_line_costs_only_its_episode(tmp_path, keep):
    write_session(tmp_path, ["right", "right"])
    lines = (tmp_path / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "episodes.jsonl").write_bytes(lines[0] + lines[1][: int(len(lines[1]) * keep)])
    assert len(read_session(tmp_path).lines) == 1
    with Session.open(tmp_path, CONFIG, PROVENANCE) as session:
        assert list(session.finished()) == ["val-s0-0000"]
        assert files(tmp_path) == ["val-s0-0000.jpg", "val-s0-0000.mcap", "val-s0-0000.mp4"]
        write_episode(session, plan(1))
    assert len((tmp_path / "episodes.jsonl").read_text().splitlines()) == 2
    assert len(read_session(tmp_path).lines) == 2


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    write_session(tmp_path, ["right", "right"])
    lines = (tmp_path / "episodes.jsonl").read_text().splitlines()
    (tmp_path / "episodes.jsonl").write_text("\n".join(["{broken", *lines]) + "\n")
    with pytest.raises(TouchstoneError, match="damaged at line 1"):
        read_session(tmp_path)


def test_kill_minus_nine_in_mid_episode_leaves_the_journal_whole(tmp_path):
    write_session(tmp_path, ["right"])
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.data.test_journal import begin\n"
        "from tests.support.sessions import CONFIG, PROVENANCE, plan\n"
        "from touchstone.data.journal import Session\n"
        "session = Session.open(Path(sys.argv[1]), CONFIG, PROVENANCE)\n"
        "recorder = begin(session, plan(1))\n"
        "print('recording', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert child.stdout.readline() == "recording\n"
        assert "val-s0-0001.mcap.part" in files(tmp_path)
        with pytest.raises(UsageError, match="Another run is writing"):
            Session.open(tmp_path, CONFIG, PROVENANCE)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    with Session.open(tmp_path, CONFIG, PROVENANCE) as session:
        assert list(session.finished()) == ["val-s0-0000"]
        assert files(tmp_path) == ["val-s0-0000.jpg", "val-s0-0000.mcap", "val-s0-0000.mp4"]
        assert write_episode(session, plan(1)).verdict.success


def test_an_abandoned_episode_leaves_nothing(tmp_path):
    with Session.open(tmp_path, CONFIG, PROVENANCE) as session:
        begin(session, plan(0)).abandon()
        assert files(tmp_path) == [] and session.finished() == {}
        write_episode(session, plan(0))


def test_another_configuration_is_refused_with_the_keys_that_differ(tmp_path):
    write_session(tmp_path, ["right"])
    before = (tmp_path / "session.json").read_bytes()
    with pytest.raises(UsageError, match=r"another configuration \(policy card-matcher -> hold, seed 0 -> 4\)"):
        Session.open(tmp_path, {**CONFIG, "policy": "hold", "seed": 4}, PROVENANCE)
    assert (tmp_path / "session.json").read_bytes() == before
    with pytest.raises(UsageError, match="another configuration"):
        check_resumable(tmp_path, {**CONFIG, "seed": 4})
    check_resumable(tmp_path, CONFIG)
    check_resumable(tmp_path / "new", CONFIG)
    assert not (tmp_path / "new").exists()
    Session.open(tmp_path, CONFIG, PROVENANCE).close()


def test_the_hash_does_not_depend_on_the_order_of_keys(tmp_path):
    turned = dict(reversed(CONFIG.items()))
    with Session.open(tmp_path / "a", CONFIG, {}) as one, Session.open(tmp_path / "b", turned, {}) as other:
        assert one.config_hash == other.config_hash and len(one.config_hash) == 12
    assert json.loads((tmp_path / "a" / "session.json").read_text())["config_hash"] == one.config_hash


def test_two_runs_cannot_write_one_session(tmp_path):
    with Session.open(tmp_path, CONFIG, PROVENANCE), pytest.raises(UsageError, match="Another run"):
        Session.open(tmp_path, CONFIG, PROVENANCE)
    Session.open(tmp_path, CONFIG, PROVENANCE).close()


def test_an_out_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        with pytest.raises(UsageError, match="choose another OUT"):
            Session.open(out, CONFIG, PROVENANCE)


def test_reading_a_folder_without_a_session_or_without_episodes_is_refused(tmp_path):
    with pytest.raises(UsageError, match="There is no session"):
        read_session(tmp_path)
    Session.open(tmp_path, CONFIG, PROVENANCE).close()
    with pytest.raises(UsageError, match="no finished episode"):
        read_session(tmp_path)


def test_a_changed_episode_file_is_noticed(tmp_path):
    write_session(tmp_path, ["right"])
    path = tmp_path / "episodes" / "val-s0-0000.mcap"
    path.write_bytes(path.read_bytes()[:-100])
    record = read_session(tmp_path)
    with pytest.raises(TouchstoneError, match=r"val-s0-0000.*not the file that was recorded"):
        record.read(record.lines[0])
    with pytest.raises(TouchstoneError, match="cannot be read"):
        read_episode(path)
