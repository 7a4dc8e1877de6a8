"""A suite's report: one HTML file that needs no network, and its tables beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from touchstone.data.disk import replace_whole
from touchstone.data.labels import plain_words
from touchstone.registry import ROBOTS, load
from touchstone.scoring.int_act import charts, published, titles, words
from touchstone.scoring.int_act.gallery import gallery
from touchstone.scoring.int_act.score import ScoredSuite
from touchstone.scoring.int_act.tables import write_suite_tables
from touchstone.scoring.int_act.terminal import missing_sentences
from touchstone.scoring.report import REPORT
from touchstone.tasks.int_act.metrics import METRICS
from touchstone.tasks.int_act.suite import suite

#: of every good episode
EXPECTED_EVENTS = ("close_commanded",)


def write_suite_report(run: ScoredSuite) -> tuple[Path, ...]:
    """Writes report.html and the tables into the suite's folder."""
    return (write_suite_page(run), *write_suite_tables(run))


def write_suite_page(run: ScoredSuite) -> Path:
    """Writes report.html alone."""
    page = _environment().get_template("int_act/suite.html.j2").render(_context(run))
    replace_whole(run.path / REPORT, page.encode())
    return run.path / REPORT


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("touchstone.scoring", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _context(run: ScoredSuite) -> dict[str, Any]:
    scores = run.scores
    groups = {**scores.subcategories, "all": scores.all}
    # the family `original` is its only subcategory
    families = {name: group for name, group in scores.families.items() if name not in scores.subcategories}
    return {
        "scores": scores,
        "words": words,
        "titles": titles,
        "metrics": METRICS,
        "where": plain_words(scores.plant, scores.path),
        "robot": load(ROBOTS, scores.robot).title,
        "headline": words.headline(scores),
        "findings": words.findings(scores),
        "missing": missing_sentences(scores),
        "bars": {metric: charts.mean_bar(scores.all.means[metric]) for metric in METRICS},
        "gap": charts.gap_chart({**scores.subcategories, **families, "all": scores.all}),
        "chain": charts.chain_legend(),
        "deltas": {metric: charts.delta_chart(scores.tasks, scores.subcategories, metric) for metric in charts.CHAIN},
        "endings": charts.endings_chart(groups),
        "endings_legend": charts.endings_legend(),
        "events": {kind: count for kind, count in scores.events.items() if kind not in EXPECTED_EVENTS},
        "wrong": charts.rate_chart(groups, "wrong_object"),
        "levels": {**scores.families, "all": scores.all},
        "by_subcategory": _by_subcategory(run),
        "alone": words.alone_reasons(scores),
        "gallery": gallery(run),
        "published": published,
        "suite": suite(),
        "runs": run.head.runs,
    }


def _by_subcategory(run: ScoredSuite) -> dict[str, dict[str, Any]]:
    """Subcategory -> task -> summary, of all that were run."""
    out: dict[str, dict[str, Any]] = {}
    for name, task in run.scores.tasks.items():
        out.setdefault(task.subcategory, {})[name] = task
    return {name: out[name] for name in run.scores.subcategories if name in out}
