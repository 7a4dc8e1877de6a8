"""A coroutine out of ordinary code: it runs in a thread of its own, but only while somebody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Routine:
    """Runs `body(ask)` step by step: `ask(question)` in the body halts it until `resume` brings the answer.

    Body and caller never run at the same time, so they may share whatever they like, and what happens depends on no
    scheduler. `body` need not know of it: it may call through any number of functions that were written without one.
    """

    def __init__(self, body: Callable[[Callable[[Any], Any]], None], name: str) -> None:
        self._body = body
        self._go, self._halted = threading.Semaphore(0), threading.Semaphore(0)
        self._answer: Any = None
        self._question: Any = None
        self._error: BaseException | None = None
        self._closing = self._running = False
        # a daemon, so that a body that hangs cannot keep an interrupted process alive
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the body has not returned or raised yet."""
        return self._body is not None

    def resume(self, answer: Any = None) -> Any:
        """Lets the body run until it asks again, and returns what it asks; None when it has returned.

        answer: of the question before; an exception is raised where the body asked. Raises what the body raises.
        """
        self._answer = answer
        self._running = True
        self._go.release()
        return self._wait()

    def close(self) -> None:
        """Ends the body where it stands, by an exception that it should let pass; may be called twice."""
        if self._running:
            # the wait for it was interrupted; it comes to its next question, or its end, by itself
            self._halted.acquire()
            self._running = False
        if self.alive:
            self._closing = True
            self._go.release()
            self._halted.acquire()
        self._thread.join()

    def _wait(self) -> Any:
        self._halted.acquire()
        self._running = False
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._question

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self._closing:
                self._body(self._ask)
        except _Closed:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self._body = self._question = None
            self._halted.release()

    def _ask(self, question: Any) -> Any:
        self._question = question
        self._halted.release()
        self._go.acquire()
        if self._closing:
            raise _Closed
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer


class _Closed(BaseException):
    """Raised in a body that is ended."""
