"""Tables that others published, to read beside a study. Nothing here was measured by Touchstone."""

from __future__ import annotations

from touchstone.facts import Record
from touchstone.scoring.published import GRINNINGFACE_TABLE_3
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.ranking import Ranking, rank_rates


class Table(Record):
    """title, source: what and where. note: what must be known to read it. head, rows: cells as text."""

    title: str
    source: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


#: right card of executed, executed of 30 trials, on a real arm
GRINNINGFACE_TABLE_1 = {
    "Baseline": (11, 30),
    "Freezing VLM": (20, 28),
    "Co-training": (26, 30),
    "Discretised actions": (10, 30),
    "Latent action": (24, 30),
}
TRIALS = 30


def ranking() -> Ranking:
    """Table 1's overall rates ranked: which differences are significant after Holm's correction."""
    return rank_rates({name: (right, TRIALS) for name, (right, _) in GRINNINGFACE_TABLE_1.items()})


def published_tables() -> tuple[Table, ...]:
    return (_table_1(), _TABLE_2, _table_3(), _INT_ACT)


def _table_1() -> Table:
    places = {one.name: one.ranks for one in ranking().policies}
    rows = []
    for name, (right, executed) in GRINNINGFACE_TABLE_1.items():
        interval = wilson(right, TRIALS)
        overall = f"{100 * right / TRIALS:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"
        first, last = places[name]
        rows.append((name, f"{executed}/{TRIALS}", f"{right}/{executed}", overall, f"{first} to {last}"))
    return Table(
        title="GrinningFace, Table 1: real arm, Touch, validation emojis",
        source="arXiv 2511.06619, Table 1",
        note="Intervals (Wilson, 95 %) and possible ranks (all pairs, Holm, 5 %) are computed here from the counts.",
        head=("training", "execution", "recognition", "overall, %", "rank"),
        rows=tuple(rows),
    )


_TABLE_2 = Table(
    title="GrinningFace, Table 2: simulated benchmarks, success in %",
    source="arXiv 2511.06619, Table 2",
    note="As printed; the numbers of trials are not given there, so no intervals can be.",
    head=("benchmark", "Octo", "OpenVLA", "pi0", "Baseline"),
    rows=(
        ("SIMPLER, Google robot", "15", "33", "59", "37"),
        ("SIMPLER, WidowX", "16", "1", "27", "49"),
        ("LIBERO spatial", "79", "85", "97", "82"),
        ("LIBERO object", "86", "88", "99", "92"),
        ("LIBERO goal", "85", "79", "96", "89"),
        ("LIBERO long", "51", "54", "85", "83"),
        ("average", "55", "57", "77", "72"),
    ),
)


def _table_3() -> Table:
    table = GRINNINGFACE_TABLE_3
    rows = [
        (row.name, *(f"{execution:g} / {recognition:g}" for execution, recognition in row.cells.values()))
        for row in (*table.seeds, table.mean, table.std)
    ]
    return Table(
        title="GrinningFace, Table 3: simulated Pick, execution / recognition in %",
        source=table.place,
        note=f"{table.policy}; 100 trials a cell; std: {table.deviation}.",
        head=("seed", *table.protocols),
        rows=tuple(rows),
    )


_INT_ACT = Table(
    title="INT-ACT, pi0 fine-tuned: task success in %",
    source="the row of Table 1 of the INT-ACT paper, as quoted by a public plotting script that cites it",
    note="A secondary source: the paper's own table was not at hand. Tasks a column: our mapping; 72 rollouts a task.",
    head=("shift", "tasks", "success"),
    rows=(
        ("original", "4", "30.4"),
        ("source object", "4", "49.3"),
        ("target object", "4", "24.4"),
        ("source and target", "4", "21.5"),
        ("relation", "4", "39.6"),
        ("language: action", "4", "38.5"),
        ("language: negation", "4", "22.2"),
        ("language: appearance", "4", "43.1"),
        ("distraction", "6", "25.2"),
        ("commonsense", "7", "26.4"),
        ("commonsense and distraction", "5", "10.6"),
    ),
)
