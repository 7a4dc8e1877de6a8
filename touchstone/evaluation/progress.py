"""The progress bar of a session, with the scores so far; the same in every world."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from touchstone.data.journal import EpisodeLine
from touchstone.scoring.running import RunningScore


class SessionProgress:
    """A context manager; `update` fits `run_session`'s progress callback."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[score]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task(title, total=None, score="starting")
        self._score = RunningScore()

    def __enter__(self) -> SessionProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._bar.stop()

    def update(self, line: EpisodeLine | None, done: int, trials: int) -> None:
        """After every episode, and once before the first with `line` None."""
        if line is not None:
            self._score.add(line.verdict)
        self._bar.update(self._task, completed=done, total=trials, score=self._score.text)
        if line is not None and not self._bar.console.is_terminal:
            self._bar.console.print(
                f"{done}/{trials}  {line.episode}  {line.verdict.reason}  [{self._score.text}]", markup=False
            )
