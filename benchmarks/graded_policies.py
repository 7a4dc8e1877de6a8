"""A complete gap study with a known answer: policies of graded skill in the twin and in a shadow at two strengths.

    .venv/bin/python benchmarks/graded_policies.py --study facts --out runs/graded
    .venv/bin/python benchmarks/graded_policies.py --study pixels --shift light --out runs/graded

`facts`: pick-emoji, the expert and worse ones, nothing rendered. `pixels`: touch-emoji, card-matcher and worse ones,
from pictures. Resumes where it stopped. For each strength it writes gap.html and its tables, and then, as the last
thing, opens the shadow's seal: what was hidden is printed beside the stage that the study blames.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console

from touchstone.cli.opening import hands_for
from touchstone.data.journal import EpisodeRecorder, read_session
from touchstone.data.sealed import unseal
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.session import is_complete, run_with
from touchstone.scoring.gap.report import write_gap_report
from touchstone.scoring.gap.study import gap_study
from touchstone.scoring.gap.tables import write_tables
from touchstone.scoring.gap.terminal import print_study

_EXPERT, _MATCHER = "policy_server.policies.degraded_expert:", "policy_server.policies.degraded:"
STUDIES = {
    "facts": (
        "pick-emoji",
        {
            "expert": "expert",
            "expert-noisy": _EXPERT + "NoisyExpertPolicy",
            "expert-very-noisy": _EXPERT + "VeryNoisyExpertPolicy",
            "expert-delayed": _EXPERT + "DelayedExpertPolicy",
            "expert-early-close": _EXPERT + "EarlyCloseExpertPolicy",
            "expert-wrong-card": _EXPERT + "WrongCardExpertPolicy",
            "expert-often-wrong": _EXPERT + "OftenWrongExpertPolicy",
            "hold": "hold",
        },
    ),
    "pixels": (
        "touch-emoji",
        {
            "card-matcher": "card-matcher",
            "noisy": _MATCHER + "NoisyPolicy",
            "blurred": _MATCHER + "BlurredPolicy",
            "colour-blind": _MATCHER + "ColourBlindPolicy",
            "delayed": _MATCHER + "DelayedPolicy",
            "wrong-card": _MATCHER + "WrongCardPolicy",
            "early-close": _MATCHER + "EarlyClosePolicy",
            "random-card": "random-card",
        },
    ),
}


@dataclass(frozen=True)
class Options:
    """What is run."""

    out: Path
    """folder for the sessions and the studies"""
    study: Literal["facts", "pixels"] = "facts"
    """which policies, on which task"""
    shift: str = "backlash"
    """what the shadow hides, as in docs/shadows.md"""
    strengths: tuple[float, ...] = (0.5, 1.0)
    """of the shift, a study each"""
    trials: int = 20
    """episodes of each policy in each shadow"""
    sim_trials: int = 30
    """episodes of each policy in the twin"""


def main(options: Options) -> None:
    task, policies = STUDIES[options.study]
    root = options.out / options.study
    shadows = [f"shadow:{options.shift}@{strength:g}" for strength in options.strengths]
    console = Console()
    for world in ("twin", *shadows):
        for name, policy in policies.items():
            config = SessionConfig(
                task=task,
                world=world,
                robot="wx250s",
                policy=policy,
                protocol="val",
                seed=0,
                trials=options.sim_trials if world == "twin" else options.trials,
                pictures=options.study == "pixels",
            )
            out = root / _folder(world) / name
            if not is_complete(config, out):
                console.print(f"{world}, {name}", highlight=False)
                with hands_for(config, 1, EpisodeRecorder) as hands:
                    run_with(hands, config, out)
    for world in shadows:
        study, paired = gap_study(sim=[root / "twin"], real=[root / _folder(world)])
        out = root / f"gap-{_folder(world)}"
        write_tables(study, paired, out)
        console.print(f"\n{write_gap_report(study, paired, out)}", highlight=False)
        print_study(study, console)
        session = root / _folder(world) / next(iter(policies))
        hidden = unseal(session, read_session(session).last_run.get("sealed_sha256"))
        console.print(f"Hidden: {json.dumps(hidden['shifts'])}", markup=False, highlight=False, soft_wrap=True)


def _folder(world: str) -> str:
    return world.replace(":", "-")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
