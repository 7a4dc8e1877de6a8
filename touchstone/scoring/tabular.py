"""Tables as CSV and LaTeX (booktabs)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\^{}",
    "–": "--",
    "−": "$-$",
    "·": r"$\cdot$",
}


def csv_text(head: Sequence[str], rows: Iterable[Sequence]) -> str:
    """Numbers with six digits; None is an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([[f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in rows])
    return stream.getvalue()


def latex_table(columns: str, head: Iterable[str], rows: Iterable[Iterable[str]], caption: str) -> str:
    """A floating table. columns: as of `tabular`. Cells and caption are LaTeX; `latex_text` escapes. A row of one empty
    cell is a rule."""
    lines = ["\\begin{table}", "\\centering", f"\\caption{{{caption}}}", f"\\begin{{tabular}}{{{columns}}}"]
    lines += ["\\toprule", " & ".join(head) + r" \\", "\\midrule"]
    lines += ["\\midrule" if tuple(row) == ("",) else " & ".join(row) + r" \\" for row in map(tuple, rows)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", "\\end{table}", ""])


def latex_text(text: str) -> str:
    """Plain text for LaTeX."""
    return "".join(_SPECIAL.get(c, c) for c in text)
