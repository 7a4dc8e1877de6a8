"""The subcommands and their options; what they do lies in the packages they call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Union

import tyro


@dataclass(frozen=True)
class Eval:
    """Evaluate a policy: runs the episodes, scores them and writes the report."""

    task: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TASK")]
    """what is asked: touch-emoji"""
    world: str = "twin"
    """twin (in this process) or twin-ros (through ROS 2 nodes and the policy server)"""
    policy: str = "card-matcher"
    """a registered policy, module:Class, or a server's address such as tcp://127.0.0.1:5555"""
    robot: str = "wx250s"
    """the arm"""
    protocol: str = "val"
    """which emojis: train, val or hard"""
    trials: int = 10
    """how many episodes"""
    seed: int = 0
    """of the layouts; equal seeds give equal episodes in every world"""
    out: Path = Path("runs/touch-emoji")
    """session folder; the same command again resumes it"""
    camera: str = "grinningface"
    """camera preset, or the path of a calibration.yaml"""
    shader: str | None = None
    """how the twin renders: minimal or default; minimal unless said"""

    def run(self) -> int:
        from touchstone.cli.evaluate import evaluate
        from touchstone.evaluation.config import SessionConfig

        return evaluate(
            SessionConfig(
                task=self.task,
                world=self.world,
                robot=self.robot,
                policy=self.policy,
                protocol=self.protocol,
                seed=self.seed,
                trials=self.trials,
                camera=self.camera,
                shader=self.shader,
            ),
            self.out,
        )


@dataclass(frozen=True)
class Serve:
    """Host a policy for other processes and machines."""

    policy: str
    """a registered policy or module:Class"""
    bind: str = "tcp://127.0.0.1:5555"
    """address to listen on; port 0 takes a free one"""

    def run(self) -> int:
        from policy_server.loading import load_policy
        from policy_server.server import serve

        return serve(load_policy(self.policy), self.bind)


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
    Annotated[Serve, tyro.conf.subcommand("serve")],
    Annotated[Score, tyro.conf.subcommand("score")],
    Annotated[Report, tyro.conf.subcommand("report")],
    Annotated[Doctor, tyro.conf.subcommand("doctor")],
]


def parse(arguments: list[str]) -> Command:
    """The command that the arguments name; tyro prints usage and exits with 2 on anything it does not know."""
    return tyro.cli(Command, prog="touchstone", description=DESCRIPTION, args=arguments)  # type: ignore[call-overload]
