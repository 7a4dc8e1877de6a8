"""One task of INT-ACT as a task that a session can run: `int-act:widowx_carrot_on_plate`."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from touchstone.cameras import DEFAULT_PRESET
from touchstone.errors import UsageError
from touchstone.facts import Event, Facts
from touchstone.geometry import Pose
from touchstone.robots.base import Arm
from touchstone.spec import Placement, Spec
from touchstone.tasks.base import DEFAULT_OPTIONS, PlanOptions, Verdict
from touchstone.tasks.int_act.layouts import Drop, drops
from touchstone.tasks.int_act.metrics import METRICS, EpisodeScore, score_episode
from touchstone.tasks.int_act.objects import object_kind
from touchstone.tasks.int_act.recorded import moment_of
from touchstone.tasks.int_act.scenes import ROBOT, Scene, scene_of
from touchstone.tasks.int_act.suite import RATE_HZ, suite
from touchstone.tasks.int_act.wordings import instruction_of, wordings_of

#: the family's registered name; a member is `int-act:ID`
FAMILY = "int-act"
PROTOCOL = "suite"


class IntAct:
    """The task of an id. Episodes are the suite's; their seed varies the policy alone.

    Its verdicts: execution is INT-ACT's own success, and so is recognition; `strict` stands beside; `values` holds the
    six values of an episode.
    """

    protocols = (PROTOCOL,)
    rules = ("paper", "strict")
    rate_hz = RATE_HZ

    def __init__(self, id: str = "") -> None:
        if not id:
            raise UsageError(
                f"INT-ACT is a suite; run it with `touchstone eval {FAMILY}`, or name one task as in "
                f"{FAMILY}:{next(iter(suite().tasks))}."
            )
        self.suite_task = suite().task(id)
        self.name = f"{FAMILY}:{id}"
        self.step_limit = self.suite_task.steps
        self.wordings = wordings_of(id)
        self._scene = scene_of(self.suite_task.layout)
        self.scene, self.camera = self._scene.name, self._scene.camera

    def material(self, protocol: str, options: PlanOptions) -> dict[str, str]:
        if protocol not in self.protocols:
            raise UsageError(f"Unknown protocol '{protocol}'; {FAMILY} has: {', '.join(self.protocols)}.")
        if options.record is not None:
            raise UsageError(f"{FAMILY} replays no record; leave --record out.")
        instruction_of(self.suite_task, options)
        return {}

    def plan(
        self,
        protocol: str,
        seed: int,
        index: int,
        arm: Arm,
        camera: str = DEFAULT_PRESET,
        options: PlanOptions = DEFAULT_OPTIONS,
    ) -> Spec:
        """Episode `index`: the suite's layout of that id (ids beyond the last begin anew)."""
        self.material(protocol, options)
        if arm.name != ROBOT:
            raise UsageError(f"INT-ACT is defined for the arm {ROBOT} alone; use --robot {ROBOT}.")
        task = self.suite_task
        draw = np.random.SeedSequence([seed, zlib.crc32(self.name.encode()), index])
        return Spec(
            episode=f"{PROTOCOL}-s{seed}-{index:04d}",
            task=self.name,
            protocol=protocol,
            robot=arm.name,
            bench=self.scene,
            camera=camera,
            seed=seed,
            index=index,
            instruction=instruction_of(task, options),
            target=task.objects.source,
            layout=tuple(_placement(drop, self._scene) for drop in drops(task, index)),
            rate_hz=self.rate_hz,
            step_limit=self.step_limit,
            start=self._scene.start,
            policy_seed=int(draw.generate_state(1)[0]),
        )

    def monitor(self, spec: Spec) -> _ToTheEnd:
        return _ToTheEnd()

    def judge(self, spec: Spec, facts: Sequence[Facts], events: Sequence[Event]) -> Verdict:
        score = score_episode(self.suite_task, [moment_of(tick) for tick in facts])
        return _verdict(score, score.success, self.suite_task.objects.source).model_copy(
            update={
                "beside": {"strict": _verdict(score, score.strict, self.suite_task.objects.source)},
                "values": {name: getattr(score, name) for name in METRICS},
            }
        )


class _ToTheEnd:
    """Nothing ends an episode of INT-ACT early."""

    def update(self, facts: Facts) -> bool:
        return False


def _placement(drop: Drop, scene: Scene) -> Placement:
    pose = scene.in_base(Pose(np.array([*drop.xy, 0.0]), np.array(drop.turn)))
    return Placement(
        name=drop.object,
        kind=drop.object,
        label=object_kind(drop.object).label,
        xy=(float(pose.position[0]), float(pose.position[1])),
        turn=tuple(pose.quaternion.tolist()),
    )


def _verdict(score: EpisodeScore, success: bool, source: str) -> Verdict:
    return Verdict(
        execution=success,
        recognition=True if success else None,
        chosen=source if score.moved_correct else None,
        step=score.grasped_at,
        reason=score.reason,
    )
