"""A policy server over many requests, and beside a client that sends rubbish."""

import random
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zmq

from policy_server.client import connect
from policy_server.wire import Header, pack
from tests.policy_server.samples import BRIEF, observation
from tests.policy_server.served import serving

pytestmark = pytest.mark.long

REQUESTS = 200_000
SETTLED = 10_000
RUBBISH_S = 60.0


def resident_kib(pid: int | str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def small(number: int):
    seen = observation(number)
    frame = seen.cameras["scene"]
    model = replace(frame.model, width=64, height=48)
    return replace(seen, cameras={"scene": replace(frame, image=frame.image[:48, :64].copy(), model=model)})


@pytest.mark.parametrize("transport", ["tcp", "shm"])
def test_memory_stays_flat_and_no_reply_is_lost(transport, tmp_path):
    bind = "tcp://127.0.0.1:0" if transport == "tcp" else f"shm://{tmp_path}/policy"
    with serving("tests.policy_server.odd_policies:Counts", bind) as (process, url):
        client = connect(url)
        client.reset(BRIEF)
        seen = small(1)
        settled = None
        for number in range(1, REQUESTS + 1):
            chunk = client.infer(replace(seen, id=number))
            assert chunk.answers == number
            assert round(chunk.actions[0, 0] * 1e3) == number  # none was served twice, none was left out
            if number == SETTLED:
                settled = resident_kib(process.pid), resident_kib("self")
        assert resident_kib(process.pid) <= settled[0] * 1.02
        assert resident_kib("self") <= settled[1] * 1.02
        client.close()


def test_a_minute_of_rubbish_harms_nobody():
    with serving("tests.policy_server.odd_policies:Counts") as (process, url):
        client = connect(url)
        client.reset(BRIEF)
        client.infer(observation(1))
        ending = threading.Event()
        sent = []
        rubbish = threading.Thread(target=lambda: sent.append(send_rubbish(url, ending)))
        rubbish.start()
        give_up, number, settled = time.monotonic() + RUBBISH_S, 1, None
        while time.monotonic() < give_up:
            number += 1
            assert client.infer(observation(number), budget_ms=5000).answers == number
            if settled is None and time.monotonic() > give_up - RUBBISH_S / 2:
                settled = resident_kib(process.pid)
        ending.set()
        rubbish.join()
        assert sent[0] > 10_000 and process.poll() is None
        assert resident_kib(process.pid) <= settled * 1.05
        client.close()


def send_rubbish(url: str, ending: threading.Event) -> int:
    """Random bytes, damaged messages and half-finished connections, from a new peer every hundred messages."""
    draw, sent, context = random.Random(0), 0, zmq.Context()
    whole = [bytes(f) for f in pack(Header(op="infer", id=1, session="s"), {"a": np.arange(48, dtype=np.uint8)})]
    while not ending.is_set():
        with context.socket(zmq.DEALER) as raw:
            raw.setsockopt(zmq.LINGER, 0)
            raw.setsockopt(zmq.SNDTIMEO, 1000)
            raw.connect(url)
            for _ in range(100):
                frames = [bytearray(frame) for frame in whole]
                for _ in range(draw.randint(0, 4)):
                    frame = draw.choice(frames)
                    frame[draw.randrange(len(frame))] = draw.randrange(256)
                if draw.random() < 0.5:
                    frames = [draw.randbytes(draw.randrange(300)) for _ in range(draw.randint(1, 6))]
                try:
                    raw.send_multipart(frames)
                except zmq.Again:
                    break
                sent += 1
    context.term()
    return sent
