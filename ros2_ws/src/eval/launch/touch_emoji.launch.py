"""ros2 launch eval touch_emoji.launch.py trials:=30 policy:=card-matcher
ros2 launch eval touch_emoji.launch.py world:=emulated robot:=wx250s out:=runs/emulated
ros2 launch eval touch_emoji.launch.py world:=real port:=/dev/ttyDXL camera:=calibration.yaml operator:=Ada

Starts the same stack as `make touch-emoji`; score it with `touchstone score OUT` and `touchstone report OUT`.
"""

import os
from contextlib import ExitStack
from pathlib import Path

from eval.bench_options import EMULATED, REAL, written
from eval.domains import own_domain
from eval.private_place import private_place
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

#: world:= -> the registered world
WORLDS = {"twin": "twin-ros", "emulated": "emulated", "real": "real"}
ARGUMENTS = {
    "world": ("twin", "what is evaluated: twin, emulated or real"),
    "trials": ("10", "how many episodes"),
    "policy": ("card-matcher", "a registered policy, module:Class, or a server's address"),
    "protocol": ("val", "which emojis: train, val, hard, or the authors' lists"),
    "seed": ("0", "of the layouts"),
    "robot": ("wx250s", "the arm"),
    "camera": ("grinningface", "camera preset, or the path of a calibration.yaml"),
    "arm_start": ("random", "where the arm starts: random or fixed"),
    "operator": ("", "who stands beside the bench; needed on a real one"),
    "shader": ("", "how the twin renders; empty for its default"),
    "out": ("runs/touch-emoji", "session folder; the same command again resumes it"),
}
#: of a bench alone; empty for the default
BENCH = {name: ("", meaning) for options in (REAL, EMULATED) for name, (_, meaning) in options.items()}


def generate_launch_description():
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=meaning)
        for name, (default, meaning) in {**ARGUMENTS, **BENCH}.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_stack)])


def _stack(context):
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    bench = {name: LaunchConfiguration(name).perform(context) for name in BENCH}
    out, world = Path(given.pop("out")), given.pop("world")
    world = written(WORLDS.get(world, world), bench)
    config = SessionConfig(task="touch-emoji", world=world, **{name: value or None for name, value in given.items()})
    check(config, out)
    (out / "logs").mkdir(parents=True, exist_ok=True)
    held = ExitStack()
    domain, place = held.enter_context(own_domain(os.environ)), held.enter_context(private_place())
    stack = describe(config, out, domain, place)
    processes = [
        ExecuteProcess(
            cmd=[python(), *program.arguments], name=program.name, prefix=f"nice -n {program.nice}", output="screen"
        )
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
