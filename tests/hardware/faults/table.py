"""docs/fault-matrix.md: one row a fault and arm, as it was seen."""

from __future__ import annotations

from pathlib import Path

from tests.hardware.faults.carrying_out import Outcome
from tests.hardware.faults.cases import CASES, POWER, Case

PAGE = Path(__file__).parents[3] / "docs/fault-matrix.md"
BEGIN, END = "<!-- rows -->", "<!-- end of rows -->"
HEAD = "| fault | arm | how it comes | the arm | what the gate says | who lets it go on | seen after | held | stands |"
MEASURED = 2  # columns at the right whose figures differ from run to run


def row(outcome: Outcome) -> str:
    """One line of the table."""
    case = outcome.case
    held = "-" if outcome.held_ms is None else f"{outcome.held_ms:.0f} ms"
    stands = "-" if outcome.held_ms is None else f"{outcome.stands_ms:.0f} ms"
    return "| " + " | ".join([*_cells(case), held, stands]) + " |"


def committed() -> dict[str, list[str]]:
    """The cells of every row of the page, by arm and fault."""
    text = PAGE.read_text(encoding="utf-8")
    lines = text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {f"{cells[1]}: {cells[0]}": cells for cells in rows}


def expected(case: Case) -> list[str]:
    """What a row says besides the measured figures."""
    return _cells(case)


def write(outcomes: list[Outcome]) -> None:
    """Puts these rows into the page, in the place of older ones; the others stay."""
    rows = {name: "| " + " | ".join(cells) + " |" for name, cells in committed().items()}
    rows |= {outcome.case.name: row(outcome) for outcome in outcomes}
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    lines = [HEAD, "|---" * 6 + "|---:" * 3 + "|", *(rows[case.name] for case in CASES if case.name in rows)]
    text = "\n".join([before + BEGIN, *lines, END]) + rest.partition(END)[2]
    PAGE.write_text(text, encoding="utf-8")


def _cells(case: Case) -> list[str]:
    codes = " or ".join(f"`{code}`" for code in case.codes) or "-"
    seen = f"{case.seen_s * 1e3:.0f} ms" if case.seen_s else "at once"
    who = f"{POWER}: power off and on, connects, re-arms" if case.power else case.who
    return [case.fault, case.arm, case.does, case.ends, codes, who, seen]
