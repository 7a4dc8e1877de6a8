"""GrinningFace's bench: cards and a cube stand where the spec says; the arm moves in straight lines in joint space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim_twin.arm_env import ArmEnv
from sim_twin.bench_env import SIM_FREQUENCY, BenchEnv
from sim_twin.drives import PATCH_RADIUS, Drives
from sim_twin.looks import DEFAULT_LOOKS
from touchstone.control.embodiment import DEFAULT_RULES, Setpoint
from touchstone.facts import Fact
from touchstone.spec import Placement, Spec
from touchstone.world import WorldRequest


class CardScene:
    env = "TouchstoneBench-v1"
    physics_hz = SIM_FREQUENCY
    looks = DEFAULT_LOOKS
    rules = DEFAULT_RULES
    patch_radius = PATCH_RADIUS
    in_photographs = frozenset[str]()

    def settings(self, request: WorldRequest) -> dict[str, Any]:
        return {}

    def misfit(self, spec: Spec) -> str | None:
        strange = [placement.name for placement in spec.layout if placement.name not in BenchEnv.PROPS]
        return f"asks for {', '.join(strange)}, which this twin has not" if strange else None

    def begin(self, env: ArmEnv, drives: Drives, start: Setpoint, layout: Sequence[Placement]) -> None:
        drives.place(start.joints, start.opening)
        for placement in layout:
            env.props[placement.name].place(placement)

    def more_facts(self, env: ArmEnv, layout: Sequence[Placement]) -> dict[str, dict[str, Fact]]:
        return {}
