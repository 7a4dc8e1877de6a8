"""The stacks of a bench: an arm and a camera behind their vendors' drivers, real or emulated."""

from __future__ import annotations

import socket
from pathlib import Path

from eval.bench_options import parse
from eval.processes import NodeProcess, Program, Stack, episode_process, free_port, policy_processes
from touchstone.cameras import is_preset
from touchstone.clock import Clock
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.tasks.base import task as find_task

#: a simulator loads its meshes, and compiles its shaders, while the nodes wait [s]
START_S = 180.0
#: longest that an arm may take to its start, in the world's time [s]; it has three tries of 60 s
TO_START_S = 200.0
#: who arms an emulated arm when nobody stands beside it
NOBODY = "the emulated bench"


def emulated(config: SessionConfig, out: Path, env: dict[str, str], place: Path) -> Stack:
    """The twin as plant behind an emulated wire and an emulated camera. Raises UsageError."""
    _refuse_looks(config)
    options = parse("emulated", config.variant)
    scale = Clock(options["time_scale"]).scale
    if find_task(config.task).scene != "cards":
        raise UsageError(f"The emulated bench has no scene of {config.task}; use --world twin.")
    link, ring = place / "plant", place.name
    clocked = ("--time-scale", str(scale))
    plant = Program(
        "plant",
        "simulated bench",
        ("-m", "sim_twin.plant", "--robot", config.robot, "--link", str(link), *clocked),
    )
    looking = ("--camera", config.camera, "--fps", str(options["fps"]))
    # a late picture costs less than a late motor
    eye = Program(
        "eye", "simulated eye", ("-m", "sim_twin.plant.eye", "--link", str(link), "--frames", ring, *looking), nice=5
    )
    emulator, where = _emulator(config.robot, place, link, clocked)
    arm = _arm_node(
        config,
        {
            **where,
            # two cores have better to do than to tell the state 50 times a second
            "rate_hz": 20.0,
            "stage": f"plant:{link}",
            "plant": "twin",
            "time_scale": scale,
            "speed": options["speed"],
            "operator": config.operator or NOBODY,
            "rearm": config.operator is None,
            "connect_s": START_S,
            "camera_s": START_S,
        },
    )
    camera = _camera_node(
        config, {"device": f"frames:{ring}", "fps": options["fps"], "time_scale": scale, "connect_s": START_S}
    )
    servers, policy = policy_processes(config)
    episodes = episode_process(config, out, reset_s=TO_START_S / scale)
    # each renderer's threads would take the others' cores
    return Stack((*servers, plant, eye, emulator), (arm, camera, policy, episodes), {**env, "LP_NUM_THREADS": "1"})


def real(config: SessionConfig, out: Path, env: dict[str, str], _place: Path) -> Stack:
    """An arm and a camera that are there. Raises UsageError for what it takes and nobody gave."""
    _refuse_looks(config)
    options = parse("real", config.variant)
    wanted, example = ("host", "192.168.1.18") if config.robot == "rm75" else ("port", "/dev/ttyDXL")
    if not options[wanted] and options["driver"] == "vendor":
        raise UsageError(f"Say where the {config.robot} is: --world real:{wanted}={example} (docs/bring-up.md).")
    if is_preset(config.camera):
        raise UsageError(
            f"A real bench is not seen by the preset '{config.camera}'; give --camera the path of its calibration.yaml "
            "(docs/bring-up.md)."
        )
    if config.operator is None:
        raise UsageError("On a real bench somebody places the cards and arms the arm; give --operator a name.")
    arm = _arm_node(
        config,
        {
            **{name: options[name] for name in ("driver", "name", "port", "host", "speed", "dry_run")},
            "operator": config.operator,
            "stage": "operator",
        },
    )
    settings = ("device", "fps", "exposure", "gain", "white_balance", "focus")
    camera = _camera_node(config, {name: options[name] for name in settings})
    servers, policy = policy_processes(config)
    return Stack(servers, (arm, camera, policy, episode_process(config, out, reset_s=TO_START_S)), env)


def _refuse_looks(config: SessionConfig) -> None:
    if config.shader is not None or config.overlay is not None:
        raise UsageError(f"World {config.world} is seen as it is; leave --shader and --overlay out.")


def _emulator(robot: str, place: Path, link: Path, clocked: tuple[str, ...]) -> tuple[Program, dict[str, str | int]]:
    """The emulator of an arm's wire, and the parameters with which `arm_node` finds it."""
    shared = ("--control", str(place / "faults"), "--plant", str(link), *clocked)
    if robot == "wx250s":
        port = str(place / "ttyDXL")
        return Program("emulator", "emulated bus", ("-m", "hardware.emulators.dynamixel", "--link", port, *shared)), {
            "port": port
        }
    if robot == "rm75":
        tcp, udp = free_port(), free_port(socket.SOCK_DGRAM)
        ports = ("--port", str(tcp), "--udp-port", str(udp))
        return Program("emulator", "emulated controller", ("-m", "hardware.emulators.realman", *ports, *shared)), {
            "host": f"127.0.0.1:{tcp}",
            "udp_port": udp,
        }
    raise UsageError(f"There is no emulator of {robot}; wx250s and rm75 have one.")


def _arm_node(config: SessionConfig, parameters: dict) -> NodeProcess:
    return NodeProcess(
        "arm_node",
        "arm node",
        "robot_bridge",
        "arm_node",
        {"robot": config.robot, "camera": config.camera, **parameters},
    )


def _camera_node(config: SessionConfig, parameters: dict) -> NodeProcess:
    # raw, so that a policy is given the same bytes as in every other world; the profile makes room for them
    return NodeProcess(
        "camera_node",
        "camera node",
        "robot_bridge",
        "camera_node",
        {"robot": config.robot, "camera": config.camera, "transport": "raw", **parameters},
    )
