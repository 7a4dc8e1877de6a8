"""`touchstone collect`: demonstrations into a LeRobot dataset."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from touchstone.cli.evaluate import check_workers
from touchstone.cli.opening import hands_for
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig, check
from touchstone.evaluation.demonstrations import JOURNAL, Demonstrating, demonstrate, open_dataset
from touchstone.evaluation.progress import SessionProgress
from touchstone.registry import WORLDS, names
from touchstone.tasks.emoji.cards import emoji_font


def collect(config: SessionConfig, out: Path, keep_failures: bool, workers: int) -> int:
    """Collects `config.trials` demonstrations into the dataset folder `out`. Returns the exit code."""
    check_workers(workers)
    if config.world_name not in names(WORLDS):
        raise UsageError(f"Demonstrations are collected in this process; use --world {', '.join(names(WORLDS))}.")
    check(config, out)
    emoji_font()
    console = Console()
    dataset = open_dataset(config, out)
    with (
        hands_for(config, workers, Demonstrating(dataset, keep_failures)) as hands,
        SessionProgress(f"{config.task} · {config.policy} · {config.world}", console) as progress,
    ):
        demonstrate(hands, config, dataset, keep_failures, progress.update)
    bytes_ = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    mcaps = sum(path.stat().st_size for path in (out / JOURNAL).rglob("*") if path.is_file())
    console.print(
        f"{len(dataset.absorbed())} demonstrations in {out}: LeRobot v3.0, {(bytes_ - mcaps) / 1e6:.1f} MB; "
        f"journal with one MCAP an episode in {out / JOURNAL}, {mcaps / 1e6:.1f} MB.",
        soft_wrap=True,
        highlight=False,
    )
    return 0
