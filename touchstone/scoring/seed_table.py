"""A table over seeds as text: in the terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from touchstone.data.disk import replace_whole, writable_folder
from touchstone.scoring.many import Block, Cell, Column, SeedTable
from touchstone.scoring.published import PublishedRow, PublishedTable
from touchstone.scoring.rules import rule_sentence

JSON, MARKDOWN = "table3.json", "table3.md"
_SUMMARY_ROWS = 2


@dataclass(frozen=True)
class Grid:
    """Rows of text under a title; the last two rows are mean and standard deviation."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def print_seed_table(table: SeedTable, console: Console | None = None) -> None:
    """Prints every block, with the published numbers beside those that they can be held against."""
    console = console or Console()
    for block in table.blocks:
        console.print(f"[bold]{block.task}[/] · {block.policy} · {block.robot} · rule [bold]{block.rule}[/]")
        console.print(_where(block), style="dim", soft_wrap=True)
        console.print(Columns([_drawn(grid) for grid in _grids(block)], padding=(0, 3)))
        for note in _notes(block):
            console.print(f"  {note}", style="dim", markup=False, highlight=False, soft_wrap=True)
        console.print()


def write_seed_table(table: SeedTable, out: Path) -> tuple[Path, Path]:
    """Writes table3.json and table3.md into a folder, which is made. Raises UsageError if it cannot be written."""
    writable_folder(out)
    text = json.dumps(table.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
    replace_whole(out / JSON, text.encode())
    replace_whole(out / MARKDOWN, markdown(table).encode())
    return out / JSON, out / MARKDOWN


def markdown(table: SeedTable) -> str:
    """The table as Markdown."""
    parts = ["# Execution / recognition over seeds, in %\n"]
    for block in table.blocks:
        parts.append(f"## {block.task}, {block.policy}, {block.robot}, {block.world}, rule {block.rule}\n")
        parts.append(f"{_where(block)}\n")
        for grid in _grids(block):
            lines = [f"| {' | '.join(row)} |".replace("*", "\\*") for row in (grid.head, *grid.rows)]
            lines.insert(1, "|---|" + "---:|" * (len(grid.head) - 1))
            parts.append("\n".join([f"**{grid.title}**\n", *lines, ""]))
        parts.append("\n".join(f"- {note}".replace("*", "\\*") for note in _notes(block)) + "\n")
    return "\n".join(parts)


def _grids(block: Block) -> list[Grid]:
    return [_measured(block), *([_published(block.published)] if block.published else [])]


def _measured(block: Block) -> Grid:
    cells = {(column.protocol, cell.seed): cell for column in block.columns for cell in column.cells}
    rows = [
        (str(seed), *(_cell(cells.get((column.protocol, seed))) for column in block.columns))
        for seed in sorted({seed for _, seed in cells})
    ]
    rows.append(("mean", *(_spread(column, "mean") for column in block.columns)))
    rows.append(("std", *(_spread(column, "std") for column in block.columns)))
    return Grid("this table", ("seed", *(column.protocol for column in block.columns)), tuple(rows))


def _published(table: PublishedTable) -> Grid:
    def row(one: PublishedRow) -> tuple[str, ...]:
        return (one.name, *(f"{execution:g}/{recognition:g}" for execution, recognition in one.cells.values()))

    def decimals(one: PublishedRow) -> tuple[str, ...]:
        return (one.name, *(f"{execution:.1f}/{recognition:.1f}" for execution, recognition in one.cells.values()))

    rows = (*map(row, table.seeds), decimals(table.mean), decimals(table.std))
    return Grid(f"published ({table.place})", ("seed", *table.protocols), rows)


def _drawn(grid: Grid) -> Table:
    table = Table(title=grid.title, box=box.SIMPLE_HEAD, title_justify="left")
    for name in grid.head:
        table.add_column(name, justify="left" if name == grid.head[0] else "right", no_wrap=True)
    for number, row in enumerate(grid.rows):
        last_seed = number == len(grid.rows) - _SUMMARY_ROWS - 1
        table.add_row(*row, end_section=last_seed)
    return table


def _where(block: Block) -> str:
    privileged = "; privileged policy: it sees what only a simulator knows" if block.privileged else ""
    return f"{block.where} (world {block.world}){privileged}"


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return _pair(cell.execution.rate, cell.recognition.rate) + ("" if cell.complete else "*")


def _spread(column: Column, what: str) -> str:
    pair = _pair(*(getattr(column.spread[name], what) for name in ("execution", "recognition")))
    return pair + ("" if pair == "-" or all(cell.complete for cell in column.cells) else "*")


def _pair(execution: float | None, recognition: float | None) -> str:
    if execution is None and recognition is None:
        return "-"
    return "/".join("-" if one is None else f"{100 * one:.1f}" for one in (execution, recognition))


def _notes(block: Block) -> list[str]:
    cells = [cell for column in block.columns for cell in column.cells]
    trials = sorted({cell.trials for cell in cells})
    counts = f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"
    episodes = "episode" if trials == [1] else "episodes"
    notes = [
        f"Execution / recognition in %, {counts} {episodes} a cell; recognition is of those executed. "
        "std: sample standard deviation over seeds (n - 1), undefined for one seed."
    ]
    sentence = rule_sentence(block.task, block.rule)
    if sentence:
        notes.append(f"Rule {block.rule}{', which decides' if block.decides else ''}: {sentence}")
    if any(column.spread["recognition"].seeds < column.spread["execution"].seeds for column in block.columns):
        notes.append("Seeds without an execution have no recognition; its mean and std leave them out.")
    unfinished = [cell for cell in cells if not cell.complete]
    if unfinished:
        listed = ", ".join(f"{cell.session} ({cell.trials} of {cell.planned})" for cell in unfinished)
        notes.append(f"* not finished: {listed}; what is there is counted, in mean and std too.")
    if block.published:
        one = block.published
        notes.append(f"Published, not measured here: {one.source}, {one.policy}; std: {one.deviation}.")
    return notes
