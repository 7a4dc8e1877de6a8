"""The one description of the stack behind `twin-ros`: the launch file and the pip-only supervisor both read it."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig, is_address

#: the process that decides when the run is over
LEADER = "episode_node"

#: a server that is started with the stack may first load a large model [s]
SERVER_START_S = 300.0


@dataclass(frozen=True)
class Program:
    """A process that is no ROS node. title: for people. arguments: of this interpreter."""

    name: str
    title: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class NodeProcess:
    """One ROS node in a process of its own. parameters: str, int or float values."""

    name: str
    title: str
    package: str
    executable: str
    parameters: dict[str, str | int | float] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """What `python -m` runs; the executable is its console script."""
        return f"{self.package}.{self.executable}"


@dataclass(frozen=True)
class Stack:
    """All processes, in no order: each waits for what it needs. environment: added to that of every process."""

    programs: tuple[Program, ...]
    nodes: tuple[NodeProcess, ...]
    environment: dict[str, str]


def describe(config: SessionConfig, out: Path, domain: int) -> Stack:
    """The stack that runs `config` into `out`. A named policy is served from here; an address is only asked.

    Raises UsageError for what only the twin in one process offers.
    """
    if not config.pictures or config.meshes != "own":
        raise UsageError(
            f"{config.world} always has pictures, of the arm's own shapes; leave --no-pictures and --meshes out, "
            "or use --world twin."
        )
    served = not is_address(config.policy)
    address = f"tcp://127.0.0.1:{_free_port()}" if served else config.policy
    server = Program(
        "policy_server",
        "policy server",
        ("-m", "touchstone.cli", "serve", "--policy", config.policy, "--bind", address),
    )
    twin = NodeProcess(
        "twin_node",
        "twin node",
        "robot_bridge",
        "twin_node",
        {"robot": config.robot, "camera": config.camera, "shader": config.shader or ""},
    )
    policy = NodeProcess(
        "policy_node",
        "policy node",
        "policy_bridge",
        "policy_node",
        {"robot": config.robot, "address": address, **({"connect_s": SERVER_START_S} if served else {})},
    )
    episodes = NodeProcess(
        LEADER,
        "episode node",
        "eval",
        "episode_node",
        {
            # ROS parameters have no null; the rest of the configuration is the twin's and comes with its episodes
            **{
                name: value or ""
                for name, value in config.model_dump(exclude={"trials", "seed", "pictures", "meshes"}).items()
            },
            "trials": config.trials,
            "seed": config.seed,
            "out": str(out.absolute()),
        },
    )
    return Stack((server,) if served else (), (twin, policy, episodes), environment(out, domain))


def environment(out: Path, domain: int) -> dict[str, str]:
    """What every process of the stack needs: a graph of its own on this machine, and room for raw pictures."""
    return {
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        "FASTDDS_DEFAULT_PROFILES_FILE": str(files("eval") / "config" / "fastdds_shm.xml"),
        "ROS_LOG_DIR": str(out.absolute() / "logs" / "ros"),
        "PYTHONUNBUFFERED": "1",
    }


def python() -> str:
    """The interpreter that runs every process."""
    return sys.executable


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
