"""Charged latency in the real twin, without pictures: sessions, their journal, workers, and what is refused."""

import json

import pytest

from policy_server.policies.expert_chunks import ExpertChunksPolicy
from touchstone.cli.commands import parse
from touchstone.cli.opening import hands_for
from touchstone.data.journal import EpisodeRecorder, read_session
from touchstone.errors import ContractMismatch, UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.session import run_session, run_with
from touchstone.policy import Chunk
from touchstone.scoring.score import score_session
from touchstone.world import WorldRequest

CHUNKS = "policy_server.policies.expert_chunks:ExpertChunksPolicy"


def config(trials: int = 1, **asked) -> SessionConfig:
    given = {"task": "touch-emoji", "world": "twin", "robot": "wx250s", "policy": CHUNKS, "protocol": "val"}
    return SessionConfig(**(given | {"seed": 0, "trials": trials, "pictures": False} | asked))


@pytest.fixture(scope="module")
def blind():
    """A twin without pictures."""
    from sim_twin.world import make_world

    world = make_world(WorldRequest("wx250s", "grinningface", privileged=True, pictures=False))
    yield world
    world.close()


def facts(out) -> list:
    session = read_session(out)
    return [session.read(line).facts for line in sorted(session.lines, key=lambda line: line.index)]


def test_a_charged_session_is_journalled_scored_and_the_same_in_workers(blind, tmp_path):
    asked = config(2, strategy="async:patience=1000", charge_latency="300")
    run_session(asked, tmp_path / "alone", blind, ExpertChunksPolicy())
    with hands_for(asked, 2, EpisodeRecorder) as crew:
        run_with(crew, asked, tmp_path / "crew")
    assert facts(tmp_path / "alone") == facts(tmp_path / "crew")
    assert facts(tmp_path / "alone")[0] != _lockstep_facts(blind, tmp_path)

    session = read_session(tmp_path / "alone")
    kept = session.head.config
    assert kept["strategy"] == "async:g=0.5,new=0.7,patience=1000" and kept["charge_latency"] == "300"
    assert session.last_run["time_scale"] == "charged 300 ms"
    log = session.read(session.lines[0])
    charged = [stages["policy_charged"] for stages in log.stages_ms if "policy_charged" in stages]
    assert charged == [300.0] * len(log.chunks) and len(charged) > 0
    assert "was charged 300.0 ms" in next(event.detail for event in log.events if event.kind == "answer_late")
    summary = json.loads(score_session(tmp_path / "alone").to_json())
    assert summary["latency_ms"]["policy_charged"]["p50"] == 300.0 and summary["overall"]["successes"] == 2

    with pytest.raises(UsageError, match="charge_latency 300 -> 301"):
        run_session(asked.model_copy(update={"charge_latency": "301"}), tmp_path / "alone", blind, ExpertChunksPolicy())


def _lockstep_facts(world, tmp_path):
    run_session(config(), tmp_path / "lockstep", world, ExpertChunksPolicy())
    session = read_session(tmp_path / "lockstep")
    assert "strategy" not in session.head.config and "charge_latency" not in session.head.config
    assert session.last_run["time_scale"] == "lockstep" and "answer_late" not in session.lines[0].events
    return session.read(session.lines[0]).facts


class _Recorded(ExpertChunksPolicy):
    """Keeps its answers and what it was told."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.answers: list[tuple] = []

    def infer(self, observation, prior=None) -> Chunk:
        chunk = super().infer(observation, prior)
        self.answers.append((prior, chunk))
        return chunk


def test_rtc_carries_a_pick_through_a_latency_and_the_policy_continues_what_is_frozen(blind, tmp_path):
    policy = _Recorded(32)
    asked = config(task="pick-emoji", strategy="rtc:patience=1000", charge_latency="300")
    run_session(asked, tmp_path, blind, policy)
    assert read_session(tmp_path).lines[0].verdict.success
    continued = [(prior, chunk) for prior, chunk in policy.answers if prior is not None]
    assert len(continued) > 3 and {prior.frozen for prior, _ in continued} == {6}
    for prior, chunk in continued:
        assert (chunk.actions[:6] == prior.actions[:6]).all() and (chunk.gripper[:6] == prior.gripper[:6]).all()
        assert chunk.length == 32


def test_a_policy_that_does_not_inpaint_is_refused_before_anything_moves(blind, tmp_path):
    from policy_server.policies.expert import ExpertPolicy

    with pytest.raises(ContractMismatch, match="inpaints"):
        run_session(config(policy="expert", strategy="rtc"), tmp_path / "out", blind, ExpertPolicy())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--strategy", "hope"], "Unknown strategy 'hope'"),
        (["--charge-latency", "soon"], "--charge-latency is 'soon'"),
        (["--world", "twin-ros", "--strategy", "async"], "twin-ros"),
        (["--world", "twin-ros", "--charge-latency", "real"], "--world twin"),
    ],
)
def test_the_command_line_refuses_in_one_sentence(words, says, tmp_path):
    with pytest.raises(UsageError, match=says) as caught:
        parse(["eval", "touch-emoji", *words, "--out", str(tmp_path / "out")]).run()
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()
