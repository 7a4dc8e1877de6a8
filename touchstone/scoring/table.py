"""The score table in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from touchstone.data.labels import plain_words
from touchstone.scoring.rates import Rate
from touchstone.scoring.summary import Summary


def print_summary(summary: Summary, console: Console | None = None) -> None:
    """Prints the scores, the failures by reason and the latencies."""
    console = console or Console()
    console.print(f"[bold]{summary.task}[/] · {summary.policy} · {summary.protocol} · seed {summary.seed}")
    console.print(_where(summary), style="dim")
    console.print(_rates(summary))
    for reason, count in sorted(summary.failures.items(), key=lambda item: (-item[1], item[0])):
        console.print(f"  {count} x {reason}", style="yellow")
    console.print(_latencies(summary))


def _where(summary: Summary) -> str:
    words = [plain_words(summary.plant, summary.path), summary.robot]
    if summary.shader:
        words.append(f"shader {summary.shader}")
    if summary.privileged:
        words.append("privileged policy: it sees what only a simulator knows")
    if summary.planned and summary.planned > summary.trials:
        words.append(f"{summary.trials} of {summary.planned} trials done")
    return " · ".join(words)


def _rates(summary: Summary) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("score")
    table.add_column("rule")
    for name in ("successes", "rate", "95 % interval (Wilson)"):
        table.add_column(name, justify="right")
    for rule, scores in {summary.rule: summary, **summary.beside}.items():
        for name in ("execution", "recognition", "overall"):
            one: Rate = getattr(scores, name)
            percent = "-" if one.rate is None else f"{100 * one.rate:.1f} %"
            interval = "-" if one.ci95 is None else f"{100 * one.ci95[0]:.1f} to {100 * one.ci95[1]:.1f} %"
            style = None if rule == summary.rule else "dim"
            table.add_row(name, rule, f"{one.successes} / {one.trials}", percent, interval, style=style)
    return table


def _latencies(summary: Summary) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("latency")
    for name in ("p50 ms", "p99 ms", "times"):
        table.add_column(name, justify="right")
    for stage, stats in sorted(summary.latency_ms.items()):
        table.add_row(stage, f"{stats.p50:.1f}", f"{stats.p99:.1f}", str(stats.n))
    return table
