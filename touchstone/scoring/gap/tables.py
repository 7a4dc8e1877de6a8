"""A gap study as CSV, JSON and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from touchstone.data.disk import replace_whole, writable_folder
from touchstone.scoring.gap.pairing import PairedCell
from touchstone.scoring.gap.records import Study
from touchstone.scoring.gap.words import FINDINGS, p_value, points, span, there

JSON, CELLS, PAIRS, LATEX = "gap.json", "gap-policies.csv", "gap-pairs.csv", "gap.tex"
_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\^{}"}


def write_tables(study: Study, paired: Sequence[PairedCell], out: Path) -> tuple[Path, ...]:
    """Writes gap.json, gap-policies.csv, gap-pairs.csv and gap.tex into a folder, which is made.

    Raises UsageError if it cannot be written.
    """
    writable_folder(out)
    texts = {
        JSON: study.to_json(),
        CELLS: policies_csv(study),
        PAIRS: pairs_csv(study, paired),
        LATEX: latex(study),
    }
    for name, text in texts.items():
        replace_whole(out / name, text.encode())
    return tuple(out / name for name in texts)


def policies_csv(study: Study) -> str:
    """A row a cell; rates and differences are fractions, empty where undefined. World names are in `sim`, `other`."""
    head = ["policy", "task", "protocol", "robot", "rule", "privileged", "sim", "other"]
    for world in ("sim", "other"):
        for score in ("execution", "recognition", "overall"):
            head += [f"{world}_{score}_successes", f"{world}_{score}_trials"]
        head += [f"{world}_{name}" for name in ("rate", "wilson_low", "wilson_high", "exact_low", "exact_high")]
    head += ["pairs", "difference", "difference_low", "difference_high", "p", "p_holm", "finding", "more_pairs"]
    head += ["ppi", "ppi_low", "ppi_high", "ppi_saved", "finite_ppi", "finite_low", "finite_high", "finite_saved"]
    head += ["blamed_stage"]
    rows = []
    for cell in study.cells:
        row = [cell.policy, cell.task, cell.protocol, cell.robot, cell.rule, cell.privileged]
        row += [study.sim.world, study.real.world]
        for world in (cell.sim, cell.real):
            for score in (world.execution, world.recognition, world.overall):
                row += [score.successes, score.trials]
            overall = world.overall
            row += [overall.rate, *_bounds(overall.wilson), *_bounds(overall.clopper_pearson)]
        difference = cell.difference
        row += [cell.pairs, difference.difference, *_bounds(difference.interval), difference.p_value, cell.p_holm]
        row += [cell.finding, cell.advice.more_pairs]
        for one in (cell.ppi, cell.ppi_finite):
            row += [one.real, *_bounds(one.interval), one.saved]
        rows.append([*row, cell.stages.blamed])
    return _csv(head, rows)


def pairs_csv(study: Study, paired: Sequence[PairedCell]) -> str:
    """A row a pair of episodes, for statistics of one's own."""
    head = ["policy", "task", "protocol", "robot", "episode", "spec", "seed", "index", "target"]
    head += [f"{world}_{what}" for world in ("sim", "other") for what in ("success", "stages_passed", "reason")]
    rows = []
    for cell in paired:
        for sim, real in cell.pairs:
            spec, row = sim.spec, [cell.key.policy, cell.key.task, cell.key.protocol, cell.key.robot]
            row += [spec.episode, sim.key, spec.seed, spec.index, spec.target]
            for trial in (sim, real):
                row += [int(trial.success), trial.passed, trial.line.verdict.reason]
            rows.append(row)
    return _csv(head, rows)


def latex(study: Study) -> str:
    """Two tables for a paper, with booktabs: the policies, and the agreement of the worlds."""
    other = there(study)
    rows = [
        (
            _tex(cell.name),
            *(_rate(world) for world in (cell.sim.overall, cell.real.overall)),
            f"${points(cell.difference.difference)}$ ({span(cell.difference.interval, points)})",
            _tex(p_value(cell.p_holm)).replace("< ", "$<$"),
            FINDINGS[cell.finding],
        )
        for cell in study.cells
    ]
    caption = (
        f"Success in \\% with 95\\,\\% Wilson intervals, and the paired difference ({other} minus twin, points) with "
        f"Tango's interval; $p$: exact McNemar, Holm over {len(study.cells)} rows. Worlds: "
        f"{_tex(study.sim.world)} and {_tex(study.real.world)}."
        + (
            " The shadow is a simulation that stands in for a bench; nothing here was measured on an arm."
            if study.stands_in
            else ""
        )
    )
    head = ("policy", "twin", other, "difference", "$p$", "finding")
    found = study.agreement
    measures = [
        (name, "undefined" if one.value is None else f"{one.value:.3f}", str(one.units), _dropped(one))
        for name, one in (
            ("Pearson $r$", found.pearson),
            ("Spearman $\\rho$", found.spearman),
            (f"MMRV (reference: {other})", found.mmrv),
            ("mean error", found.error),
        )
    ]
    return (
        _tabular("lrrrrl", head, rows, caption)
        + "\n"
        + _tabular(
            "lrrr",
            ("measure", "value", "units", "drop-one range"),
            measures,
            "Agreement of the two worlds over policies, by the rates of paired episodes.",
        )
    )


def _rate(one) -> str:
    return "--" if one.rate is None else f"{100 * one.rate:.1f} ({span(one.wilson)})"


def _dropped(one) -> str:
    return "--" if one.drop_one is None else f"{one.drop_one[0]:.3f} to {one.drop_one[1]:.3f}"


def _tabular(columns: str, head: Iterable[str], rows: Iterable[Iterable[str]], caption: str) -> str:
    lines = [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{caption}}}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
    ]
    lines += [" & ".join(head) + r" \\", "\\midrule", *(" & ".join(row) + r" \\" for row in rows)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", "\\end{table}", ""])


def _tex(text: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in text).replace("·", "$\\cdot$")


def _bounds(interval) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def _csv(head: Sequence[str], rows: Iterable[Sequence]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([[f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in rows])
    return stream.getvalue()
