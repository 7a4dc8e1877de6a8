"""`touchstone gap`: how far a simulated world is from a bench."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Gap:
    """Compare sessions of the twin with sessions of a bench, or of a shadow that stands in for one: how far apart they
    are, for which policies, how sure that is, where the gap arises, and how many more trials would settle it."""

    sim: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DIR [DIR ...]")]
    """sessions of the twin: their folders, or folders that hold some"""
    real: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DIR [DIR ...]")]
    """sessions of the bench, or of one shadow, which is never called real"""
    out: Path | None = None
    """folder for gap.html and its tables (JSON, CSV, LaTeX); nothing is written unless said"""
    margin: float = 0.1
    """a difference of success rates whose interval lies within it counts as agreement"""
    seed: int = 0
    """of the bootstraps"""

    def run(self) -> int:
        from rich.console import Console
        from rich.progress import track

        from touchstone.scoring.gap.report import write_gap_report
        from touchstone.scoring.gap.study import gap_study
        from touchstone.scoring.gap.tables import write_tables
        from touchstone.scoring.gap.terminal import print_study

        shown = Console(stderr=True)
        study, paired = gap_study(
            sim=self.sim,
            real=self.real,
            margin=self.margin,
            seed=self.seed,
            each=lambda found: track(found, "scoring", console=shown, transient=True, disable=not shown.is_terminal),
        )
        print_study(study)
        if self.out is not None:
            for path in (write_gap_report(study, paired, self.out), *write_tables(study, paired, self.out)):
                print(path)
        return 0
