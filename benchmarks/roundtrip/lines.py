"""How the benchmark drives a client in another process, so that blocks of all ways take turns.

One JSON line in for each block, one out. In: `{"requests": N, "at": T}`, T a `time.monotonic()` to start at. Out, once
connected: `{"ready": true}`; then for each block `{"ms": [...], "cpu_s": C, "began": T, "ended": T}`. The client ends
with its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from roundtrip.payload import OBSERVATIONS


def answer_lines(ask: Callable[[int], Any], check: Callable[[int, Any], None], prepare: Callable[[], None]) -> None:
    """Serves blocks. ask: one round trip with observation 0..7. check: of its answer. prepare: before each block."""

    def block(requests: int) -> tuple[list[float], list]:
        ms, answers = [], []
        for k in range(requests):
            began = time.perf_counter()
            answer = ask(k % OBSERVATIONS)
            ms.append((time.perf_counter() - began) * 1e3)
            answers.append(answer)
        return ms, answers

    _serve(block, check, prepare)


def answer_lines_async(
    loop: asyncio.AbstractEventLoop, ask: Callable[[int], Awaitable[Any]], check: Callable[[int, Any], None]
) -> None:
    """The same for a client that lives in an event loop; a block runs in it as a whole."""

    async def timed(requests: int) -> tuple[list[float], list]:
        ms, answers = [], []
        for k in range(requests):
            began = time.perf_counter()
            answer = await ask(k % OBSERVATIONS)
            ms.append((time.perf_counter() - began) * 1e3)
            answers.append(answer)
        return ms, answers

    _serve(lambda requests: loop.run_until_complete(timed(requests)), check, lambda: None)


def _serve(
    block: Callable[[int], tuple[list[float], list]], check: Callable[[int, Any], None], prepare: Callable[[], None]
) -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        prepare()
        time.sleep(max(0.0, order["at"] - time.monotonic()))
        began, cpu = time.monotonic(), time.process_time()
        ms, answers = block(order["requests"])
        cpu_s, ended = time.process_time() - cpu, time.monotonic()
        for k, answer in enumerate(answers[:OBSERVATIONS]):
            check(k, answer)
        print(json.dumps({"ms": ms, "cpu_s": cpu_s, "began": began, "ended": ended}), flush=True)
