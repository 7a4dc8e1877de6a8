"""How episodes ended, in pictures: a few of every subcategory, those with different endings first."""

from __future__ import annotations

import os
from typing import Any

from touchstone.data.journal import EpisodeLine
from touchstone.scoring.int_act.score import ScoredSuite, SuiteSession, values_of
from touchstone.scoring.int_act.titles import short, title
from touchstone.scoring.pictures import end_picture
from touchstone.tasks.int_act.suite import suite

#: pictures of each subcategory
SHOWN = 4
#: decides how large the pictures are: those of a session with this many episodes
_SIZE_OF = 200


def gallery(run: ScoredSuite) -> list[dict[str, Any]]:
    """A block for each family that has pictures."""
    blocks = []
    for family, subcategories in suite().families.items():
        shown = [
            _shown(run, session, line) for subcategory in subcategories for session, line in _chosen(run, subcategory)
        ]
        if shown:
            blocks.append({"family": title(family), "episodes": shown})
    return blocks


def _chosen(run: ScoredSuite, subcategory: str) -> list[tuple[SuiteSession, EpisodeLine]]:
    """One task after the other, and of each the first episode with an ending that is not shown yet."""
    queues = [
        [(session, line) for line in session.record.lines if "jpg" in line.files]
        for session in run.counted
        if suite().task(session.task).subcategory == subcategory
    ]
    chosen: list[tuple[SuiteSession, EpisodeLine]] = []
    seen: set[str] = set()
    while len(chosen) < SHOWN and any(queues):
        for queue in queues:
            if queue and len(chosen) < SHOWN:
                # what ended in another way than all before, else the next
                fresh = [item for item in queue if values_of(item[1]).ending not in seen]
                item = (fresh or queue)[0]
                queue.remove(item)
                seen.add(values_of(item[1]).ending)
                chosen.append(item)
    return chosen


def _shown(run: ScoredSuite, session: SuiteSession, line: EpisodeLine) -> dict[str, Any]:
    values, files, folder = values_of(line), line.files, session.record.path
    return {
        "ending": values.ending,
        "word": title(values.ending).removeprefix("placed, by "),
        "wrong_object": values.wrong_object,
        "task": short(session.task),
        "subcategory": title(suite().task(session.task).subcategory),
        "episode": line.episode,
        "instruction": line.spec.instruction,
        "reason": line.verdict.reason,
        "picture": end_picture(folder / files["jpg"].path, _SIZE_OF),
        "film": os.path.relpath(folder / files["mp4"].path, run.path) if "mp4" in files else None,
    }
