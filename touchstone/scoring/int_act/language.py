"""The language-only study: the same scenes, told in other words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from touchstone.errors import TouchstoneError
from touchstone.scoring.int_act.records import Comparison, Language, Told, Values
from touchstone.scoring.rates import rate
from touchstone.scoring.statistics.paired import compare_paired, count_pairs
from touchstone.scoring.statistics.ranking import holm
from touchstone.spec import Spec
from touchstone.tasks.int_act.metrics import METRICS

if TYPE_CHECKING:
    from touchstone.scoring.int_act.score import SuiteSession

#: what wordings are compared by; per task only the last two
COMPARED = ("intention", "success", "strict")
#: seed and episode of a task: a scene, and the policy's own randomness
Place = tuple[str, int, int]


def language_of(sessions: Sequence[SuiteSession]) -> Language | None:
    """The comparison of wordings, over the tasks that were told in several; None when there is none.

    sessions: the reference's first within each task. Raises TouchstoneError if the scenes of a pair differ.
    """
    told = _by_words(sessions)
    several = {task: words for task, words in told.items() if len(words) > 1}
    if not several:
        return None
    order = list(dict.fromkeys(words for task in several.values() for words in task))
    reference = order[0]
    overall = [_compare(several, words, None, metric, reference) for words in order[1:] for metric in COMPARED]
    by_task = [
        _compare({task: several[task]}, words, task, metric, reference)
        for task, all_words in several.items()
        for words in all_words
        for metric in COMPARED[1:]
        if words != reference and reference in all_words
    ]
    return Language(
        reference=reference,
        words=tuple(order),
        tasks={
            task: {words: _told([line for line in lines.values()]) for words, lines in all_words.items()}
            for task, all_words in several.items()
        },
        overall=tuple(_corrected(overall)),
        by_task=tuple(_corrected(by_task)),
        stable={metric: _stable(several, metric) for metric in COMPARED},
    )


Episode = tuple[Spec, Values]


def _by_words(sessions: Sequence[SuiteSession]) -> dict[str, dict[str, dict[Place, Episode]]]:
    out: dict[str, dict[str, dict[Place, Episode]]] = {}
    for session in sessions:
        lines = out.setdefault(session.task, {}).setdefault(session.words, {})
        for line, values in zip(session.record.lines, session.values(), strict=True):
            lines[session.task, session.seed, line.index] = (line.spec, values)
    return out


def _compare(
    told: dict[str, dict[str, dict[Place, Episode]]], words: str, task: str | None, metric: str, reference: str
) -> Comparison:
    first, second = [], []
    for all_words in told.values():
        ours, theirs = all_words.get(words, {}), all_words.get(reference, {})
        for place in ours.keys() & theirs.keys():
            _check_same_scene(ours[place][0], theirs[place][0])
            first.append(float(getattr(ours[place][1], metric)))
            second.append(float(getattr(theirs[place][1], metric)))
    paired = compare_paired(count_pairs(first, second))
    return Comparison(words=words, task=task, metric=metric, paired=paired, p_holm=None)


def _check_same_scene(one: Spec, other: Spec) -> None:
    if one.model_copy(update={"instruction": other.instruction}) != other:
        raise TouchstoneError(
            f"Episode {one.episode} of {one.task} is not the same scene in two wordings; score it with the version "
            "that recorded it (session.json names it)."
        )


def _corrected(found: Iterable[Comparison]) -> list[Comparison]:
    found = list(found)
    known = [one for one in found if one.paired.p_value is not None]
    corrected = dict(zip(map(id, known), holm([one.paired.p_value for one in known]) if known else (), strict=True))
    return [one.model_copy(update={"p_holm": corrected.get(id(one))}) for one in found]


def _told(episodes: Sequence[Episode]) -> Told:
    values = [one for _, one in episodes]
    return Told(
        instruction=episodes[0][0].instruction,
        rates={metric: rate(sum(getattr(one, metric) for one in values), len(values)) for metric in METRICS},
    )


def _stable(told: dict[str, dict[str, dict[Place, Episode]]], metric: str):
    """Over the scenes that were run in all of their task's wordings."""
    alike = there = 0
    for all_words in told.values():
        for place in set.intersection(*(set(lines) for lines in all_words.values())):
            there += 1
            alike += len({getattr(lines[place][1], metric) for lines in all_words.values()}) == 1
    return rate(alike, there)
