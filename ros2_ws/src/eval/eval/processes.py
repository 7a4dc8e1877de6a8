"""What a stack is made of, whoever starts it."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from touchstone.evaluation.config import SessionConfig, is_address

#: the process that decides when the run is over
LEADER = "episode_node"

#: a server that is started with the stack may first load a large model [s]
SERVER_START_S = 300.0


@dataclass(frozen=True)
class Program:
    """A process that is no ROS node. title: for people. arguments: of this interpreter. nice: added to its niceness."""

    name: str
    title: str
    arguments: tuple[str, ...]
    nice: int = 0


@dataclass(frozen=True)
class NodeProcess:
    """One ROS node in a process of its own. parameters: str, bool, int or float values."""

    name: str
    title: str
    package: str
    executable: str
    parameters: dict[str, str | bool | int | float] = field(default_factory=dict)

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


def policy_processes(config: SessionConfig) -> tuple[tuple[Program, ...], NodeProcess]:
    """The policy server, unless the policy is an address, and the node that asks it."""
    if is_address(config.policy):
        return (), _policy_node(config, {"address": config.policy})
    address = f"tcp://127.0.0.1:{free_port()}"
    arguments = ("-m", "touchstone.cli", "serve", "--policy", config.policy, "--bind", address)
    server = Program("policy_server", "policy server", arguments)
    return (server,), _policy_node(config, {"address": address, "connect_s": SERVER_START_S})


def episode_process(config: SessionConfig, out: Path, **waits: float) -> NodeProcess:
    """The node that runs the session. waits: its limits that differ from their defaults."""
    # ROS parameters have no null; the rest of the configuration is the twin's and comes with its episodes
    left_out = {"trials", "seed", "operator_port", "pictures", "meshes", "strategy", "charge_latency"}
    words = {name: value or "" for name, value in config.model_dump(exclude=left_out).items()}
    numbers = {"trials": config.trials, "seed": config.seed, "operator_port": config.operator_port}
    return NodeProcess(
        LEADER, "episode node", "eval", "episode_node", {**words, **numbers, "out": str(out.absolute()), **waits}
    )


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


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of this machine that nobody has now."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _policy_node(config: SessionConfig, parameters: dict[str, str | float]) -> NodeProcess:
    return NodeProcess(
        "policy_node", "policy node", "policy_bridge", "policy_node", {"robot": config.robot, **parameters}
    )
