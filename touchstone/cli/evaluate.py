"""`touchstone eval`: check, run, score, report, and what to do next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from touchstone.cli.opening import hands_for
from touchstone.cli.results import print_scores, write_reports
from touchstone.data.journal import EpisodeRecorder, check_resumable
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig, check
from touchstone.evaluation.execution import REAL
from touchstone.evaluation.fleet_worlds import check_envs
from touchstone.evaluation.progress import SessionProgress
from touchstone.evaluation.session import is_complete, run_with
from touchstone.registry import STACKS, names
from touchstone.registry import load as find
from touchstone.tasks.base import task as find_task
from touchstone.tasks.emoji.cards import emoji_font

if TYPE_CHECKING:
    from touchstone.cli.commands import Eval


def evaluate_task(asked: Eval) -> int:
    """`touchstone eval TASK` with its options. Raises UsageError for those of a suite. Returns the exit code."""
    for option in ("tasks", "episodes", "seeds", "paraphrases"):
        if getattr(asked, option) not in (None, (), False):
            raise UsageError(f"--{option} is an option of the suite `touchstone eval int-act`; leave it out.")
    task = find_task(asked.task)
    config = SessionConfig(
        task=asked.task,
        world=asked.world,
        robot=asked.robot,
        policy=asked.policy or "card-matcher",
        protocol=asked.protocol or ("val" if "val" in task.protocols else task.protocols[0]),
        seed=asked.seed or 0,
        trials=10 if asked.trials is None else asked.trials,
        camera=asked.camera or task.camera,
        shader=asked.shader,
        pictures=asked.pictures,
        meshes=asked.meshes,
        overlay=asked.overlay,
        gate=asked.gate,
        arm_start=asked.arm_start,
        wording=asked.wording,
        record=asked.record,
        instruction=asked.instruction,
        strategy=asked.strategy,
        charge_latency=asked.charge_latency,
        operator=asked.operator,
        operator_port=asked.operator_port,
    )
    return evaluate(config, asked.out or Path("runs") / asked.task, asked.workers, asked.envs)


def evaluate(config: SessionConfig, out: Path, workers: int = 1, envs: int = 1) -> int:
    """Runs a session to its report. Returns the exit code."""
    check_workers(workers)
    check_envs(envs, workers, config.execution)
    if config.operator is not None and workers * envs > 1:
        raise UsageError("One operator stands beside one bench; leave --workers and --envs out.")
    check(config, out)
    check_resumable(out, config.identity())
    emoji_font()
    console = Console()
    if config.execution.charge == REAL:
        console.print("Latency is charged as it is measured; this session is not reproducible.", soft_wrap=True)
    if is_complete(config, out):
        console.print(f"All {config.trials} episodes are in {out} already.", soft_wrap=True)
    elif config.world_name in names(STACKS):
        if workers > 1 or envs > 1:
            option = "--workers" if workers > 1 else "--envs"
            raise UsageError(f"{config.world} is one stack of processes; leave {option} out, or use --world twin.")
        code = find(STACKS, config.world_name)(config, out)
        if code:
            return code
    else:
        _in_this_process(config, out, workers, min(envs, config.trials))
    print_scores(out, console)
    (report,) = write_reports(out)
    console.print(f"\nReport: {report.absolute()}", soft_wrap=True, highlight=False)
    _next_steps(console, config)
    return 0


def _in_this_process(config: SessionConfig, out: Path, workers: int, envs: int) -> None:
    with (
        hands_for(config, workers, EpisodeRecorder, envs) as hands,
        SessionProgress(f"{config.task} · {config.policy} · {config.world}") as progress,
    ):
        run_with(hands, config, out, progress.update)


def check_workers(workers: int) -> None:
    """Raises UsageError for a number of worker processes that makes no sense."""
    if not 1 <= workers <= 256:
        raise UsageError(f"--workers is {workers}; use 1 to 256, at most one for each CPU core.")


def _next_steps(console: Console, config: SessionConfig) -> None:
    run = f"{_program()} eval {config.task}"
    openpi = "openpi://127.0.0.1:8000"
    console.print(
        "\nNext steps\n"
        f"  your own policy, in 20 lines (docs/your-policy.md)   {run} --policy my_policy:MyPolicy --out runs/mine\n"
        f"  an openpi server (docs/dialects.md)                  {run} --policy {openpi} --out runs/openpi\n"
        f"  a bench but for its atoms (docs/emulated-bench.md)   {run} --world emulated --out runs/emulated\n"
        "  a robot, from the box to the first touch             docs/bring-up.md",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _program() -> str:
    """How this program was started, as short as a user can type it."""
    started = Path(sys.argv[0]).absolute()
    return str(started.relative_to(Path.cwd())) if started.is_relative_to(Path.cwd()) else "touchstone"
