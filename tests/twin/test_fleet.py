"""Many episodes at once: who is asked when, the same facts and pictures as alone, and what happens when one fails."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_server.policies.expert import ExpertPolicy
from policy_server.policies.expert_chunks import ExpertChunksPolicy
from tests.twin.batching import SharedExpert, batching
from touchstone.data.journal import EpisodeLine, read_session
from touchstone.data.mcap_log import read_images
from touchstone.errors import ContractMismatch, PolicyFailure, UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.execution import LOCKSTEP, Execution
from touchstone.evaluation.fleet import Fleet
from touchstone.evaluation.fleet_worlds import EachByItself, check_envs, open_worlds
from touchstone.evaluation.session import run_session, run_with
from touchstone.policy import Chunk, PolicyContract
from touchstone.world import WorldRequest

SMALL = "grinningface@128x96"
PRIVILEGED = partial(WorldRequest, "wx250s", SMALL, privileged=True)


def config(trials: int, **changes) -> SessionConfig:
    given = {"task": "touch-emoji", "world": "twin", "robot": "wx250s", "policy": "expert", "camera": SMALL} | changes
    return SessionConfig(protocol="val", seed=0, trials=trials, **given)


def contents(out) -> dict[str, tuple]:
    """By episode: facts, a hash of every picture, and what of its line does not tell the time."""
    session = read_session(out)
    return {
        line.episode: (
            [facts.model_dump_json() for facts in session.read(line).facts],
            [hashlib.sha256(image.tobytes()).hexdigest() for image in read_images(out / line.files["mcap"].path)],
            line.model_dump(exclude={"latency_ms", "files", "started_at", "duration_s"}),
            {(kind, entry.path) for kind, entry in line.files.items()},
            {stage: stats.n for stage, stats in line.latency_ms.items()},
        )
        for line in session.lines
    }


@pytest.fixture(scope="module")
def three():
    worlds = open_worlds("twin", PRIVILEGED(), 3)
    yield worlds
    worlds.close()


@pytest.fixture(scope="module")
def blind():
    worlds = open_worlds("twin", PRIVILEGED(pictures=False), 3)
    yield worlds
    worlds.close()


class Together(EachByItself):
    """Worlds that can only be reset when none is in mid-episode, as those of a GPU."""

    resets_together = True

    def __init__(self, members):
        super().__init__(members)
        self.waves = []

    def reset(self, specs):
        self.waves.append(sorted(specs))
        super().reset(specs)


def test_a_fleet_records_what_one_world_records_alone(three, tmp_path):
    run_session(config(5), tmp_path / "alone", three.members[0], ExpertPolicy())
    policy = batching(ExpertPolicy, 2)()
    run_with(Fleet(three, policy), config(5), tmp_path / "fleet")
    alone, fleet = contents(tmp_path / "alone"), contents(tmp_path / "fleet")
    assert len(alone) == 5 and all(len(one[0]) == len(one[1]) > 10 for one in alone.values())
    assert fleet == alone
    # three episodes want a chunk in most ticks: two of them at once, then the third
    assert set(policy.batches) == {1, 2} and policy.batches.count(2) > 10


@pytest.mark.parametrize("policy", [SharedExpert, batching(ExpertPolicy, 8)])
def test_worlds_that_reset_together_give_the_same(policy, blind, tmp_path):
    wanted = config(4)
    run_session(wanted, tmp_path / "alone", blind.members[0], ExpertPolicy())
    worlds = Together(blind.members)
    run_with(Fleet(worlds, policy()), wanted, tmp_path / "fleet")
    assert worlds.waves == [[0, 1, 2], [0]]
    assert contents(tmp_path / "fleet") == contents(tmp_path / "alone")


class FailsLate(batching(ExpertPolicy, 4)):
    """Answers until one of its first three episodes is over and another began, and no longer."""

    what = "raises"

    def infer_batch(self, sessions, observations):
        if any(observation.episode.endswith("0003") for observation in observations):
            if self.what == "raises":
                raise ValueError("broken-on-purpose")
            return []
        return super().infer_batch(sessions, observations)


@pytest.mark.parametrize(("what", "told"), [("raises", "raised ValueError .*broken"), ("nothing", "with 0 chunks")])
def test_a_policy_that_fails_ends_the_session_in_one_sentence_and_loses_no_finished_episode(
    what, told, blind, tmp_path, monkeypatch
):
    monkeypatch.setattr(FailsLate, "what", what)
    with pytest.raises(PolicyFailure, match=told):
        run_with(Fleet(blind, FailsLate()), config(6), tmp_path / "fleet")
    assert 1 <= len(read_session(tmp_path / "fleet").lines) <= 3
    assert not list(tmp_path.rglob("*.part")) and not episode_threads()
    run_with(Fleet(blind, SharedExpert()), config(6), tmp_path / "fleet")
    run_session(config(6), tmp_path / "alone", blind.members[0], ExpertPolicy())
    assert contents(tmp_path / "fleet") == contents(tmp_path / "alone")


def test_an_interrupt_leaves_nothing_behind(blind, tmp_path):
    def interrupt(line, done, trials):
        if line is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_with(Fleet(blind, SharedExpert()), config(6), tmp_path, interrupt)
    assert len(read_session(tmp_path).lines) == 1
    assert not list(tmp_path.rglob("*.part")) and not episode_threads()


def episode_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("episodes-")]


def test_a_policy_that_serves_one_episode_is_refused():
    worlds = EachByItself([])
    with pytest.raises(ContractMismatch, match="'expert-chunks' serves one episode at a time"):
        Fleet(worlds, ExpertChunksPolicy())
    boaster = SharedExpert()
    boaster.contract = boaster.contract.model_copy(update={"batch": 4})
    with pytest.raises(ContractMismatch, match="has no `infer_batch`"):
        Fleet(worlds, boaster)


def test_requests_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="--envs is 0"):
        check_envs(0, 1, LOCKSTEP)
    with pytest.raises(UsageError, match="leave one of them out"):
        check_envs(2, 2, LOCKSTEP)
    with pytest.raises(UsageError, match="round trip says nothing"):
        check_envs(2, 1, Execution(charge="real"))
    check_envs(2, 1, Execution(charge=100.0))
    check_envs(1, 2, Execution(charge="real"))


class Counted:
    """A world that counts its ticks and nothing else."""

    def __init__(self):
        self.spec, self.now = None, 0

    def reset(self, spec):
        self.spec, self.now = spec, 0

    def advance(self, until_ns):
        assert until_ns == self.now + 1
        self.now = until_ns


class Echo:
    """Answers with whom it was asked by; its sessions know their episode."""

    def __init__(self, batch):
        self.contract = PolicyContract(name="echo", version="1", batch=batch)
        self.sizes = []

    def session(self):
        return SimpleNamespace(contract=self.contract, reset=lambda brief: None, infer=answer)

    def infer(self, observation):
        raise AssertionError

    def reset(self, brief):
        raise AssertionError

    def infer_batch(self, sessions, observations):
        assert len({id(session) for session in sessions}) == len(sessions) == len(observations)
        self.sizes.append(len(observations))
        return [answer(observation) for observation in observations]


def answer(observation):
    return Chunk(observation, 0, 1.0, "target_delta", np.zeros((1, 6)), np.ones(1))


class Plain:
    """Carries out a `spec` (name, ticks, execute): asks every `execute` ticks, and wants its own answer."""

    def __init__(self, world, policy):
        self.world, self.policy = world, policy

    def run(self, out, specs):
        for name, ticks, execute in specs:
            self.world.reset((name, ticks, execute))
            for tick in range(ticks):
                if tick % execute == 0:
                    assert self.policy.infer((name, tick)).answers == (name, tick)
                self.world.advance(tick + 1)
            assert self.world.now == ticks
            yield EpisodeLine.model_construct(episode=name)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3)), max_size=12),
    st.integers(1, 5),
    st.integers(1, 4),
    st.booleans(),
)
def test_every_episode_gets_its_own_answers_and_ends_once(shapes, count, batch, together):
    specs = [(f"episode-{k}", ticks, execute) for k, (ticks, execute) in enumerate(shapes)]
    policy = Echo(batch)
    worlds = (Together if together else EachByItself)([Counted() for _ in range(count)])
    lines = list(Fleet(worlds, policy, Plain).run(None, iter(specs)))
    assert sorted(line.episode for line in lines) == sorted(name for name, _, _ in specs)
    asked = sum(-(-ticks // execute) for ticks, execute in shapes)
    assert (sum(policy.sizes) == asked and max(policy.sizes, default=0) <= batch) or batch == 1
    assert not episode_threads()
