"""`touchstone eval int-act`: the whole suite, or some of its tasks, to its report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from touchstone.cli.evaluate import check_workers
from touchstone.cli.opening import hands_for
from touchstone.cli.results import print_suite_and_report
from touchstone.data.journal import EpisodeRecorder
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.fleet_worlds import check_envs
from touchstone.evaluation.suite import SuiteConfig, check_suite, count_done, missing_by_scene, run_suite
from touchstone.evaluation.suite_progress import SuiteProgress
from touchstone.registry import STACKS, names
from touchstone.tasks.int_act.suite import EPISODES, suite
from touchstone.tasks.int_act.task import FAMILY, PROTOCOL
from touchstone.tasks.int_act.wordings import SUITE_WORDS, paraphrased, who_has_paraphrases, wordings_of

if TYPE_CHECKING:
    from touchstone.cli.commands import Eval

#: the seeds of INT-ACT's own runs
SEEDS = (42, 7, 314)
#: options of a single task, and what a suite has in their place
_OF_ONE_TASK = {
    "trials": "--episodes (of each task and seed)",
    "seed": "--seeds",
    "protocol": "--tasks",
    "record": "--tasks",
}


def evaluate_suite(asked: Eval) -> int:
    """Runs what `touchstone eval int-act` was asked for. Returns the exit code."""
    config = suite_config(asked)
    out = asked.out or Path("runs") / FAMILY
    check_workers(asked.workers)
    check_envs(asked.envs, asked.workers, config.common.execution)
    check_suite(config, out)
    console = Console()
    missing = missing_by_scene(config, out)
    parts = config.parts()
    total, done = len(parts) * config.episodes, count_done(parts, out)
    if missing:
        title = f"{FAMILY} · {config.common.policy} · {config.common.world}"
        with SuiteProgress(title, done, total, console) as progress:
            run_suite(
                config,
                out,
                lambda first: hands_for(first, asked.workers, EpisodeRecorder, min(asked.envs, config.episodes)),
                progress.update,
                workers=asked.workers,
                envs=asked.envs,
            )
    else:
        console.print(f"All {total} episodes are in {out} already.", soft_wrap=True)
    for path in print_suite_and_report(out, console):
        console.print(str(path.absolute()), soft_wrap=True, highlight=False, markup=False)
    return 0


def suite_config(asked: Eval) -> SuiteConfig:
    """What the options ask for. Raises UsageError for those that say nothing to a suite."""
    for option, instead in _OF_ONE_TASK.items():
        if getattr(asked, option) is not None:
            raise UsageError(f"--{option} does not go with the suite; use {instead}, or name one task as {FAMILY}:ID.")
    if asked.arm_start != "random":
        raise UsageError("INT-ACT fixes how the arm starts; leave --arm-start out.")
    if asked.gate != "off":
        raise UsageError("The gate guards benches with cards, and not INT-ACT's scenes; leave --gate out.")
    if asked.operator is not None:
        raise UsageError(
            "An operator stands beside a bench, and the suite's scenes are simulated; leave --operator out."
        )
    if asked.policy is None:
        raise UsageError("Say which policy the suite is run with: --policy NAME.")
    if asked.world.split(":", 1)[0] in names(STACKS):
        raise UsageError(f"{asked.world} runs one task at a time; name it as {FAMILY}:ID, or use --world twin.")
    in_other_words = asked.paraphrases or asked.wording not in (None, SUITE_WORDS)
    tasks = paraphrased() if in_other_words and not asked.tasks else chosen_tasks(asked.tasks)
    if asked.overlay is not None and len({suite().task(name).layout.scene for name in tasks}) > 1:
        raise UsageError(
            "--overlay is a photograph of one scene, and these tasks are in two; choose those of the sink "
            "(--tasks '*eggplant*basket*') or of the table with --tasks."
        )
    return SuiteConfig(
        tasks=tasks,
        seeds=parse_seeds(asked.seeds),
        episodes=EPISODES if asked.episodes is None else asked.episodes,
        wordings=_wordings(asked, tasks),
        instruction=asked.instruction,
        camera=asked.camera,
        common=SessionConfig(
            task=f"{FAMILY}:{tasks[0]}",
            world=asked.world,
            robot=asked.robot,
            policy=asked.policy,
            protocol=PROTOCOL,
            seed=0,
            trials=1,
            shader=asked.shader,
            pictures=asked.pictures,
            meshes=asked.meshes,
            overlay=asked.overlay,
            strategy=asked.strategy,
            charge_latency=asked.charge_latency,
        ),
    )


def chosen_tasks(patterns: Iterable[str]) -> tuple[str, ...]:
    """The ids that globs and families name, in the suite's order; the fifty counted ones when nothing is named.

    Raises UsageError for a pattern that names none.
    """
    words = [word for pattern in patterns for word in pattern.split(",")]
    if not words:
        return tuple(task.id for task in suite().tasks.values() if task.counted)
    found = {task.id for word in words for task in suite().select(word.strip())}
    return tuple(name for name in suite().tasks if name in found)


def parse_seeds(words: Iterable[str]) -> tuple[int, ...]:
    """`42 7 314` or `42,7,314`; INT-ACT's own when nothing is said. Raises UsageError."""
    parts = [part.strip() for word in words for part in word.split(",")]
    wrong = next((part for part in parts if not (part.isascii() and part.isdigit())), None)
    if wrong is not None:
        raise UsageError(f"--seeds has '{wrong}'; give whole numbers from 0, as in --seeds 42,7,314.")
    seeds = tuple(int(part) for part in parts)
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"--seeds names {next(s for s in seeds if seeds.count(s) > 1)} twice; give each seed once.")
    return seeds or SEEDS


def _wordings(asked: Eval, tasks: tuple[str, ...]) -> tuple[str | None, ...]:
    """The suite's own words, one wording that was named, or the suite's and every paraphrase."""
    if asked.instruction is not None and asked.wording is not None:
        raise UsageError("--instruction is a wording of its own; leave --wording out.")
    if not asked.paraphrases:
        return (None if asked.wording == SUITE_WORDS else asked.wording,)
    given = next((option for option in ("instruction", "wording") if getattr(asked, option) is not None), None)
    if given:
        raise UsageError(f"--paraphrases runs every wording there is; leave --{given} out.")
    without = next((task for task in tasks if len(wordings_of(task)) == 1), None)
    if without is not None:
        raise UsageError(f"{without} has no paraphrases; {who_has_paraphrases()}.")
    return tuple(None if name == SUITE_WORDS else name for name in wordings_of(tasks[0]))
