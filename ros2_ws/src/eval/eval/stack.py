"""The one description of the stacks behind `twin-ros`, `emulated` and `real`: the launch file and the pip-only
supervisor both read it."""

from __future__ import annotations

from pathlib import Path

from eval.bench_stack import emulated, real
from eval.processes import LEADER, NodeProcess, Program, Stack, environment, episode_process, policy_processes, python
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.tasks.base import task as find_task

__all__ = ["LEADER", "NodeProcess", "Program", "Stack", "describe", "python"]


def describe(config: SessionConfig, out: Path, domain: int, place: Path) -> Stack:
    """The stack that runs `config` into `out`. A named policy is served from here; an address is only asked.

    place: an empty folder of the run's own, with a short name, for sockets. Raises UsageError for what only the twin in
    one process offers, and for a bench that is not described whole.
    """
    if not config.pictures or config.meshes != "own":
        raise UsageError(
            f"{config.world} always has pictures, of the arm's own shapes; leave --no-pictures and --meshes out, "
            "or use --world twin."
        )
    make = {"twin-ros": _twin, "emulated": emulated, "real": real}[config.world_name]
    return make(config, out, environment(out, domain), place)


def _twin(config: SessionConfig, out: Path, env: dict[str, str], _place: Path) -> Stack:
    if config.variant is not None:
        raise UsageError(f"The twin behind ROS has no variant '{config.variant}'; use --world twin-ros.")
    twin = NodeProcess(
        "twin_node",
        "twin node",
        "robot_bridge",
        "twin_node",
        {
            "robot": config.robot,
            "camera": config.camera,
            "shader": config.shader or "",
            "overlay": config.overlay or "",
            "scene": find_task(config.task).scene,
        },
    )
    servers, policy = policy_processes(config)
    return Stack(servers, (twin, policy, episode_process(config, out)), env)
