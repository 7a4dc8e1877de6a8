"""What this machine is, and whether Touchstone can run on it; quick, and before any download."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .problems import SetupProblem

GB = 1_000_000_000
PYTHONS = ((3, 11), (3, 12))
NVIDIA_VULKAN = "libGLX_nvidia.so.0"


@dataclass(frozen=True)
class Machine:
    """The parts of a machine that decide what is installed on it."""

    distribution: str
    family: frozenset[str]
    codename: str
    architecture: str
    root: bool
    nvidia: bool
    nvidia_vulkan: bool


def look(os_release: Path = Path("/etc/os-release")) -> Machine:
    """Reads the machine; `os_release` in the format of os-release(5)."""
    fields = _read_os_release(os_release)
    nvidia = Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None
    return Machine(
        distribution=fields.get("PRETTY_NAME", platform.system()),
        family=frozenset([fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]),
        codename=fields.get("VERSION_CODENAME", ""),
        architecture=platform.machine(),
        root=os.geteuid() == 0,
        nvidia=nvidia,
        nvidia_vulkan=nvidia and _has_library(NVIDIA_VULKAN),
    )


def check(machine: Machine) -> None:
    """Raises SetupProblem if Touchstone cannot run here, whatever is installed."""
    if not machine.family & {"debian", "ubuntu"}:
        raise SetupProblem(
            f"Touchstone is made for Debian 12 and Ubuntu 24.04 and this is {machine.distribution}; "
            "use one of those, in a container for instance."
        )
    if machine.architecture != "x86_64":
        raise SetupProblem(
            f"The ROS 2 wheels exist for x86_64 only and this machine is {machine.architecture}; use an x86_64 machine."
        )
    if sys.version_info[:2] not in PYTHONS:
        raise SetupProblem(
            f"Touchstone needs Python 3.11 or 3.12 and this is {platform.python_version()}; "
            "put python3.11 or python3.12 on PATH."
        )


def check_disk(folder: Path, needed_gb: float) -> None:
    """Raises SetupProblem if the disk of `folder` has less than `needed_gb` free."""
    free = shutil.disk_usage(folder).free / GB
    if free < needed_gb:
        raise SetupProblem(
            f"{folder} has {free:.1f} GB free and {needed_gb:.0f} GB are needed; make room or clone to another disk."
        )


def _read_os_release(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def _has_library(name: str) -> bool:
    try:
        known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return name in known
