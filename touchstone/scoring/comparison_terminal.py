"""A comparison of policies in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from touchstone.scoring.comparison_records import Duel, PolicyComparison
from touchstone.scoring.gap.words import p_value, points, span
from touchstone.scoring.rates import Rate


def print_comparison(found: PolicyComparison, console: Console | None = None) -> None:
    """Prints the rates, every difference, the ranking of more than two policies, and what is odd."""
    console = console or Console()
    console.print(f"[bold]{found.task}[/] · {found.protocol} · {found.robot} · rule {found.rule}", highlight=False)
    console.print(f"{found.world} ({found.words}) · {len(found.pairs)} pairs", style="dim", highlight=False)
    console.print(_rates(found))
    for duel in found.duels:
        for sentence in told(duel):
            console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    if found.ranking is not None:
        console.print(_ranks(found))
    for flag in found.flags:
        console.print(f"  {flag}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def told(duel: Duel) -> list[str]:
    """A duel in four lines and its recommendation."""
    one, two, seen = duel.independent, duel.paired, duel.looking
    corrected = "" if duel.p_holm == two.p_value else f", {p_value(duel.p_holm)} by Holm"
    wins = f"{two.pairs.only_first} won, {two.pairs.only_second} lost, {two.pairs.n - two.discordant} alike"
    interval = "no single difference fits" if seen.interval is None else span(seen.interval, points)
    return [
        f"{duel.first} minus {duel.second}, in points:",
        f"  as independent trials  {points(one.difference)} ({span(one.interval, points)}, Newcombe), "
        f"p {_equals(one.p_value)} ({one.test.capitalize()})",
        f"  over the same episodes {points(two.difference)} ({span(two.interval, points)}, Tango), "
        f"p {_equals(two.p_value)} (McNemar){corrected}; {wins}",
        f"  looked at any time     {interval}, p {_equals(seen.p_value)}, evidence {seen.e_value:.3g} "
        f"({1 / seen.alpha:.4g} decides)",
        f"  {duel.recommendation.because}",
    ]


def _equals(value: float | None) -> str:
    text = p_value(value)
    return text if text.startswith("<") else f"= {text}"


def _rates(found: PolicyComparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("policy", overflow="fold")
    for name in ("execution", "recognition", "overall", "95 % interval (Wilson)"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.policies:
        scores = (one.execution, one.recognition, one.overall)
        table.add_row(one.name, *(f"{score.successes}/{score.trials}" for score in scores), _percent(one.overall))
    return table


def _percent(one: Rate) -> str:
    if one.rate is None or one.ci95 is None:
        return "-"
    return f"{100 * one.rate:.1f} % ({100 * one.ci95[0]:.1f} to {100 * one.ci95[1]:.1f})"


def _ranks(found: PolicyComparison) -> Table:
    """By strength; the possible ranks are those that the significant differences leave."""
    possible = {one.name: one.ranks for one in found.ranking.policies}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("policy", overflow="fold")
    for name in ("ranks left (Holm)", "Bradley-Terry strength", "resampled rank"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.strengths:
        interval = f" ({span(one.interval, lambda value: f'{value:+.2f}')})" if one.interval else ""
        table.add_row(one.name, _range(possible[one.name]), f"{one.strength:+.2f}{interval}", _range(one.ranks))
    return table


def _range(ranks: tuple[int, int]) -> str:
    return str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]} to {ranks[1]}"
