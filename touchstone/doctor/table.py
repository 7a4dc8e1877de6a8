"""The doctor's table for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from touchstone.doctor.check import Check

COLOURS = {"ok": "green", "missing": "red", "warning": "yellow", "not needed here": "dim"}


def print_table(checks: list[Check], console: Console | None = None) -> None:
    """One row a part, then what to do, then whether `make touch-emoji` can run."""
    console = console or Console()
    table = Table(title="touchstone doctor", title_justify="left")
    for heading in ("part", "status", "what was found"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        table.add_row(check.name, f"[{COLOURS[check.status]}]{check.status}[/]", _plain(check.detail))
    console.print(table)
    for check in checks:
        if check.fix and check.status in ("missing", "warning"):
            console.print(f"[{COLOURS[check.status]}]{check.name}[/]: {_plain(check.fix)}", soft_wrap=True)
    blocking = [check.name for check in checks if check.blocks]
    if blocking:
        console.print(f"[red]`make touch-emoji` cannot run: {', '.join(blocking)} missing.[/]", soft_wrap=True)
    else:
        console.print("[green]`make touch-emoji` can run on this machine.[/]")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
