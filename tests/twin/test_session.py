"""Sessions in the real twin: what is journalled, what resumes, and how a bad policy ends."""

import json
from dataclasses import replace

import numpy as np
import pytest

from policy_server.policies.expert import ExpertPolicy
from policy_server.policies.motion import single_delta
from touchstone import calibration
from touchstone.data.journal import read_session
from touchstone.errors import ContractMismatch, PolicyFailure
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.session import is_complete, run_session
from touchstone.policy import Chunk, PolicyContract
from touchstone.scoring.score import score_session


def config(trials: int, policy: str = "expert") -> SessionConfig:
    return SessionConfig(
        task="touch-emoji", world="twin", robot="wx250s", policy=policy, protocol="val", seed=0, trials=trials
    )


class Still:
    """Answers with no motion; the others change what it answers."""

    contract = PolicyContract(name="still", version="1")

    def reset(self, brief):
        self.rate_hz = brief.rate_hz

    def infer(self, observation):
        return single_delta(observation, np.zeros(3), 1.0, self.rate_hz)


class NotFinite(Still):
    def infer(self, observation):
        return replace(super().infer(observation), actions=np.full((1, 6), np.nan))


class WrongShape(Still):
    def infer(self, observation):
        return replace(super().infer(observation), actions=np.zeros((1, 3)))


class Nothing(Still):
    def infer(self, observation):
        return None


class Broken(Still):
    def infer(self, observation):
        raise KeyError("image")


class BrokenStart(Still):
    def reset(self, brief):
        raise RuntimeError("no weights")


class Chunks(Still):
    """Four actions at a time, two of which are executed before it is asked again: 1 cm down each."""

    contract = PolicyContract(name="chunks", version="1", chunk_length=4, execute=2)

    def infer(self, observation):
        self.asked = [*getattr(self, "asked", []), observation.step]
        actions = np.zeros((4, 6))
        actions[:, 2] = -0.01
        return Chunk(observation.id, observation.stamp_ns, 0.2, "target_delta", actions, np.ones(4))


def test_a_session_resumes_with_what_is_missing_and_scores_as_an_undisturbed_one(twin, tmp_path):
    run_session(config(2), tmp_path / "resumed", twin, ExpertPolicy())
    told = []
    run_session(config(3), tmp_path / "resumed", twin, ExpertPolicy(), lambda *update: told.append(update[1:]))
    assert told == [(2, 3), (3, 3)]
    run_session(config(3), tmp_path / "whole", twin, ExpertPolicy())

    def what_counts(folder):
        summary = json.loads(score_session(folder).to_json())
        return {key: summary[key] for key in ("execution", "recognition", "overall", "by_slot", "config_hash")}

    assert what_counts(tmp_path / "resumed") == what_counts(tmp_path / "whole")
    resumed, whole = read_session(tmp_path / "resumed"), read_session(tmp_path / "whole")
    for one, other in zip(resumed.lines, whole.lines, strict=True):
        assert resumed.read(one).facts == whole.read(other).facts


def test_a_policy_that_puts_out_nan_moves_nothing_and_fails_its_episode(twin, tmp_path):
    run_session(config(1, "nan"), tmp_path, twin, NotFinite())
    (line,) = read_session(tmp_path).lines
    assert not line.verdict.execution and line.steps == 61
    assert line.events["action_rejected"] == 60
    facts = read_session(tmp_path).read(line).facts
    assert np.allclose(facts[0].tcp.value[:3], facts[-1].tcp.value[:3], atol=1e-3)


@pytest.mark.parametrize(
    ("policy", "says"),
    [(WrongShape, "shape"), (Nothing, "NoneType"), (Broken, "KeyError"), (BrokenStart, "no weights")],
)
def test_a_broken_policy_ends_the_session_in_one_sentence_and_leaves_no_half_episode(twin, tmp_path, policy, says):
    with pytest.raises(PolicyFailure, match=says) as caught:
        run_session(config(1, "broken"), tmp_path, twin, policy())
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "episodes").iterdir())


def test_a_policy_that_does_not_fit_is_refused_before_anything_moves(twin, tmp_path):
    misfit = Still()
    misfit.contract = PolicyContract(name="misfit", version="1", rate_hz=50.0)
    with pytest.raises(ContractMismatch, match="50 Hz"):
        run_session(config(1, "misfit"), tmp_path / "out", twin, misfit)
    assert not (tmp_path / "out").exists()


def test_a_chunk_is_executed_as_far_as_its_policy_says(twin, tmp_path):
    policy = Chunks()
    run_session(config(1, "chunks"), tmp_path, twin, policy)
    assert policy.asked[:4] == [0, 2, 4, 6]
    session = read_session(tmp_path)
    facts = session.read(session.lines[0]).facts
    heights = [one.tcp_commanded.value[2] for one in facts[:6]]
    assert np.allclose(np.diff(heights), -0.01, atol=2e-4)


def test_an_edited_calibration_makes_another_session(tmp_path):
    path = tmp_path / "calibration.yaml"
    nominal = calibration.nominal("wx250s")
    one = config(1).model_copy(update={"camera": str(path)})
    calibration.save(nominal, path)
    before = one.identity()
    scene = nominal.cameras["scene"].model_copy(update={"latency_s": 0.03})
    calibration.save(nominal.model_copy(update={"cameras": {"scene": scene}}), path)
    assert one.identity() != before


def test_a_complete_session_needs_no_world(twin, tmp_path):
    assert not is_complete(config(1), tmp_path)
    run_session(config(1), tmp_path, twin, ExpertPolicy())
    assert is_complete(config(1), tmp_path) and not is_complete(config(2), tmp_path)
    next((tmp_path / "episodes").glob("*.mcap")).unlink()
    assert not is_complete(config(1), tmp_path)
