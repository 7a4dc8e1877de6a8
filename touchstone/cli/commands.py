"""The subcommands and their options; what they do lies in the packages they call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Union

import tyro

from touchstone.cli.assets import Assets
from touchstone.cli.gap import Gap
from touchstone.cli.plan import Plan
from touchstone.cli.serve import Keys, Serve, Server
from touchstone.cli.table import Table


@dataclass(frozen=True)
class Eval:
    """Evaluate a policy: runs the episodes, scores them and writes the report."""

    task: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TASK")]
    """what is asked: touch-emoji or pick-emoji"""
    world: str = "twin"
    """twin (in this process), twin-ros (through ROS 2 nodes and the policy server), or a twin with hidden shifts such
    as shadow:light+latency@0.5"""
    policy: str = "card-matcher"
    """a registered policy, module:Class, or a server's address such as tcp://127.0.0.1:5555"""
    robot: str = "wx250s"
    """the arm: wx250s or rm75"""
    protocol: str | None = None
    """which emojis: train, val, hard, id (with --record), or the authors' train-authors, val-authors, hard-authors;
    val unless said"""
    trials: int = 10
    """how many episodes"""
    seed: int = 0
    """of the layouts; equal seeds give equal episodes in every world"""
    out: Path | None = None
    """session folder, runs/TASK unless said; the same command again resumes it"""
    camera: str | None = None
    """camera preset, or the path of a calibration.yaml; the task's own preset unless said"""
    shader: str | None = None
    """how the twin renders: minimal, default or rt (ray traced, for stills); minimal unless said"""
    pictures: bool = True
    """--no-pictures renders nothing, for policies that look at nothing"""
    meshes: Literal["own", "official"] = "own"
    """the arm's looks: own, or the maker's meshes where ManiSkill's assets are (MS_ASSET_DIR)"""
    arm_start: Literal["random", "fixed"] = "random"
    """where the arm starts: random varies it a little, as the paper says; fixed never does, as the paper's code"""
    wording: str | None = None
    """whose instruction: paper, or code (pick-emoji); the paper's unless said"""
    record: str | None = None
    """for --protocol id: the dataset or session whose card combinations are replayed"""
    instruction: str | None = None
    """your own sentence for every episode; {label} stands for the named card"""
    workers: int = 1
    """episodes that run at once, each in a process of its own; about one for each CPU core"""
    envs: int = 1
    """episodes that run at once in this process, for a policy that answers several observations in one go"""
    strategy: str = "receding"
    """how chunks are carried out: receding, sync, ensemble, async or rtc, with parameters as in async:g=0.7
    (docs/latency.md)"""
    charge_latency: str | None = None
    """what the policy's thinking costs in the world's time: milliseconds, or real for the measured round trip; the
    world stands still unless said"""

    def run(self) -> int:
        from touchstone.cli.evaluate import evaluate
        from touchstone.evaluation.config import SessionConfig
        from touchstone.tasks.base import task

        asked = task(self.task)
        return evaluate(
            SessionConfig(
                task=self.task,
                world=self.world,
                robot=self.robot,
                policy=self.policy,
                protocol=self.protocol or ("val" if "val" in asked.protocols else asked.protocols[0]),
                seed=self.seed,
                trials=self.trials,
                camera=self.camera or asked.camera,
                shader=self.shader,
                pictures=self.pictures,
                meshes=self.meshes,
                arm_start=self.arm_start,
                wording=self.wording,
                record=self.record,
                instruction=self.instruction,
                strategy=self.strategy,
                charge_latency=self.charge_latency,
            ),
            self.out or Path("runs") / self.task,
            self.workers,
            self.envs,
        )


@dataclass(frozen=True)
class Collect:
    """Collect demonstrations: a LeRobot dataset (v3), and beside it the journal with one MCAP an episode."""

    task: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TASK")]
    """what is shown: pick-emoji or touch-emoji"""
    out: Path
    """dataset folder; the same command again resumes or enlarges it"""
    expert: bool = False
    """shown by the built-in expert; so far the only teacher"""
    episodes: int = 500
    """how many successful demonstrations"""
    robot: str = "wx250s"
    """the arm: wx250s or rm75"""
    protocol: str = "train"
    """which emojis: train, val, hard, or the authors' train-authors, val-authors, hard-authors"""
    seed: int = 0
    """of the layouts"""
    camera: str = "grinningface"
    """camera preset, with @WIDTHxHEIGHT for another size, or the path of a calibration.yaml"""
    shader: str | None = None
    """how the twin renders: minimal, default or rt; minimal unless said"""
    world: str = "twin"
    """twin, or a twin with hidden shifts such as shadow:light@0.5"""
    meshes: Literal["own", "official"] = "own"
    """the arm's looks: own, or the maker's meshes where ManiSkill's assets are (MS_ASSET_DIR)"""
    arm_start: Literal["random", "fixed"] = "random"
    """where the arm starts: random varies it a little, as the paper says; fixed never does, as the paper's code"""
    wording: str | None = None
    """whose instruction: paper, or code (pick-emoji); the paper's unless said"""
    keep_failures: bool = False
    """put failed demonstrations into the dataset too, flagged, as the authors did"""
    workers: int = 1
    """episodes that run at once, each in a process of its own; about one for each CPU core"""

    def run(self) -> int:
        from touchstone.cli.collect import collect
        from touchstone.errors import UsageError
        from touchstone.evaluation.config import SessionConfig

        if not self.expert:
            raise UsageError("Say who demonstrates: --expert is the only teacher so far.")
        config = SessionConfig(
            task=self.task,
            world=self.world,
            robot=self.robot,
            policy="expert",
            protocol=self.protocol,
            seed=self.seed,
            trials=self.episodes,
            camera=self.camera,
            shader=self.shader,
            meshes=self.meshes,
            arm_start=self.arm_start,
            wording=self.wording,
        )
        return collect(config, self.out, self.keep_failures, self.workers)


@dataclass(frozen=True)
class Unseal:
    """Print the hidden parameters of a session in a shadow, to grade a calibration or a gap study against them."""

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """session folder"""

    def run(self) -> int:
        import json

        from touchstone.data.journal import read_session
        from touchstone.data.sealed import unseal

        print(json.dumps(unseal(self.session, read_session(self.session).last_run.get("sealed_sha256")), indent=2))
        return 0


@dataclass(frozen=True)
class Score:
    """Recompute a session's scores from the raw facts in its journal."""

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """session folder"""

    def run(self) -> int:
        from touchstone.scoring.score import score_session
        from touchstone.scoring.table import print_summary

        print_summary(score_session(self.session))
        return 0


@dataclass(frozen=True)
class Report:
    """Write a session's report.html."""

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """session folder"""

    def run(self) -> int:
        from touchstone.scoring.report import write_report

        print(write_report(self.session))
        return 0


@dataclass(frozen=True)
class Doctor:
    """Check every part that Touchstone needs on this machine."""

    json: bool = False
    """print JSON instead of a table"""

    def run(self) -> int:
        from touchstone.doctor import run

        return run(self.json)


DESCRIPTION = (
    "Does your vision-language-action model really work? The same tasks, on a real arm and on its matched twin."
)

Command = Union[  # noqa: UP007 - tyro reads the subcommands from this union on Python 3.10 too
    Annotated[Eval, tyro.conf.subcommand("eval")],
    Annotated[Collect, tyro.conf.subcommand("collect")],
    Annotated[Serve, tyro.conf.subcommand("serve")],
    Annotated[Server, tyro.conf.subcommand("server")],
    Annotated[Keys, tyro.conf.subcommand("keys")],
    Annotated[Score, tyro.conf.subcommand("score")],
    Annotated[Table, tyro.conf.subcommand("table")],
    Annotated[Gap, tyro.conf.subcommand("gap")],
    Annotated[Plan, tyro.conf.subcommand("plan")],
    Annotated[Report, tyro.conf.subcommand("report")],
    Annotated[Unseal, tyro.conf.subcommand("unseal")],
    Annotated[Assets, tyro.conf.subcommand("assets")],
    Annotated[Doctor, tyro.conf.subcommand("doctor")],
]


def parse(arguments: list[str]) -> Command:
    """The command that the arguments name; tyro prints usage and exits with 2 on anything it does not know."""
    return tyro.cli(Command, prog="touchstone", description=DESCRIPTION, args=arguments)  # type: ignore[call-overload]
