"""A gap study as one HTML file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from touchstone.data.disk import replace_whole, writable_folder
from touchstone.scoring.gap import words
from touchstone.scoring.gap.charts import contribution, forest, legend, scatter
from touchstone.scoring.gap.gallery import gallery
from touchstone.scoring.gap.pairing import PairedCell
from touchstone.scoring.gap.published import published_tables
from touchstone.scoring.gap.records import Study
from touchstone.scoring.rules import rule_sentence

REPORT = "gap.html"
#: settings that the table of sessions has
_TOLD_ELSEWHERE = ("policy", "task", "protocol", "seed")


def write_gap_report(study: Study, paired: Sequence[PairedCell], out: Path) -> Path:
    """Writes gap.html into a folder, which is made. Raises UsageError if it cannot be written."""
    writable_folder(out)
    page = _environment().get_template("gap/gap.html.j2").render(_context(study, paired, out))
    replace_whole(out / REPORT, page.encode())
    return out / REPORT


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("touchstone.scoring", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _settings(study: Study) -> list[tuple[str, str, str]]:
    """What the sessions of each side were set to, and ran on: name, twin, other side; what differs is listed."""
    sides = [[one for one in study.sessions if one.side == side] for side in ("sim", "real")]
    told = [[{**one.config, **one.software} for one in side] for side in sides]
    names = {name: None for side in told for one in side for name in one if name not in _TOLD_ELSEWHERE}
    rows = []
    for name in names:
        values = [sorted({_value(one.get(name)) for one in side}) for side in told]
        rows.append((name, *("; ".join(each) for each in values)))
    return rows


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _context(study: Study, paired: Sequence[PairedCell], out: Path) -> dict[str, Any]:
    other = words.there(study)
    stages = [stage for task in study.tasks for stage in task.stages.stages]
    reach = max(
        0.05,
        *(abs(stage.contribution) for stage in stages),
        *(abs(bound) for stage in stages if stage.interval for bound in (stage.interval.low, stage.interval.high)),
    )
    return {
        "study": study,
        "words": words,
        "there": other,
        "headline": words.headline(study),
        "answers": words.answers(study),
        "forest": forest(study.cells, study.margin, other),
        "scatter": scatter(study.cells, other),
        "legend": legend(),
        "contributions": {
            task.task: [contribution(stage, reach) for stage in task.stages.stages] for task in study.tasks
        },
        "stages_of": sorted({stage for world in (study.sim, study.real) for stage in world.latency_ms}),
        "failures": sorted({kind for world in (study.sim, study.real) for kind in world.failures}),
        "events": sorted({kind for world in (study.sim, study.real) for kind in world.events}),
        "rules": sorted({(cell.task, cell.rule, rule_sentence(cell.task, cell.rule)) for cell in study.cells}),
        "gallery": gallery(paired, [cell.name for cell in study.cells], out),
        "published": published_tables(study),
        "settings": _settings(study),
    }
