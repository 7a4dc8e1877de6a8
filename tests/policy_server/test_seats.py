"""Several clients at one server: seats, batches, cancelling, loading, swapping, ending."""

import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from policy_server.client import connect
from policy_server.console import Console
from policy_server.requests import NoEpisode, Requests
from policy_server.serving.jobs import Job, JobQueue
from policy_server.serving.seats import Seats
from policy_server.wire import Header
from tests.policy_server.samples import BRIEF, observation
from tests.policy_server.served import serving, start, wait_for
from touchstone.errors import DeadlineExceeded, PolicyFailure, UsageError
from touchstone.policy import PolicyContract, Prior

ODD = "tests.policy_server.odd_policies"


def seated(url):
    client = connect(url)
    client.reset(BRIEF)
    return client


def test_sessions_of_a_shared_policy_keep_a_state_each():
    with serving(f"{ODD}:Counts") as (_, url):
        first, second = seated(url), seated(url)
        for k in range(1, 4):
            assert first.infer(observation(k)).actions[0, 0] == pytest.approx(k * 1e-3)
        assert second.infer(observation(9)).actions[0, 0] == pytest.approx(1e-3)
        first.reset(BRIEF)
        assert first.infer(observation(10)).actions[0, 0] == pytest.approx(1e-3)
        assert second.infer(observation(11)).actions[0, 0] == pytest.approx(2e-3)
        assert first.console.health().sessions == 2
        second.close()
        deadline = time.monotonic() + 5
        while first.console.health().sessions == 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert first.console.health().sessions == 1
        first.close()


def test_observations_of_several_clients_are_answered_together_each_with_its_own():
    with serving(f"{ODD}:Batches") as (_, url):
        clients = [seated(url) for _ in range(6)]

        def drive(k):
            return [clients[k].infer(observation(100 * k + step)) for step in range(1, 9)]

        with ThreadPoolExecutor(len(clients)) as pool:
            chunks = list(pool.map(drive, range(len(clients))))
        for k, of_one in enumerate(chunks):
            assert [chunk.answers for chunk in of_one] == [100 * k + step for step in range(1, 9)]
            np.testing.assert_allclose([chunk.actions[0, 0] * 1e3 for chunk in of_one], range(1, 9))
        sizes = [round(chunk.actions[0, 1] * 1e3) for of_one in chunks for chunk in of_one]
        assert max(sizes) == 4 and sum(size > 1 for size in sizes) > len(sizes) / 2
        text = clients[0].console.metrics()
        wait_for(lambda: 'touchstone_answers_total{op="infer"} 48.0' in clients[0].console.metrics())
        assert "touchstone_batch_observations_bucket" in text
        for client in clients:
            client.close()


def test_a_request_that_was_given_up_is_withdrawn_from_the_queue():
    with serving(f"{ODD}:Slow") as (_, url):
        client = seated(url)
        working = seated_raw_inference(client, "1.0")
        with pytest.raises(DeadlineExceeded):
            client.infer(observation(2, instruction="0"), budget_ms=50)
        deadline = time.monotonic() + 5
        while "touchstone_cancelled_requests_total 2.0" not in client.console.metrics():
            assert time.monotonic() < deadline, client.console.metrics()
            time.sleep(0.05)
        assert working and client.infer(observation(3, instruction="0")).answers == 3
        client.close()


def seated_raw_inference(client, seconds):
    """An inference under way that its client gives up at once."""
    with pytest.raises(DeadlineExceeded):
        client.infer(observation(1, instruction=seconds), budget_ms=30)
    return True


def test_a_prior_reaches_a_policy_that_continues_chunks():
    with serving(f"{ODD}:Continues") as (_, url):
        client = seated(url)
        prior = Prior(np.zeros((7, 6)), np.full(7, 0.5), frozen=2)
        np.testing.assert_allclose(client.infer(observation(1), prior).actions[0, :3], [7e-3, 2e-3, 3.5])
        np.testing.assert_allclose(client.infer(observation(2)).actions[0, :3], 0)
        client.close()


def test_a_client_waits_while_the_policy_loads_and_health_answers_meanwhile(monkeypatch):
    monkeypatch.setenv("LOAD_S", "2.5")
    with serving(f"{ODD}:SlowToLoad") as (_, url):
        requests = Requests(url)
        requests.meet(time.monotonic() + 5)
        health = Console(requests).health()
        assert (health.state, health.sessions) == ("loading", 0)
        client = connect(url, timeout_s=1.0)  # shorter than the loading takes
        assert client.contract.name == "odd" and client.console.health().state == "ready"
        requests.close()
        client.close()


def test_a_policy_that_cannot_be_loaded_ends_the_server_with_its_sentence():
    process = start(f"{ODD}:FailsToLoad", stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and out.startswith("serving ")
    assert "could not be made: MemoryError: the weights do not fit." in err.strip().splitlines()[-1]


def test_policies_are_swapped_while_the_server_runs(monkeypatch):
    monkeypatch.setenv("LOAD_S", "0")
    with serving(f"{ODD}:Counts,{ODD}:Reports,{ODD}:FailsToLoad") as (_, url):
        client = seated(url)
        console = client.console
        assert [state.state for state in console.policies()] == ["ready", "absent", "absent"]
        with pytest.raises(PolicyFailure, match="load it first"):
            console.swap(f"{ODD}:Reports")
        with pytest.raises(PolicyFailure, match="knows no policy 'os:system'"):
            console.load("os:system")
        console.load(f"{ODD}:Reports")
        wait_for(lambda: console.policies()[1].state == "ready")
        assert client.infer(observation(1)).answers == 1  # the first still serves
        console.swap(f"{ODD}:Reports")
        with pytest.raises(UsageError, match="another policy than before"):
            client.infer(observation(2))
        assert seated(url).contract.name == "odd"
        console.load(f"{ODD}:FailsToLoad")
        wait_for(lambda: console.policies()[2].state == "failed")
        assert "do not fit" in console.policies()[2].sentence and console.health().state == "ready"
        client.close()


def test_a_server_that_is_told_to_stop_answers_what_is_under_way_and_refuses_the_rest():
    with serving(f"{ODD}:Slow") as (process, url):
        client, other = seated(url), connect(url)
        answers = []
        working = threading.Thread(target=lambda: answers.append(client.infer(observation(1, instruction="1.0"))))
        working.start()
        wait_for(lambda: other.console.health().busy)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: other.console.health().state == "draining")
        with pytest.raises(PolicyFailure, match=r"about to end|no seat|is gone|under way"):
            other.reset(BRIEF)
        working.join(10)
        assert [chunk.answers for chunk in answers] == [1] and process.wait(10) == 0
        client.close()
        other.close()


def test_without_a_reset_there_is_nothing_to_infer():
    with serving(f"{ODD}:Counts") as (_, url):
        client = connect(url)
        with pytest.raises(NoEpisode, match="begin one with a reset"):
            client.infer(observation(1))
        client.close()


def test_a_seat_of_a_silent_client_is_free_again_whatever_became_of_its_requests(monkeypatch):
    monkeypatch.setattr("policy_server.serving.seats.SESSION_IDLE_S", 0.0)
    policy = type("One", (), {"contract": PolicyContract(name="one", version="1"), "reset": None, "infer": None})()
    seats, jobs = Seats(policy), JobQueue()
    seat = seats.take("first")
    for number in range(3):
        seat.count(+1)
        jobs.put(Job(print, Header(op="infer", id=number, budget_ms=1.0), seat, None))
    assert seats.take("second") is None
    assert jobs.cancel(seat, 1) and not jobs.cancel(seat, 1)
    seat.count(-2)  # the others were answered
    assert seats.take("second") is not None and seats.of("first") is None
