"""The table of what scripted policies are worth on INT-ACT, from the runs of the suite in some folders:

    .venv/bin/touchstone eval int-act --policy expert --no-pictures --seeds 42 --tasks '*' --workers 2 --out runs/expert
    .venv/bin/python benchmarks/int_act_policies.py runs/expert --out docs/int-act-expert.md

One run: a row a task, INT-ACT's own success, the strict one, and how many episodes. Scored anew from the journals.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from touchstone.scoring.int_act.score import ScoredSuite, scored_suite
from touchstone.scoring.rates import Rate
from touchstone.tasks.int_act.deltas import TaskSummary
from touchstone.tasks.int_act.suite import suite


@dataclass(frozen=True)
class Options:
    """What is written."""

    run: Annotated[Path, tyro.conf.Positional]
    """folder of a run of `touchstone eval int-act`"""
    out: Path | None = None
    """Markdown file; printed where none is given"""


def main(options: Options) -> None:
    page = table(scored_suite(options.run))
    if options.out is None:
        print(page, end="")
    else:
        options.out.write_text(page)
        print(options.out)


def table(run: ScoredSuite) -> str:
    """Markdown: a row for each of the suite's tasks, those without episodes too."""
    tasks = run.scores.tasks
    counted = [task for task in tasks.values() if task.counted]
    policy = run.counted[0].record.config["policy"]
    rows = [
        f"# `{policy}` on INT-ACT",
        "",
        "Simulated: the ManiSkill twin. Written by `benchmarks/int_act_policies.py` from the journals of a run.",
        "",
        "| task | source | target | paper | strict | n |",
        "|---|---|---|--:|--:|--:|",
        *(_row(name, tasks.get(name)) for name in suite().tasks),
        "",
        f"{len(counted)} of {sum(task.counted for task in suite().tasks.values())} counted tasks, "
        f"{sum(task.strict.trials for task in counted)} episodes: paper {_mean(counted, 'success')}, "
        f"strict {_mean(counted, 'strict')} on average over tasks; "
        f"the lowest strict rate of a task is {min(task.strict.rate for task in counted):.0%}.",
    ]
    return "\n".join(rows) + "\n"


def _row(name: str, summary: TaskSummary | None) -> str:
    task = suite().task(name)
    mark = "" if task.counted else " (not counted)"
    rates = ("–", "–", 0)
    if summary is not None:
        rates = (_percent(summary.success), _percent(summary.strict), summary.strict.trials)
    return f"| `{name}`{mark} | {task.objects.source} | {task.objects.target} | {' | '.join(map(str, rates))} |"


def _percent(rate: Rate) -> str:
    return f"{rate.rate:.0%}"


def _mean(tasks: list[TaskSummary], metric: str) -> str:
    return f"{sum(getattr(task, metric).rate for task in tasks) / len(tasks):.1%}"


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
