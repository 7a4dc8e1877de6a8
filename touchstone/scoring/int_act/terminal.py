"""A suite's scores in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from touchstone.data.labels import plain_words
from touchstone.scoring.int_act.records import ENDINGS, Group, SuiteScores
from touchstone.scoring.int_act.titles import short, title

#: what fits into 80 columns; summary.json has the rest
SHOWN = ("intention", "grasp", "wrong_object", "success", "strict")


def print_suite(scores: SuiteScores, console: Console | None = None) -> None:
    """Prints the means of subcategories and families, what is missing, and how episodes failed."""
    console = console or Console()
    console.print(
        f"[bold]{scores.suite}[/] · {scores.policy} · {scores.all.tasks} of {scores.all.of} tasks · seeds "
        f"{', '.join(map(str, scores.seeds))}",
        highlight=False,
    )
    console.print(_where(scores), style="dim", highlight=False)
    console.print(_means(scores))
    for ending in ENDINGS[1:]:
        count = sum(values.get(ending, 0) for values in (scores.all.endings, scores.uncounted_endings))
        if count:
            console.print(f"  {count} x {title(ending)}", style="yellow", highlight=False)
    for sentence in missing_sentences(scores):
        console.print(sentence, style="dim", markup=False, highlight=False, soft_wrap=True)


def missing_sentences(scores: SuiteScores) -> list[str]:
    """What the numbers do not cover, one sentence each."""
    out = []
    if scores.planned > scores.trials:
        out.append(f"Unfinished: {scores.trials} of {scores.planned} episodes; the same command resumes it.")
    if scores.not_run:
        names = ", ".join(scores.not_run[:6]) + (", ..." if len(scores.not_run) > 6 else "")
        out.append(f"Not run: {len(scores.not_run)} of {scores.all.of} tasks ({names}).")
    if scores.without_base:
        names = ", ".join(map(short, scores.without_base[:3])) + (", ..." if len(scores.without_base) > 3 else "")
        out.append(f"No delta for want of the base task: {names}; add it with --tasks.")
    return out


def _where(scores: SuiteScores) -> str:
    words = [plain_words(scores.plant, scores.path), scores.robot, f"{scores.trials} episodes"]
    if scores.privileged:
        words.append("privileged policy: it sees what only a simulator knows")
    if scores.words != "suite":
        words.append(f"wording {scores.words}")
    return " · ".join(words)


def _means(scores: SuiteScores) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("mean, %", no_wrap=True)
    table.add_column("tasks", justify="right", no_wrap=True)
    for metric in SHOWN:
        table.add_column(title(metric).replace(" ", "\n"), justify="right", no_wrap=True)
    # the family `original` is its only subcategory
    rows: dict[str, Group] = {**scores.subcategories, **scores.families, "all": scores.all}
    for name, group in rows.items():
        if group.tasks:
            cells = [_percent(group.means[metric].value) for metric in SHOWN]
            style = "bold" if name == "all" else "dim" if name in scores.families else None
            table.add_row(title(name), f"{group.tasks}/{group.of}", *cells, style=style)
    for task in scores.tasks.values():
        if not task.counted:
            table.add_row("the 51st, not counted", "1", *(_percent(task.values[metric]) for metric in SHOWN))
    return table


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
