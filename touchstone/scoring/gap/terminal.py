"""A gap study in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from touchstone.scoring.gap import words
from touchstone.scoring.gap.records import Study


def print_study(study: Study, console: Console | None = None) -> None:
    """Prints the answer, the policies, the agreement of the worlds, and what is odd."""
    console = console or Console()
    other = words.there(study)
    console.print(f"[bold]{words.headline(study)}[/]", highlight=False, soft_wrap=True)
    console.print(f"{study.sim.world} · {study.real.world} ({study.real.words})", style="dim", soft_wrap=True)
    if study.stands_in:
        console.print("The shadow stands in for a bench: nothing here was measured on an arm.", style="yellow")
    console.print(_policies(study, other))
    found = study.agreement
    for name, one in (("Pearson r", found.pearson), ("Spearman rho", found.spearman)):
        console.print(f"{name}: {words.measure(one, other)}", highlight=False, soft_wrap=True)
    console.print(f"MMRV, reference {other}: {words.measure(found.mmrv, other)}", highlight=False, soft_wrap=True)
    for task in study.tasks:
        console.print(f"{task.task}, where: {task.stages.because}", highlight=False, soft_wrap=True)
    for sentence in words.answers(study):
        console.print(f"  {sentence}", highlight=False, markup=False, soft_wrap=True)
    for flag in study.flags:
        console.print(f"  {flag}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def _policies(study: Study, other: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("policy", overflow="fold")
    for name in ("twin", other, f"{other} - twin", "finding", "more"):
        broken = name in ("finding", "more")
        table.add_column(name, justify="right", no_wrap=not broken, min_width=7 if broken else None)
    for cell in study.cells:
        table.add_row(
            cell.name,
            *(f"{world.overall.successes}/{world.overall.trials}" for world in (cell.sim, cell.real)),
            f"{words.points(cell.difference.difference)}\n({words.span(cell.difference.interval, words.points)})",
            words.FINDINGS[cell.finding],
            words.more_pairs(cell.advice),
        )
    return table
