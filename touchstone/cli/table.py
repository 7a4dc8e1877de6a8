"""`touchstone table`: many sessions as one table over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Table:
    """Tabulate sessions as GrinningFace's Table 3 does: protocols across, seeds down, mean and deviation."""

    sessions: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="DIR [DIR ...]")]
    """session folders, or folders that hold session folders"""
    out: Path | None = None
    """folder for table3.json and table3.md; nothing is written unless said"""

    def run(self) -> int:
        from rich.console import Console
        from rich.progress import track

        from touchstone.scoring.many import seed_table
        from touchstone.scoring.seed_table import print_seed_table, write_seed_table

        shown = Console(stderr=True)
        table = seed_table(
            self.sessions,
            lambda found: track(found, "scoring", console=shown, transient=True, disable=not shown.is_terminal),
        )
        print_seed_table(table)
        if self.out is not None:
            for path in write_seed_table(table, self.out):
                print(path)
        return 0
