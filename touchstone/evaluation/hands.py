"""Who carries out episodes: this process alone, or a crew of worker processes. Either way only one process writes the
session's lines."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from touchstone.data.journal import EpisodeLine, EpisodeRecorder
from touchstone.data.labels import world_label
from touchstone.errors import TouchstoneError, WorldFailure
from touchstone.evaluation.attended import Discarded
from touchstone.evaluation.episode import run_episode
from touchstone.evaluation.execution import LOCKSTEP, Execution
from touchstone.policy import Policy, PolicyContract
from touchstone.spec import Spec
from touchstone.tasks.base import task as find_task
from touchstone.world import World, WorldOffer

Recording = Callable[[Path, str, Spec, Callable[[EpisodeLine], None]], EpisodeRecorder]
#: a world and a policy of their own for a worker; must be picklable
OpenBoth = Callable[[], tuple[World, Policy]]


@dataclass(frozen=True)
class Setup:
    """What is at hand. sealed: what only a shadow knows, or None."""

    offer: WorldOffer
    contract: PolicyContract
    sealed: dict[str, Any] | None = None


class Hands(Protocol):
    """Carries out episodes into a session folder; `run` may be called again."""

    def setup(self) -> Setup: ...

    def run(self, out: Path, specs: Iterable[Spec]) -> Iterator[EpisodeLine]:
        """The line of each episode as it ends, not yet in the journal."""


class Alone:
    """One after the other, in this process, with a world and a policy that belong to somebody else."""

    def __init__(
        self,
        world: World,
        policy: Policy,
        recording: Recording = EpisodeRecorder,
        execution: Execution = LOCKSTEP,
    ) -> None:
        self._world, self._policy, self._recording, self._execution = world, policy, recording, execution

    def setup(self) -> Setup:
        sealed = getattr(self._world, "sealed", None)
        return Setup(self._world.describe(), self._policy.contract, None if sealed is None else sealed())

    def run(self, out: Path, specs: Iterable[Spec]) -> Iterator[EpisodeLine]:
        offer = self._world.describe()
        label = world_label(offer.plant, offer.path)
        for spec in specs:
            line = None
            while line is None:
                with suppress(Discarded):
                    line = self._episode(out, label, spec)
            yield line

    def _episode(self, out: Path, label: str, spec: Spec) -> EpisodeLine:
        recorder = self._recording(out, label, spec, lambda _: None)
        try:
            task = find_task(spec.task)
            verdict = run_episode(self._world, self._policy, task, spec, recorder, self._execution)
        except BaseException:
            with suppress(OSError):
                recorder.abandon()
            raise
        return recorder.finish(verdict)


class Crew:
    """Worker processes, each with a world and a policy of its own; a context manager.

    An episode's facts and pictures are those it has in one process: they depend on its spec alone.
    """

    def __init__(
        self,
        open_both: OpenBoth,
        workers: int,
        recording: Recording = EpisodeRecorder,
        execution: Execution = LOCKSTEP,
    ) -> None:
        self._open_both, self._count, self._recording, self._execution = open_both, workers, recording, execution
        self._workers: list[tuple[multiprocessing.process.BaseProcess, Connection]] = []
        self._setup: Setup | None = None

    def __enter__(self) -> Crew:
        context = multiprocessing.get_context("spawn")
        with _one_thread_each():
            for _ in range(self._count):
                ours, theirs = context.Pipe()
                order = (theirs, self._open_both, self._recording, self._execution)
                process = context.Process(target=_work, args=order, daemon=True)
                process.start()
                theirs.close()
                self._workers.append((process, ours))
        return self

    def __exit__(self, *_) -> None:
        for process, pipe in self._workers:
            with suppress(OSError):
                pipe.send(None)
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()
            pipe.close()
        self._workers.clear()

    def setup(self) -> Setup:
        """Waits until every worker has its world and its policy. Raises what they raise."""
        if self._setup is None:
            self._setup, *_ = [self._receive(worker) for worker in self._workers]
        return self._setup

    def run(self, out: Path, specs: Iterable[Spec]) -> Iterator[EpisodeLine]:
        self.setup()
        waiting = iter(specs)
        busy: dict[Connection, Any] = {}
        for worker in self._workers:
            self._give(out, worker, waiting, busy)
        while busy:
            for pipe in wait(list(busy)):
                worker = busy.pop(pipe)
                line = self._receive(worker)
                self._give(out, worker, waiting, busy)
                yield line

    def _give(self, out: Path, worker, waiting: Iterator[Spec], busy: dict) -> None:
        spec = next(waiting, None)
        if spec is not None:
            worker[1].send((out, spec))
            busy[worker[1]] = worker

    def _receive(self, worker) -> Any:
        process, pipe = worker
        try:
            answer = pipe.recv()
        except (EOFError, OSError):
            process.join(timeout=5)
            raise WorldFailure(
                f"A worker process ended with {process.exitcode} in mid-episode; run the same command again to go on."
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _work(pipe: Connection, open_both: OpenBoth, recording: Recording, execution: Execution) -> None:
    try:
        world, policy = open_both()
        hands = Alone(world, policy, recording, execution)
        pipe.send(hands.setup())
        while (order := pipe.recv()) is not None:
            out, spec = order
            pipe.send(next(hands.run(out, [spec])))
        world.close()
    except TouchstoneError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        # the session was stopped: what is in flight is run again when it is resumed
        return


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Two renderers of one thread each are nearly twice as fast as one renderer of two threads."""
    wanted = {"LP_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
