"""`touchstone eval`: check, run, score, report, and what to do next."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from policy_server.loading import load_policy
from touchstone.data.journal import check_resumable
from touchstone.evaluation.config import SessionConfig, check, is_address
from touchstone.evaluation.progress import SessionProgress
from touchstone.evaluation.session import is_complete, run_session
from touchstone.policy import Policy
from touchstone.registry import POLICY_SCHEMES, STACKS, WORLDS, names
from touchstone.registry import load as find
from touchstone.scoring.report import write_report
from touchstone.scoring.score import score_session
from touchstone.scoring.table import print_summary
from touchstone.tasks.emoji.cards import emoji_font
from touchstone.world import WorldRequest


def evaluate(config: SessionConfig, out: Path) -> int:
    """Runs a session to its report. Returns the exit code."""
    check(config, out)
    check_resumable(out, config.identity())
    emoji_font()
    console = Console()
    if is_complete(config, out):
        console.print(f"All {config.trials} episodes are in {out} already.", soft_wrap=True)
    elif config.world in names(STACKS):
        code = find(STACKS, config.world)(config, out)
        if code:
            return code
    else:
        _in_this_process(config, out)
    print_summary(score_session(out), console)
    report = write_report(out)
    console.print(f"\nReport: {report.absolute()}", soft_wrap=True, highlight=False)
    _next_steps(console, config)
    return 0


def _in_this_process(config: SessionConfig, out: Path) -> None:
    policy = _open_policy(config.policy)
    try:
        world = find(WORLDS, config.world)(
            WorldRequest(
                robot=config.robot,
                camera=config.camera,
                shader=config.shader,
                privileged=policy.contract.needs_privileged,
            )
        )
        try:
            with SessionProgress(f"{config.task} · {config.policy} · {config.world}") as progress:
                run_session(config, out, world, policy, progress.update)
        finally:
            world.close()
    finally:
        close = getattr(policy, "close", None)
        if close is not None:
            close()


def _open_policy(name: str) -> Policy:
    if is_address(name):
        return find(POLICY_SCHEMES, name.split("://", 1)[0])(name)
    return load_policy(name)


def _next_steps(console: Console, config: SessionConfig) -> None:
    again = f"{_program()} eval {config.task} --policy"
    console.print(
        "\nNext steps\n"
        f"  your own policy, in 20 lines (docs/your-policy.md)   {again} my_policy:MyPolicy --out runs/mine\n"
        f"  an openpi server (docs/openpi-server.md)             {again} openpi_policy:OpenpiPolicy --out runs/openpi\n"
        "  a robot: docs/your-bench.md gives the bench's measures and says what is not built yet",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _program() -> str:
    """How this program was started, as short as a user can type it."""
    started = Path(sys.argv[0]).absolute()
    return str(started.relative_to(Path.cwd())) if started.is_relative_to(Path.cwd()) else "touchstone"
