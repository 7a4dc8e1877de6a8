"""ros2 launch eval touch_emoji.launch.py trials:=30 policy:=card-matcher

Starts the same stack as `make touch-emoji`; score it with `touchstone score OUT` and `touchstone report OUT`.
"""

import os
from contextlib import ExitStack
from pathlib import Path

from eval.domains import own_domain
from eval.stack import LEADER, describe, python
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit, OnShutdown
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from touchstone.evaluation.config import SessionConfig, check

ARGUMENTS = {
    "trials": ("10", "how many episodes"),
    "policy": ("card-matcher", "a registered policy, module:Class, or a server's address"),
    "protocol": ("val", "which emojis: train, val, hard, or the authors' lists"),
    "seed": ("0", "of the layouts"),
    "robot": ("wx250s", "the arm"),
    "camera": ("grinningface", "camera preset, or the path of a calibration.yaml"),
    "arm_start": ("random", "where the arm starts: random or fixed"),
    "shader": ("", "how the twin renders; empty for its default"),
    "out": ("runs/touch-emoji", "session folder; the same command again resumes it"),
}


def generate_launch_description():
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=meaning)
        for name, (default, meaning) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_stack)])


def _stack(context):
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    out = Path(given.pop("out"))
    config = SessionConfig(task="touch-emoji", world="twin-ros", **{**given, "shader": given["shader"] or None})
    check(config, out)
    (out / "logs").mkdir(parents=True, exist_ok=True)
    held = ExitStack()
    stack = describe(config, out, held.enter_context(own_domain(os.environ)))
    processes = [
        ExecuteProcess(cmd=[python(), *program.arguments], name=program.name, output="screen")
        for program in stack.programs
    ]
    processes += [
        Node(
            package=node.package,
            executable=node.executable,
            name=node.name,
            parameters=[node.parameters],
            # its stdout is progress for programs, its stderr for people
            output={"stdout": "log", "stderr": "screen"} if node.name == LEADER else "screen",
        )
        for node in stack.nodes
    ]
    ends = [RegisterEventHandler(OnProcessExit(target_action=process, on_exit=_end)) for process in processes]
    release = RegisterEventHandler(OnShutdown(on_shutdown=lambda *_: held.close()))
    variables = [SetEnvironmentVariable(name, value) for name, value in stack.environment.items()]
    return [*variables, *ends, release, *processes]


def _end(event, context):
    """Without any one of them the others have nothing to do; a failure becomes launch's own exit code."""
    if context.is_shutdown:
        return None
    if event.returncode != 0:
        raise RuntimeError(f"{event.process_name} ended with {event.returncode}; its last lines say why")
    return [EmitEvent(event=Shutdown(reason=f"{event.process_name} is done"))]
