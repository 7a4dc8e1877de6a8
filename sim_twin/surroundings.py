"""What stands around the arm, and how the arm is driven there: the part of a twin that a task's scene decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sim_twin.arm_env import ArmEnv
from sim_twin.card_scene import CardScene
from sim_twin.drives import Drives
from sim_twin.int_act.scene import IntActScene
from sim_twin.looks import Looks
from touchstone.control.embodiment import ControlRules, Setpoint
from touchstone.errors import UsageError
from touchstone.facts import Fact
from touchstone.spec import Placement, Spec
from touchstone.tasks.int_act.scenes import SINK, TABLE
from touchstone.world import WorldRequest


class Surroundings(Protocol):
    """One scene.

    env: ManiSkill's id of an `ArmEnv`. physics_hz: physics steps a second [Hz]. looks: without any shift. rules: of the
    arm's control. patch_radius: over which a finger pad grips [m]. in_photographs: kinds of things that a photograph of
    the empty scene shows.
    """

    env: str
    physics_hz: int
    looks: Looks
    rules: ControlRules
    patch_radius: float
    in_photographs: frozenset[str]

    def settings(self, request: WorldRequest) -> dict[str, Any]:
        """What its environment takes beside an `ArmEnv`'s arguments. Raises MissingPart."""

    def misfit(self, spec: Spec) -> str | None:
        """Why an episode cannot take place here, for the sentence "Episode E ..."; None if it can."""

    def begin(self, env: ArmEnv, drives: Drives, start: Setpoint, layout: Sequence[Placement]) -> None:
        """Puts arm and things where an episode starts. The scene is new, and was built with the option `layout`."""

    def more_facts(self, env: ArmEnv, layout: Sequence[Placement]) -> dict[str, dict[str, Fact]]:
        """Fields of `Facts` that this scene gives in addition."""


SCENES: dict[str, Surroundings] = {
    "cards": CardScene(),
    TABLE.name: IntActScene(TABLE),
    SINK.name: IntActScene(SINK),
}


def surroundings(name: str) -> Surroundings:
    """The scene of that name. Raises UsageError for an unknown one."""
    if name not in SCENES:
        raise UsageError(f"The twin has no scene '{name}'; it has: {', '.join(SCENES)}.")
    return SCENES[name]
