"""A thread for what waits: requests that take their time, pictures that come when they come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], object]


class Worker:
    """Does jobs one after the other in a thread of its own. The first error ends it, and `check` raises it."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._ending = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, job: Job) -> None:
        """Does `job` when those before it are done."""
        self._jobs.put(job)

    def repeat(self, job: Job) -> None:
        """Does `job` again and again until the end."""

        def again() -> None:
            job()
            self._jobs.put(again)

        self._jobs.put(again)

    def check(self) -> None:
        """Raises what a job has raised."""
        if self._error is not None:
            raise self._error

    def end(self, timeout_s: float = 5.0) -> None:
        """Waits until the present job is done, at most `timeout_s` [s]; no other begins."""
        self._ending.set()
        self._jobs.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None and not self._ending.is_set():
            try:
                job()
            except BaseException as error:  # it is raised again in the thread that looks
                self._error = error
                return
