"""Pairs of episodes side by side, those that ended differently first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from touchstone.data.drawing import VERDICT_WORDS, outcome
from touchstone.scoring.gap.pairing import PairedCell
from touchstone.scoring.gap.sides import Trial
from touchstone.scoring.pictures import end_picture

#: pairs that are shown; two pictures each
SHOWN = 24
#: decides how large the pictures are
_SIZE_OF = 200


def gallery(cells: Sequence[PairedCell], names: Sequence[str], out: Path) -> list[dict[str, Any]]:
    """At most `SHOWN` pairs that have a picture in either world: from every cell in turn, differing outcomes first.

    out: the folder of the report, which links to recordings are relative to.
    """
    queues = [
        sorted(
            ((name, pair) for pair in cell.pairs if any("jpg" in trial.line.files for trial in pair)),
            key=lambda item: item[1][0].success == item[1][1].success,
        )
        for cell, name in zip(cells, names, strict=True)
    ]
    taken = [queue[k] for k in range(max(map(len, queues), default=0)) for queue in queues if k < len(queue)][:SHOWN]
    return [
        {
            "policy": name,
            "episode": sim.line.episode,
            "instruction": sim.spec.instruction,
            "differs": sim.success != real.success,
            "sides": [_shown(trial, out) for trial in (sim, real)],
        }
        for name, (sim, real) in taken
    ]


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
