"""A suite's scores as CSV and LaTeX."""

from __future__ import annotations

from pathlib import Path

from touchstone.data.disk import replace_whole
from touchstone.scoring.int_act.published import PI0_FINETUNED
from touchstone.scoring.int_act.records import ENDINGS, Group, Mean, SuiteScores
from touchstone.scoring.int_act.score import ScoredSuite, values_of
from touchstone.scoring.int_act.titles import short, title
from touchstone.scoring.tabular import csv_text, latex_table, latex_text
from touchstone.tasks.int_act.metrics import METRICS

TASKS, GROUPS, EPISODES, WORDS, LATEX = "tasks.csv", "groups.csv", "episodes.csv", "words.csv", "tables.tex"


def write_suite_tables(run: ScoredSuite) -> tuple[Path, ...]:
    """Writes tasks.csv, groups.csv, episodes.csv and tables.tex into the suite's folder, and words.csv if there were
    several wordings."""
    texts = {
        TASKS: tasks_csv(run.scores),
        GROUPS: groups_csv(run.scores),
        EPISODES: episodes_csv(run),
        LATEX: latex(run.scores),
    }
    if run.scores.language is not None:
        texts[WORDS] = words_csv(run.scores)
    for name, text in texts.items():
        replace_whole(run.path / name, text.encode())
    return tuple(run.path / name for name in texts)


def tasks_csv(scores: SuiteScores) -> str:
    """A row a task. Rates and deltas are fractions, percent is of the base's value; empty where undefined."""
    head = ["task", "family", "subcategory", "counted", "base"]
    for metric in METRICS:
        head += [f"{metric}_{what}" for what in ("successes", "trials", "rate", "low", "high", "value")]
        head += [f"{metric}_delta", f"{metric}_percent"]
    rows = []
    for name, task in scores.tasks.items():
        row = [name, task.family, task.subcategory, int(task.counted), task.base]
        for metric in METRICS:
            one, delta = getattr(task, metric), None if task.delta is None else task.delta[metric]
            row += [one.successes, one.trials, one.rate, *(one.ci95 or (None, None)), task.values[metric]]
            row += [None, None] if delta is None else [delta.points, delta.percent]
        rows.append(row)
    return csv_text(head, rows)


def groups_csv(scores: SuiteScores) -> str:
    """A row a subcategory, a family, and all: means with equal weight for every counted task."""
    head = ["level", "group", "tasks", "of", "trials"]
    for metric in METRICS:
        head += [f"{metric}_{what}" for what in ("mean", "low", "high", "method", "delta", "percent")]
    head += [f"ended_{ending}" for ending in ENDINGS]
    head += ["published_success_percent"]
    rows = []
    for level, groups in _levels(scores).items():
        for name, group in groups.items():
            row = [level, name, group.tasks, group.of, group.trials]
            for metric in METRICS:
                mean = group.means[metric]
                row += [mean.value, *(mean.ci95 or (None, None)), mean.method, group.delta[metric]]
                row.append(group.percent[metric])
            row += [group.endings[ending] for ending in ENDINGS]
            rows.append([*row, PI0_FINETUNED.success.get(name) if level == "subcategory" else None])
    return csv_text(head, rows)


def episodes_csv(run: ScoredSuite) -> str:
    """A row an episode of every session, for statistics of one's own."""
    head = ["task", "seed", "words", "episode", "index", "instruction", *METRICS, "ending", "reason"]
    rows = []
    for session in run.sessions:
        for line in session.record.lines:
            values = values_of(line)
            row = [session.task, session.seed, session.words, line.episode, line.index, line.spec.instruction]
            row += [int(getattr(values, metric)) for metric in METRICS]
            rows.append([*row, values.ending, line.verdict.reason])
    return csv_text(head, rows)


def words_csv(scores: SuiteScores) -> str:
    """A row a task and wording."""
    head = ["task", "words", "instruction", "trials", *(f"{metric}_successes" for metric in METRICS)]
    rows = [
        [task, words, told.instruction, told.rates["success"].trials]
        + [told.rates[metric].successes for metric in METRICS]
        for task, by_words in scores.language.tasks.items()
        for words, told in by_words.items()
    ]
    return csv_text(head, rows)


def latex(scores: SuiteScores) -> str:
    """Two tables for a paper, with booktabs: the groups, and every task."""
    shown = ("intention", "grasp", "success", "strict", "wrong_object")
    head = ("", "tasks", *(latex_text(title(metric)) for metric in shown), r"$\Delta$ success", "published")
    rows = []
    for groups in _levels(scores).values():
        if rows:
            rows.append(("",))
        rows += [
            (
                latex_text(title(name)),
                f"{group.tasks}/{group.of}",
                *(_mean(group.means[metric]) for metric in shown),
                _points(group.delta["success"]),
                f"{PI0_FINETUNED.success[name]:.1f}" if groups is scores.subcategories else "",
            )
            for name, group in groups.items()
            if group.tasks
        ]
    caption = (
        f"INT-ACT with {latex_text(scores.policy)}: means over tasks in \\%, every task with equal weight, with "
        f"95\\,\\% intervals; seeds {', '.join(map(str, scores.seeds))}, {scores.trials} episodes, simulated "
        f"({latex_text(scores.world)}). $\\Delta$: against the base tasks, points. Published: task success of "
        f"{latex_text(PI0_FINETUNED.policy)}, quoted from a secondary source, not measured here."
    )
    return latex_table("lr" + "r" * len(shown) + "rr", head, rows, caption) + "\n" + _latex_tasks(scores, shown)


def _latex_tasks(scores: SuiteScores, shown: tuple[str, ...]) -> str:
    head = ("task", "$n$", *(latex_text(title(metric)) for metric in shown), r"$\Delta$ success")
    rows, last = [], None
    for name, task in scores.tasks.items():
        if last not in (None, task.subcategory):
            rows.append(("",))
        last = task.subcategory
        rates = [getattr(task, metric) for metric in shown]
        delta = None if task.delta is None or task.base == name else task.delta["success"].points
        rows.append(
            (
                latex_text(short(name)) + ("" if task.counted else "$^*$"),
                str(task.success.trials),
                *(f"{100 * one.rate:.1f}" for one in rates),
                _points(delta),
            )
        )
    caption = f"Every task of INT-ACT with {latex_text(scores.policy)}, in \\%. $^*$: counted in no mean."
    return latex_table("lr" + "r" * len(shown) + "r", head, rows, caption)


def _levels(scores: SuiteScores) -> dict[str, dict[str, Group]]:
    return {"subcategory": scores.subcategories, "family": scores.families, "all": {"all": scores.all}}


def _mean(mean: Mean) -> str:
    if mean.value is None:
        return "--"
    interval = "" if mean.ci95 is None else f" ({100 * mean.ci95[0]:.0f}--{100 * mean.ci95[1]:.0f})"
    return f"{100 * mean.value:.1f}{interval}"


def _points(value: float | None) -> str:
    return "--" if value is None else f"${100 * value:+.1f}$"
