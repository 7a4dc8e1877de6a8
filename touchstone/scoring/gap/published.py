"""Tables that others published, to read beside a study. Nothing here was measured by Touchstone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from touchstone.facts import Record
from touchstone.scoring.gap.records import Cell, Study, WorldRates
from touchstone.scoring.int_act.published import PI0_FINETUNED
from touchstone.scoring.int_act.titles import title
from touchstone.scoring.published import GRINNINGFACE_TABLE_3
from touchstone.scoring.statistics.intervals import wilson
from touchstone.scoring.statistics.ranking import Ranking, rank_rates
from touchstone.scoring.statistics.results import Interval
from touchstone.tasks.int_act.suite import suite


class Table(Record):
    """title, source: what and where. note: what must be known to read it. head, rows: cells as text. ours: rows of the
    study that is reported, in the same columns."""

    title: str
    source: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ours: tuple[tuple[str, ...], ...] = ()


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


def published_tables(study: Study | None = None) -> tuple[Table, ...]:
    """The tables, with the rows of a study beside those that ask the same task."""
    one, three = _table_1(), _table_3()
    if study is not None:
        one = one.model_copy(update={"ours": tuple(_like_table_1(*row) for row in _measured(study, "touch-emoji"))})
        three = three.model_copy(update={"ours": tuple(_like_table_3(*row) for row in _measured(study, "pick-emoji"))})
    return (one, _TABLE_2, three, _int_act())


def _measured(study: Study, task: str) -> Iterator[tuple[Cell, str, WorldRates]]:
    """Every cell of a task in both worlds: the cell, the world's name, its rates there."""
    for cell in study.cells:
        if cell.task == task:
            yield cell, study.sim.world, cell.sim
            yield cell, study.real.world, cell.real


def _like_table_1(cell: Cell, world: str, rates: WorldRates) -> tuple[str, ...]:
    execution, recognition, overall = rates.execution, rates.recognition, rates.overall
    return (
        f"{cell.name}, {cell.protocol}, {world}",
        f"{execution.successes}/{execution.trials}",
        f"{recognition.successes}/{recognition.trials}",
        _percent(overall.rate, overall.wilson),
        "-",
    )


def _like_table_3(cell: Cell, world: str, rates: WorldRates) -> tuple[str, ...]:
    shares = (one.rate for one in (rates.execution, rates.recognition))
    text = " / ".join("-" if share is None else f"{100 * share:.0f}" for share in shares)
    columns = (text if protocol == cell.protocol else "-" for protocol in GRINNINGFACE_TABLE_3.protocols)
    return (f"{cell.name}, {cell.protocol}, {world}, {rates.overall.trials} trials", *columns)


def _percent(rate: float, interval: Interval) -> str:
    return f"{100 * rate:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def _table_1() -> Table:
    places = {one.name: one.ranks for one in ranking().policies}
    rows = []
    for name, (right, executed) in GRINNINGFACE_TABLE_1.items():
        overall = _percent(right / TRIALS, wilson(right, TRIALS))
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


def _int_act() -> Table:
    row = PI0_FINETUNED
    tasks = Counter(task.subcategory for task in suite().tasks.values() if task.counted)
    return Table(
        title=f"INT-ACT, {row.policy}: task success in %",
        source=row.source,
        note=row.note,
        head=("column", "tasks", "success"),
        rows=tuple((title(name), str(tasks[name]), f"{percent:.1f}") for name, percent in row.success.items()),
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
