"""Pairs of episodes side by side, those that ended differently first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from touchstone.data.drawing import VERDICT_WORDS, outcome
from touchstone.scoring.gap.film import side_by_side
from touchstone.scoring.gap.pairing import PairedCell
from touchstone.scoring.gap.sides import Trial
from touchstone.scoring.pictures import end_picture

#: pairs that are shown; two pictures each
SHOWN = 24
#: of these, the first so many with their films
FILMED = 8
#: decides how large the pictures are
_SIZE_OF = 200


def gallery(cells: Sequence[PairedCell], names: Sequence[str], out: Path) -> list[dict[str, Any]]:
    """At most `SHOWN` pairs that have a picture in either world: differing outcomes first, from every cell in turn.

    out: the folder of the report, which links to recordings are relative to.
    """
    queues = [
        [(name, pair) for pair in cell.pairs if any("jpg" in trial.line.files for trial in pair)]
        for cell, name in zip(cells, names, strict=True)
    ]
    differ, agree = (
        [[item for item in queue if _differs(item[1]) is differs] for queue in queues] for differs in (True, False)
    )
    taken = [*_in_turn(differ), *_in_turn(agree)][:SHOWN]
    return [
        {
            "policy": name,
            "episode": sim.line.episode,
            "instruction": sim.spec.instruction,
            "differs": _differs((sim, real)),
            "film": side_by_side(*map(_film, (sim, real))) if number < FILMED else None,
            "sides": [_shown(trial, out) for trial in (sim, real)],
        }
        for number, (name, (sim, real)) in enumerate(taken)
    ]


def _differs(pair: tuple[Trial, Trial]) -> bool:
    return pair[0].success != pair[1].success


def _in_turn(queues: Sequence[Sequence[Any]]) -> list[Any]:
    return [one for row in zip_longest(*queues) for one in row if one is not None]


def _film(trial: Trial) -> Path | None:
    files = trial.line.files
    return trial.session.record.path / files["mp4"].path if "mp4" in files else None


def _shown(trial: Trial, out: Path) -> dict[str, Any]:
    folder, files = trial.session.record.path, trial.line.files
    kind = outcome(trial.line.verdict)
    return {
        "kind": kind,
        "word": VERDICT_WORDS[kind],
        "reason": trial.line.verdict.reason,
        "picture": end_picture(folder / files["jpg"].path, _SIZE_OF) if "jpg" in files else None,
        "film": os.path.relpath(folder / files["mp4"].path, out) if "mp4" in files else None,
    }
