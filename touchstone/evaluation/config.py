"""What defines a session's result, and the checks a user's request must pass before anything starts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from touchstone.calibration import digest, for_camera
from touchstone.cameras import DEFAULT_PRESET
from touchstone.control import strategies
from touchstone.data.disk import writable_folder
from touchstone.errors import UsageError
from touchstone.evaluation.execution import Execution, refuse_world
from touchstone.facts import Record
from touchstone.registry import POLICIES, POLICY_SCHEMES, ROBOTS, STACKS, WORLDS, names
from touchstone.registry import load as find
from touchstone.tasks.base import PlanOptions
from touchstone.tasks.base import task as find_task


class SessionConfig(Record):
    """One evaluation. Equal configurations give comparable, resumable sessions.

    world: `twin`, `twin-ros`, ... policy: a registered name, or the address of a server (`tcp://127.0.0.1:5555`).
    shader: how the twin renders, None for its default. pictures: off for policies that look at nothing.
    meshes: whose shapes the twin shows on the arm. overlay: a photograph that it shows behind arm and things.
    arm_start, wording, record, instruction: as in `PlanOptions`.
    strategy, charge_latency: how chunks are carried out and what latency costs, as `Execution.parse` takes them.
    gate: whether a twin runs the drivers' safety gate: off, observe or enforce.
    operator: who stands beside the bench, places its cards and may overrule verdicts; None for nobody.
    operator_port: of the page that asks them.
    """

    task: str
    world: str
    robot: str
    policy: str
    protocol: str
    seed: int
    trials: int
    camera: str = DEFAULT_PRESET
    shader: str | None = None
    pictures: bool = True
    meshes: Literal["own", "official"] = "own"
    overlay: str | None = None
    arm_start: Literal["random", "fixed"] = "random"
    wording: str | None = None
    record: str | None = None
    instruction: str | None = None
    strategy: str = strategies.DEFAULT
    charge_latency: str | None = None
    gate: Literal["off", "observe", "enforce"] = "off"
    operator: str | None = None
    operator_port: int = 8765

    @property
    def execution(self) -> Execution:
        """Raises UsageError for words that say nothing."""
        return Execution.parse(self.strategy, self.charge_latency)

    @property
    def plan_options(self) -> PlanOptions:
        return PlanOptions(
            arm_start=self.arm_start, wording=self.wording, record=self.record, instruction=self.instruction
        )

    @property
    def world_name(self) -> str:
        """The registered world; what follows a colon is its variant."""
        return self.world.split(":", 1)[0]

    @property
    def variant(self) -> str | None:
        return self.world.split(":", 1)[1] if ":" in self.world else None

    def identity(self) -> dict:
        """The part that decides what an episode is; `trials` may grow when a session is resumed."""
        calibration = digest(for_camera(self.camera, self.robot))
        material = find_task(self.task).material(self.protocol, self.plan_options)
        beside = {"trials", "strategy", "charge_latency", "operator", "operator_port"}
        own = self.model_dump(exclude=beside) | self.execution.identity()
        for later in ("instruction", "overlay"):
            if own[later] is None:
                del own[later]  # so that earlier sessions stay what they are
        if self.gate == "off":
            del own["gate"]
        if self.overlay is not None:
            own["overlay"] = _sha256(self.overlay)
        return own | {"calibration": calibration, "material": material}


def check(config: SessionConfig, out: Path) -> None:
    """Raises UsageError, in one sentence, for anything in the request that cannot work."""
    if config.trials <= 0:
        raise UsageError(f"--trials is {config.trials}; ask for at least 1.")
    if config.seed < 0:
        raise UsageError(f"--seed is {config.seed}; use 0 or a positive number.")
    find_task(config.task).material(config.protocol, config.plan_options)
    find(ROBOTS, config.robot)
    known = sorted({*names(WORLDS), *names(STACKS)})
    if config.world_name not in known:
        raise UsageError(f"Unknown world '{config.world}'; choose one of: {', '.join(known)}.")
    execution = config.execution
    if config.world_name in names(STACKS) and not execution.is_lockstep:
        refuse_world(f"the stack of processes '{config.world}'")
    _check_policy(config.policy)
    if config.gate != "off" and config.world_name in names(STACKS):
        raise UsageError(
            f"--gate is for a twin in one process: an arm's driver always has the gate inside, and {config.world} has "
            "no switch for it; leave --gate out."
        )
    if config.overlay is not None and config.world_name in names(STACKS):
        raise UsageError(f"{config.world} shows no photograph; leave --overlay out, or use --world twin.")
    writable_folder(out)


def _sha256(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"Cannot read the photograph {path}: {error.strerror}; give a PNG or JPEG file.") from error


def is_address(policy: str) -> bool:
    """Whether `policy` is a server's address and not a name."""
    return "://" in policy


def _check_policy(policy: str) -> None:
    if is_address(policy):
        scheme = policy.split("://", 1)[0]
        if scheme not in names(POLICY_SCHEMES):
            raise UsageError(
                f"Unknown policy address '{policy}'; use one of: {'://, '.join(names(POLICY_SCHEMES))}://."
            )
    elif ":" not in policy and policy not in names(POLICIES):
        raise UsageError(
            f"Unknown policy '{policy}'; choose one of: {', '.join(names(POLICIES))}, "
            "module:Class, or a server's address such as tcp://127.0.0.1:5555."
        )
