"""Cases and their measurement: in a run all ways get blocks of requests in turn, so that noise meets all alike."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from roundtrip import ways
from roundtrip.processes import Client, DoesNotRun, Server, soon
from roundtrip.ways import Way

DROPPED = 3  # the first of a block find caches that other ways have filled


@dataclass(frozen=True)
class Case:
    """share: how many times fewer requests a client gets than in the first case. thinking: the policy takes 20 ms."""

    title: str
    clients: int
    ways: tuple[Way, ...]
    share: int = 1
    thinking: bool = False


CASES = (
    Case(
        "1 client",
        1,
        (
            ways.TCP,
            ways.IPC,
            ways.SHM,
            ways.JPEG,
            ways.OPENPI,
            ways.VLA_EVAL_RAW,
            ways.VLA_EVAL_PNG,
            ways.MEMCPY,
        ),
    ),
    Case("8 clients", 8, (ways.TCP, ways.IPC, ways.SHM, ways.OPENPI, ways.VLA_EVAL_RAW), share=4),
    Case(
        "8 clients, a policy of 20 ms a batch",
        8,
        (ways.TCP, ways.SHM, ways.OPENPI, ways.VLA_EVAL_RAW),
        share=4,
        thinking=True,
    ),
)


@dataclass
class Tally:
    """What one way did in one run. first_ms: of each block's first request. CPU: of all requests, dropped or not."""

    ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    requests: int = 0
    seconds: float = 0.0
    client_cpu_s: float = 0.0
    server_cpu_s: float = 0.0

    def figures(self) -> dict:
        return {
            "p50_ms": float(np.percentile(self.ms, 50)),
            "p99_ms": float(np.percentile(self.ms, 99)),
            "first_ms": float(np.median(self.first_ms)),
            "client_cpu_ms": self.client_cpu_s / self.requests * 1e3,
            "server_cpu_ms": self.server_cpu_s / self.requests * 1e3,
            "served_per_s": self.requests / self.seconds,
            "n": len(self.ms),
        }


class Contestant:
    """A way's running server and its connected clients."""

    def __init__(self, way: Way, case: Case, folder: Path, stack: ExitStack, apart: bool):
        self.way = way
        self._server: Server | None = None
        self._clients: list[Client] = []
        with ExitStack() as started:
            if way.server is not None:
                self._server = way.server(folder, case.thinking)
                started.callback(self._server.close)
            for _ in range(case.clients):
                client = way.client("" if self._server is None else self._server.address)
                started.callback(client.close)
                self._clients.append(client)
            for client in self._clients:
                client.connected()
            if apart and case.clients == 1:
                self._part()
            stack.enter_context(started.pop_all())

    def block(self, requests: int, tally: Tally) -> None:
        """All clients at once, `requests` each; adds to the tally."""
        # a slow way does not feel cold caches
        dropped = DROPPED if self.way.slowness == 1 else 1
        before, at = self._server_cpu_s(), soon()
        for client in self._clients:
            client.begin(requests + dropped, at)
        results = [client.result() for client in self._clients]
        tally.server_cpu_s += self._server_cpu_s() - before
        tally.client_cpu_s += sum(result["cpu_s"] for result in results)
        tally.seconds += max(result["ended"] for result in results) - min(result["began"] for result in results)
        tally.requests += sum(len(result["ms"]) for result in results)
        for result in results:
            tally.ms += result["ms"][dropped:]
            tally.first_ms.append(result["ms"][0])

    def _part(self) -> None:
        # a client and its server may run at the same time; whether the scheduler lets them is luck on a busy machine
        cores = sorted(os.sched_getaffinity(0))
        if self._server is not None and len(cores) > 1:
            self._clients[0].keep_to(cores[0])
            self._server.keep_to(cores[1])

    def _server_cpu_s(self) -> float:
        return 0.0 if self._server is None else self._server.cpu_s()


def measure(
    case: Case, runs: int, requests: int, blocks: int, say: Callable[[str], None], apart: bool = True
) -> tuple[dict[str, list[dict]], dict[str, str]]:
    """Way's name -> figures of each run, and way's name -> why it did not run.

    requests: of the one client of a fast way in a run, in `blocks` blocks. apart: one client and its server keep to a
    core each.
    """
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roundtrip-")))
        there: list[Contestant] = []
        for way in case.ways:
            say(f"{case.title}: starting {way.name}")
            try:
                contestant = Contestant(way, case, folder, stack, apart)
                contestant.block(_block_size(case, way, requests, blocks), Tally())
                there.append(contestant)
            except DoesNotRun as error:
                missing[way.name] = str(error)
        figures: dict[str, list[dict]] = {contestant.way.name: [] for contestant in there}
        for run in range(runs):
            say(f"{case.title}: run {run + 1} of {runs}")
            tallies = {contestant.way.name: Tally() for contestant in there}
            for turn in range(blocks):
                # the order turns too, so that no way always follows the same one
                for contestant in there[turn % len(there) :] + there[: turn % len(there)]:
                    way = contestant.way
                    contestant.block(_block_size(case, way, requests, blocks), tallies[way.name])
            for name, tally in tallies.items():
                figures[name].append(tally.figures())
    return figures, missing


def _block_size(case: Case, way: Way, requests: int, blocks: int) -> int:
    return max(1, requests // (blocks * case.share * way.slowness))
