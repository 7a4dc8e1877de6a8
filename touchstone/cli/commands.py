"""The subcommands and their options; what they do lies in the packages they call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Union

import tyro

from touchstone.cli.assets import Assets
from touchstone.cli.compare import Compare
from touchstone.cli.gap import Gap
from touchstone.cli.plan import Plan
from touchstone.cli.serve import Keys, Serve, Server
from touchstone.cli.table import Table


@dataclass(frozen=True)
class Eval:
    """Evaluate a policy: runs the episodes, scores them and writes the report."""

    task: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TASK")]
    """what is asked: touch-emoji, pick-emoji, int-act:ID (one task of INT-ACT), or int-act (the suite)"""
    world: str = "twin"
    """twin (in this process), twin-ros (through ROS 2 nodes and the policy server), emulated (a bench without atoms:
    drivers, wires, nodes), real:port=/dev/ttyDXL or real:host=ADDRESS (docs/bring-up.md), or a twin with hidden shifts
    such as shadow:light+latency@0.5"""
    policy: str | None = None
    """a registered policy, module:Class, or a server's address such as tcp://127.0.0.1:5555; card-matcher unless said
    (a suite has no default)"""
    robot: str = "wx250s"
    """the arm: wx250s or rm75"""
    protocol: str | None = None
    """which emojis: train, val, hard, id (with --record), or the authors' train-authors, val-authors, hard-authors;
    val unless said"""
    trials: int | None = None
    """how many episodes; 10 unless said"""
    seed: int | None = None
    """of the layouts; equal seeds give equal episodes in every world; 0 unless said"""
    tasks: tuple[str, ...] = ()
    """int-act: which tasks, as globs of ids or family:NAME; the fifty that count unless said"""
    episodes: int | None = None
    """int-act: how many episodes of each task and seed; all 24 unless said"""
    seeds: tuple[str, ...] = ()
    """int-act: seeds of the policy, as in 42,7,314, which are INT-ACT's own and taken unless said"""
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
    overlay: str | None = None
    """int-act: your own photograph of the scene, shown behind arm and things (docs/int-act.md)"""
    arm_start: Literal["random", "fixed"] = "random"
    """where the arm starts: random varies it a little, as the paper says; fixed never does, as the paper's code"""
    wording: str | None = None
    """whose instruction: paper, or code (pick-emoji); the paper's unless said; int-act: suite, paraphrase-1, ..."""
    paraphrases: bool = False
    """int-act: run the suite's instructions and every paraphrase of them, in the same scenes"""
    record: str | None = None
    """for --protocol id: the dataset or session whose card combinations are replayed"""
    instruction: str | None = None
    """your own sentence for every episode; {label} stands for the named card (int-act: {source}, {target})"""
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
    gate: Literal["off", "observe", "enforce"] = "off"
    """the safety gate of the arms' drivers in the twin: observe journals what it would have done, enforce lets it"""
    operator: str | None = None
    """who stands beside the bench, places the cards and may overrule verdicts, on a page in a browser; with
    --world twin it is a rehearsal"""
    operator_port: int = 8765
    """of that page, on this machine only"""

    def run(self) -> int:
        if self.task == "int-act":
            from touchstone.cli.int_act import evaluate_suite

            return evaluate_suite(self)
        from touchstone.cli.evaluate import evaluate_task

        return evaluate_task(self)


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
    """Recompute a session's or a suite's scores from the raw facts in its journal."""

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """session folder, or a suite's"""

    def run(self) -> int:
        from rich.console import Console

        from touchstone.cli.results import print_scores

        print_scores(self.session, Console())
        return 0


@dataclass(frozen=True)
class Report:
    """Write a session's or a suite's report.html (a suite's tables too)."""

    session: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """session folder, or a suite's"""

    def run(self) -> int:
        from touchstone.cli.results import write_reports

        for path in write_reports(self.session):
            print(path)
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
    Annotated[Compare, tyro.conf.subcommand("compare")],
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
