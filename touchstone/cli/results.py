"""What a folder's journal is worth, printed and as a report: a session's, a suite's, or one task's of the suite."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import track

from touchstone.data.journal import read_session
from touchstone.data.suite_folder import is_suite
from touchstone.scoring.int_act.report import write_suite_page, write_suite_report
from touchstone.scoring.int_act.score import (
    ScoredSuite,
    is_of_suite,
    scored_suite,
    suite_of_one,
    write_suite_summary,
)
from touchstone.scoring.int_act.terminal import print_suite
from touchstone.scoring.report import write_report
from touchstone.scoring.score import score_session, scored
from touchstone.scoring.table import print_summary


def print_scores(folder: Path, console: Console) -> None:
    """Scores what is in a folder, prints it and writes its summary.json."""
    if is_suite(folder):
        _print_suite(folder, console)
        return
    summary = score_session(folder)
    if is_of_suite(summary.task):
        print_suite(suite_of_one(scored(folder)).scores, console)
    else:
        print_summary(summary, console)


def write_reports(folder: Path) -> tuple[Path, ...]:
    """Scores what is in a folder and writes its report.html, and a suite's tables."""
    if is_suite(folder):
        return write_suite_report(_scored_suite(folder))
    if is_of_suite(read_session(folder).config["task"]):
        return (write_suite_page(suite_of_one(scored(folder))),)
    return (write_report(folder),)


def print_suite_and_report(folder: Path, console: Console) -> tuple[Path, ...]:
    """Both for a suite, which is scored once."""
    return write_suite_report(_print_suite(folder, console))


def _print_suite(folder: Path, console: Console) -> ScoredSuite:
    run = _scored_suite(folder)
    print_suite(run.scores, console)
    write_suite_summary(run)
    return run


def _scored_suite(folder: Path) -> ScoredSuite:
    shown = Console(stderr=True)
    return scored_suite(
        folder, lambda found: track(found, "scoring", console=shown, transient=True, disable=not shown.is_terminal)
    )
