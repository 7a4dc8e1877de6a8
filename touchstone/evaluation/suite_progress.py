"""The progress of a suite: one bar for all its episodes, with the time that is left and the values so far."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from touchstone.data.journal import EpisodeLine
from touchstone.evaluation.suite import Part
from touchstone.scoring.int_act.titles import short
from touchstone.tasks.int_act.task import FAMILY

#: the time left is estimated from the pace of this long [s]: tasks differ in length
PACE_OVER_S = 600.0
#: the values that stand beside the bar
SHOWN = ("intention", "grasp", "success", "strict")


class SuiteProgress:
    """A context manager; `update` fits `run_suite`'s progress callback. done: episodes that were there already."""

    def __init__(self, title: str, done: int, total: int, console: Console | None = None) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("[bold]{task.description}"),
            TextColumn("{task.fields[score]}"),
            console=console,
            speed_estimate_period=PACE_OVER_S,
        )
        # what was there already is no pace: it is set at once and not by an update
        self._task = self._bar.add_task(title, total=total, completed=done, score="starting")
        self._done, self._total = done, total
        self._seen, self._held = 0, dict.fromkeys(SHOWN, 0)

    def __enter__(self) -> SuiteProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._bar.stop()

    @property
    def score(self) -> str:
        """Of the episodes of this run: 'intention 9/9 grasp 8/9 success 8/9 strict 7/9'."""
        return " ".join(f"{name} {count}/{self._seen}" for name, count in self._held.items())

    def update(self, part: Part, line: EpisodeLine) -> None:
        """After every episode."""
        self._done += 1
        self._seen += 1
        for name in SHOWN:
            self._held[name] += line.verdict.values[name]
        task = part.config.task.removeprefix(f"{FAMILY}:")
        self._bar.update(self._task, completed=self._done, description=short(task), score=self.score)
        if not self._bar.console.is_terminal:
            self._bar.console.print(
                f"{self._done}/{self._total}  {part.name}  {line.episode}  {line.verdict.reason}  [{self.score}]",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
