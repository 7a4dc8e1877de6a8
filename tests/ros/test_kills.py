"""Whatever is killed in mid-episode: one sentence, no orphan, a whole journal, and the same scores in the end."""

from __future__ import annotations

import json
import signal

from tests.ros.runs import Run, complete, finished, logs

TRIALS = 5


def scores(out) -> dict:
    summary = json.loads((out / "summary.json").read_text())
    return {name: summary[name] for name in ("execution", "recognition", "overall")}


def one_sentence(stderr: str) -> str:
    (line,) = stderr.strip().splitlines()
    assert line.startswith("touchstone: ") and line.endswith(".")
    return line


def kill_a_part(out, episode: int, command: str, title: str, log: str) -> None:
    with Run(out, "twin-ros", "expert", TRIALS) as run:
        run.until_in_episode(episode)
        run.kill(command)
        code, _, stderr = run.end()
        assert code == 1
        sentence = one_sentence(stderr)
        assert f"{title} was killed by SIGKILL" in sentence and log in sentence
        assert run.orphans() == {}


def test_a_run_that_is_killed_again_and_again_ends_with_the_scores_of_an_undisturbed_one(tmp_path):
    out = tmp_path / "killed"

    with Run(out, "twin-ros", "expert", TRIALS) as run:
        run.until_in_episode(1)
        run.process.send_signal(signal.SIGINT)
        code, _, stderr = run.end()
        assert code == 130
        assert "interrupted" in one_sentence(stderr)
        assert run.orphans() == {}
    assert not list(out.glob("episodes/*.part"))

    kill_a_part(out, 2, "touchstone.cli serve", "policy server", "policy_server.log")
    kill_a_part(out, 3, "robot_bridge.twin_node", "twin node", "twin_node.log")

    with Run(out, "twin-ros", "expert", TRIALS) as run:
        run.until_in_episode(4)
        assert len(run.pids) == 4
        run.process.kill()
        run.process.wait()
        assert run.orphans() == {}

    assert finished(out) >= 4
    complete(out, "twin-ros", "expert", TRIALS)
    complete(tmp_path / "undisturbed", "twin", "expert", TRIALS)
    assert logs(out) == logs(tmp_path / "undisturbed")
    assert scores(out) == scores(tmp_path / "undisturbed")
