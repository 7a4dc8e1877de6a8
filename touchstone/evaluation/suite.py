"""A run of the INT-ACT suite: a session for every task, seed and wording, in worlds that are opened once a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from touchstone.data.journal import EpisodeLine, check_resumable, finished_episodes
from touchstone.data.suite_folder import OF_SESSION, SuiteFolder, check_suite_resumable
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig, check
from touchstone.evaluation.hands import Hands
from touchstone.evaluation.session import run_with
from touchstone.facts import Record
from touchstone.tasks.base import task as find_task
from touchstone.tasks.int_act.layouts import layout_count
from touchstone.tasks.int_act.scenes import ROBOT
from touchstone.tasks.int_act.suite import suite
from touchstone.tasks.int_act.task import FAMILY, PROTOCOL
from touchstone.tasks.int_act.wordings import SUITE_WORDS, words_name

#: opens who carries out the sessions of a scene; let go of at the end
OpenHands = Callable[[SessionConfig], AbstractContextManager[Hands]]
Progress = Callable[["Part", EpisodeLine], None]


class Part(Record):
    """One session of a suite. name: of its folder."""

    name: str
    config: SessionConfig


class SuiteConfig(Record):
    """What is asked of the suite. tasks: ids. episodes: of each task and seed. wordings: names of the tasks' wordings,
    None for the suite's own words. instruction: one's own sentence instead. camera: None for each scene's own.
    common: what every session shares; its task, seed, trials and camera are not looked at.
    """

    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    episodes: int
    wordings: tuple[str | None, ...] = (None,)
    instruction: str | None = None
    camera: str | None = None
    common: SessionConfig

    def parts(self) -> tuple[Part, ...]:
        """Scene by scene; within one in the order of tasks, wordings and seeds."""
        parts = [
            self._part(task, wording, seed) for task in self.tasks for wording in self.wordings for seed in self.seeds
        ]
        scenes = list(dict.fromkeys(map(scene_of, parts)))
        return tuple(sorted(parts, key=lambda part: scenes.index(scene_of(part))))

    def identity(self) -> dict:
        """What all runs into one folder share: tasks, seeds, episodes and wordings may come later."""
        own = self.common.identity()
        return {key: value for key, value in own.items() if key not in OF_SESSION} | {"camera": self.camera}

    def asked(self) -> dict:
        """For the record."""
        return self.model_dump(mode="json", include={"tasks", "seeds", "episodes", "wordings", "instruction"})

    def _part(self, task: str, wording: str | None, seed: int) -> Part:
        name = f"{FAMILY}:{task}"
        config = self.common.model_copy(
            update={
                "task": name,
                "seed": seed,
                "trials": self.episodes,
                "camera": self.camera or find_task(name).camera,
                "wording": wording,
                "instruction": self.instruction,
            }
        )
        return Part(name=folder_name(task, seed, wording, self.instruction), config=config)


def folder_name(task: str, seed: int, wording: str | None, instruction: str | None) -> str:
    """`widowx_stack_cube-s42`; what words it is put in follows where they are not the suite's."""
    words = words_name(wording, instruction)
    return f"{task}-s{seed}" if words == SUITE_WORDS else f"{task}-s{seed}-{words}"


def check_suite(config: SuiteConfig, out: Path) -> None:
    """Raises UsageError, in one sentence and before anything starts, for a request that cannot work."""
    if config.common.robot != ROBOT:
        raise UsageError(f"INT-ACT is defined for the arm {ROBOT} alone; use --robot {ROBOT}.")
    most = max(layout_count(suite().task(name)) for name in config.tasks)
    if not 1 <= config.episodes <= most:
        raise UsageError(
            f"--episodes is {config.episodes}; a task has episodes 0 to {most - 1}, so ask for 1 to {most} "
            "(more seeds give more trials)."
        )
    parts = config.parts()
    check(parts[0].config, out)
    check_suite_resumable(out, FAMILY, config.identity())
    for part in parts:
        find_task(part.config.task).material(PROTOCOL, part.config.plan_options)
        check_resumable(out / part.name, part.config.identity())


def run_suite(
    config: SuiteConfig, out: Path, open_hands: OpenHands, progress: Progress = lambda *_: None, **provenance
) -> None:
    """Runs what is missing of a suite into `out`. Worlds are opened once for each scene that has something missing.

    progress(part, line) is called after every episode. provenance: JSON-able, for the record. Raises as `run_with`.
    """
    with SuiteFolder(out, FAMILY, config.identity(), config.asked() | provenance):
        for stage in missing_by_scene(config, out):
            with open_hands(stage[0].config) as hands:
                for part in stage:
                    run_with(hands, part.config, out / part.name, _of_part(part, progress))


def missing_by_scene(config: SuiteConfig, out: Path) -> list[list[Part]]:
    """The sessions that are not complete, those that share a world together."""
    stages: dict[tuple[str, str], list[Part]] = {}
    for part in config.parts():
        if count_done([part], out) < part.config.trials:
            stages.setdefault(scene_of(part), []).append(part)
    return list(stages.values())


def count_done(parts: Iterable[Part], out: Path) -> int:
    """How many of the episodes asked for are in the journals already."""
    return sum(
        line.index < part.config.trials for part in parts for line in finished_episodes(out / part.name).values()
    )


def scene_of(part: Part) -> tuple[str, str]:
    """What a world is opened for: the scene and the camera."""
    return find_task(part.config.task).scene, part.config.camera


def _of_part(part: Part, progress: Progress) -> Callable[[EpisodeLine | None, int, int], None]:
    def update(line: EpisodeLine | None, done: int, trials: int) -> None:
        if line is not None:
            progress(part, line)

    return update
