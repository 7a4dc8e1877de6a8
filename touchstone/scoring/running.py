"""Scores while a session runs."""

from __future__ import annotations

from touchstone.tasks.base import Verdict


class RunningScore:
    """Counts verdicts as they come; `text` is for a progress bar."""

    def __init__(self) -> None:
        self.trials = self.executed = self.recognised = 0

    def add(self, verdict: Verdict) -> None:
        self.trials += 1
        self.executed += verdict.execution
        self.recognised += verdict.success

    @property
    def text(self) -> str:
        """'exec 9/9 rec 8/9'."""
        return f"exec {self.executed}/{self.trials} rec {self.recognised}/{self.executed}"
