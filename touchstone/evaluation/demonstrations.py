"""Turns episodes into demonstrations: what a tick means in a LeRobot dataset, and which episodes go in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from touchstone.calibration import Calibration, for_camera
from touchstone.data.journal import EpisodeLine, EpisodeRecorder
from touchstone.data.lerobot import Dataset, Features, Picture, Vector
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.hands import Hands
from touchstone.evaluation.session import open_session, plan
from touchstone.facts import Event, Facts
from touchstone.policy import Chunk
from touchstone.registry import ROBOTS, load
from touchstone.robots.base import Arm
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.tasks.base import task as find_task
from touchstone.world import Observation

JOURNAL = "journal"
STATE, JOINTS, ACTION, PICTURES = "observation.state", "observation.joints", "action", "observation.images."
Progress = Callable[[EpisodeLine | None, int, int], None]


def demonstrate(
    hands: Hands,
    config: SessionConfig,
    dataset: Dataset,
    keep_failures: bool,
    progress: Progress = lambda *_: None,
) -> None:
    """Collects until `config.trials` demonstrations are in the dataset; the journal is in its folder `journal`.

    Episodes are asked for in their order: as many as are wanted, then as many as failed, and so on, so that what is in
    the dataset does not depend on which worker was faster. progress(line, kept, wanted). hands: with `Demonstrating`.
    """
    with open_session(hands, config, dataset.root / JOURNAL) as session:
        dataset.clean()
        lines = {line.index: line for line in session.finished().values()}
        # an episode's line is written after its part of the dataset: a part without a line was torn off by a crash
        dataset.discard(set(dataset.staged()) - set(lines))
        kept = sum(_wanted(line, keep_failures) for line in lines.values())
        progress(None, min(kept, config.trials), config.trials)
        attempts = 0
        while attempts < config.trials or kept < config.trials:
            attempts = max(config.trials, attempts + config.trials - kept)
            missing = [plan(config, index) for index in range(attempts) if index not in lines]
            for line in hands.run(session.path, missing):
                session.append(line)
                lines[line.index] = line
                kept += _wanted(line, keep_failures)
                progress(line, min(kept, config.trials), config.trials)
        good = [index for index, line in sorted(lines.items()) if _wanted(line, keep_failures)][: config.trials]
        there = dataset.absorbed()
        dataset.absorb([index for index in good if index not in there])


def open_dataset(config: SessionConfig, root: Path) -> Dataset:
    """Creates or resumes the dataset. Raises UsageError if `root` holds another one."""
    arm, task = load(ROBOTS, config.robot), find_task(config.task)
    return Dataset.open(root, arm.name, round(task.rate_hz), features(arm, for_camera(config.camera, arm.name)))


def features(arm: Arm, calibration: Calibration) -> Features:
    """What a frame holds.

    observation.state: TCP in the base frame, x y z [m] and rotation vector [rad], and the gripper's opening 0..1.
    observation.joints: [rad]. action: `target_delta` on the commanded TCP, base axes, [m] and rotation vector [rad],
    and the gripper's commanded opening.
    """
    camera = calibration.cameras["scene"]
    pose = ("x", "y", "z", "rx", "ry", "rz", "gripper")
    return {
        STATE: Vector(pose),
        JOINTS: Vector(arm.joint_names),
        ACTION: Vector(tuple(name if name == "gripper" else f"d{name}" for name in pose)),
        PICTURES + "scene": Picture(camera.height, camera.width),
    }


@dataclass(frozen=True)
class Demonstrating:
    """Makes the recorders of a collection; picklable, so that workers can."""

    dataset: Dataset
    keep_failures: bool

    def __call__(
        self, session: Path, world: str, spec: Spec, append: Callable[[EpisodeLine], None]
    ) -> DemonstrationRecorder:
        return DemonstrationRecorder(self, session, world, spec, append)


class DemonstrationRecorder(EpisodeRecorder):
    """Writes an episode's MCAP and, beside it, its frames for the dataset."""

    film = False

    def __init__(self, maker: Demonstrating, session: Path, world: str, spec: Spec, append) -> None:
        super().__init__(session, world, spec, append)
        self._demonstration = spec
        self._keep_failures = maker.keep_failures
        self._stage = maker.dataset.begin(spec.index)

    def tick(
        self,
        observation: Observation,
        facts: Facts,
        events: list[Event],
        chunk: Chunk | None,
        stages_ms: dict[str, float],
    ) -> None:
        super().tick(observation, facts, events, chunk, stages_ms)
        if chunk is not None:
            self._stage.add(_frame(observation, chunk))

    def finish(self, verdict: Verdict) -> EpisodeLine:
        spec = self._demonstration
        if verdict.success or self._keep_failures:
            extra = {"success": verdict.success, "seed": spec.seed, "spec": spec.model_dump_json()}
            self._stage.finish(spec.instruction, extra)
        else:
            self._stage.abandon()
        return super().finish(verdict)

    def abandon(self) -> None:
        self._stage.abandon()
        super().abandon()


def _wanted(line: EpisodeLine, keep_failures: bool) -> bool:
    return keep_failures or line.verdict.success


def _frame(observation: Observation, chunk: Chunk) -> dict[str, np.ndarray]:
    ee = observation.ee
    state = [*ee.position, *ee.rotation().as_rotvec(), observation.gripper.opening]
    return {
        STATE: np.array(state, dtype=np.float32),
        JOINTS: observation.joints.position.astype(np.float32),
        ACTION: np.array([*chunk.actions[0], chunk.gripper[0]], dtype=np.float32),
        **{PICTURES + name: frame.image for name, frame in observation.cameras.items()},
    }
