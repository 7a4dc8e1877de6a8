"""Asking over topics: publish a request, work off callbacks until the answer is there, never longer than a limit."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_bridge.lifetime import LOOK, Signals

from touchstone.errors import TouchstoneError

Answer = TypeVar("Answer")


class Link:
    """One node's way to wait. Everything happens in the caller's thread."""

    def __init__(self, node: Node, signals: Signals, executor: SingleThreadedExecutor) -> None:
        self.node = node
        self._signals, self._executor = signals, executor
        self._asker = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def new_request(self) -> str:
        """An id that nobody else uses, in this run or another."""
        return f"{self._asker}-{next(self._numbers)}"

    def wait(
        self, answer: Callable[[], Answer | None], limit_s: float, complaint: Callable[[], TouchstoneError]
    ) -> Answer:
        """The first answer that is not None. Raises `complaint()` after `limit_s`, and Stopped on a signal."""
        deadline = time.monotonic() + limit_s
        while (found := answer()) is None:
            self._signals.check()
            left = deadline - time.monotonic()
            if left <= 0:
                raise complaint()
            self._executor.spin_once(timeout_sec=min(LOOK, left))
        return found
