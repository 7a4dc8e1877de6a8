"""`touchstone compare`: policies against each other on one task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Compare:
    """Compare policies on one task in one world, while trials may still come in: rates, differences, and whether to
    stop or how many more pairs to run."""

    sessions: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="DIR DIR [DIR ...]")]
    """a policy's session folder each, or folders that hold some"""
    json: Path | None = None
    """file for everything that was found; nothing is written unless said"""
    margin: float = 0.1
    """a difference of success rates within it is no difference"""
    alpha: float = 0.05
    """how often, at most, equal policies may be told apart, all tests together"""
    budget: int | None = None
    """how many pairs can be run at most, those so far included; unlimited unless said"""
    test: Literal["boschloo", "barnard"] = "boschloo"
    """of independent trials"""
    seed: int = 0
    """of the bootstrap"""

    def run(self) -> int:
        from rich.console import Console
        from rich.progress import track

        from touchstone.data.disk import replace_whole
        from touchstone.errors import UsageError
        from touchstone.scoring.comparison import compare_policies
        from touchstone.scoring.comparison_terminal import print_comparison

        shown = Console(stderr=True)
        found = compare_policies(
            self.sessions,
            margin=self.margin,
            alpha=self.alpha,
            budget=self.budget,
            test=self.test,
            seed=self.seed,
            each=lambda paths: track(paths, "scoring", console=shown, transient=True, disable=not shown.is_terminal),
        )
        print_comparison(found)
        if self.json is not None:
            try:
                self.json.parent.mkdir(parents=True, exist_ok=True)
                replace_whole(self.json, found.to_json().encode())
            except OSError as error:
                raise UsageError(f"Cannot write {self.json}: {error.strerror}; name another file.") from error
            print(self.json)
        return 0
