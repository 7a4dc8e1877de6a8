"""A policy server that is killed in mid-episode and started again: the arm holds, and goes on with fresh answers."""

import re
import threading
import time

import pytest

from policy_server.client import connect
from tests.evaluation.kinematic import Endless, KinematicWorld, Ticks, spec
from tests.policy_server.served import serving
from tests.policy_server.test_faults import free_port
from touchstone.errors import PolicyFailure
from touchstone.evaluation.episode import run_episode
from touchstone.evaluation.execution import Execution

AWAY_S = 2.5  # longer than the six actions of a chunk take
POLICY = "tests.policy_server.odd_policies:SixDown"


class KillsAt(Ticks):
    """Kills the server in the middle of a chunk, and has another one started a moment later."""

    def __init__(self, step, process, start_again):
        super().__init__()
        self._step, self._process, self._start_again = step, process, start_again

    def tick(self, observation, facts, events, chunk, stages_ms):
        super().tick(observation, facts, events, chunk, stages_ms)
        if observation.step == self._step:
            self._process.kill()
            self._process.wait()
            self._start_again()


def test_the_arm_holds_while_the_server_is_away_and_resumes_by_itself():
    url = f"tcp://127.0.0.1:{free_port()}"
    over = threading.Event()

    def serve_again():
        time.sleep(AWAY_S)
        with serving(POLICY, url):
            over.wait(60)

    second = threading.Thread(target=serve_again)
    with serving(POLICY, url) as (process, _):
        client = connect(url)
        recorder = KillsAt(2, process, second.start)
        long = spec().model_copy(update={"step_limit": 60})
        try:
            run_episode(KinematicWorld(), client, Endless(), long, recorder, Execution.parse("sync", "real"))
        finally:
            over.set()
            second.join()
            client.close()
    # the chunk under way is finished, the arm holds as long as nobody answers, and then goes on
    before, away, after = re.fullmatch(r"(-?d{4,6})(-{7,})(d.*)", recorder.moved()).groups()
    assert before.count("d") <= 6 and len(away) >= AWAY_S * 5 - 5 and after.count("d") > len(after) / 2
    assert sum("hold" in kinds for kinds in recorder.events) >= 1
    answered = [chunk for chunk in recorder.chunks if chunk is not None]
    steps = [step for step, chunk in enumerate(recorder.chunks) if chunk is not None]
    assert [chunk.answers for chunk in answered] == [100 + step for step in steps]


def test_a_server_that_stays_away_ends_the_episode_with_one_sentence():
    url = f"tcp://127.0.0.1:{free_port()}"
    with serving(POLICY, url) as (process, _):
        client = connect(url)
        recorder = KillsAt(2, process, lambda: None)
        with pytest.raises(PolicyFailure, match="is gone") as caught:
            run_episode(KinematicWorld(), client, Endless(), spec(), recorder)
        assert "\n" not in str(caught.value)
        client.close()
