"""The virtual environment and the pinned wheels in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .machine import Machine, check_disk
from .problems import SetupProblem
from .progress import CommandFailed, Progress
from .stamps import Stamp, digest

EXTRAS = "policy,sim,robot,ros,dev"
#: measured: what is downloaded, and what it takes on disk
CPU_GB = (0.9, 3.2)
CUDA_GB = (4.0, 9.0)
DISK_GB = 6.0
CUDA_DISK_GB = 14.0
#: PyTorch's CPU index, for someone whose usual index has only the CUDA build
TORCH_INDEX = "TORCH_INDEX_URL"


class Venv:
    """The venv of a checkout at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self._created = Stamp(self.folder, "created")
        self._wheels = Stamp(self.folder, "wheels")

    def ready(self) -> bool:
        """The venv is whole and holds what pyproject.toml and the constraints ask for."""
        return self._whole() and self._wheels.current(self._wheels_digest())

    def packages(self) -> tuple[str, ...]:
        """The distribution's packages without which the venv cannot be made."""
        if self._whole() or _can_make_venv():
            return ()
        return (f"python{sys.version_info[0]}.{sys.version_info[1]}-venv",)

    def announce(self, machine: Machine, progress: Progress) -> None:
        """Says what is coming and refuses what cannot end well, before any large download."""
        download, installed = CUDA_GB if machine.nvidia else CPU_GB
        if not self._whole():
            check_disk(self.root, CUDA_DISK_GB if machine.nvidia else DISK_GB)
            build = "for the NVIDIA GPU" if machine.nvidia else "for the CPU (no NVIDIA GPU found)"
            progress.say(
                f"Setting up Touchstone in {self.folder}: about {download} GB to download, {installed} GB on disk, "
                f"PyTorch {build}."
            )

    def install(self, machine: Machine, env: dict[str, str], progress: Progress) -> None:
        """Creates the venv if needed and installs every wheel; picks up after an interrupted installation."""
        if not self._whole():
            progress.stage("Python environment")
            progress.run([_base_python(), "-I", "-m", "venv", "--clear", str(self.folder)], env)
            self._created.write(self._created_digest())
            progress.done()
        self._wheels.clear()
        self._forget_half_installed()
        progress.stage("PyTorch")
        self._install_torch(machine, env, progress)
        progress.done()
        progress.stage("simulator, ROS 2 and the rest")
        self.pip(["install", "setuptools"], env, progress)
        self.pip(["install", "--no-build-isolation", "-e", f".[{EXTRAS}]"], env, progress)
        progress.done()
        self._wheels.write(self._wheels_digest())

    def pip(self, arguments: list[str], env: dict[str, str], progress: Progress) -> None:
        """Runs the venv's pip with the constraints."""
        quiet = ["--no-input", "--disable-pip-version-check", "--no-color"]
        pinned = ["--progress-bar", "off", "-c", str(self.root / "constraints.txt")]
        progress.run([str(self.python), "-I", "-m", "pip", *quiet, *arguments, *pinned], env)

    def _whole(self) -> bool:
        return self.python.exists() and self._created.current(self._created_digest())

    def _created_digest(self) -> str:
        return digest([str(self.folder)])

    def _wheels_digest(self) -> str:
        packages = sorted(path.parent.name for path in self.root.glob("*/__init__.py"))
        return digest([EXTRAS, *packages], [self.root / "pyproject.toml", self.root / "constraints.txt"])

    def _install_torch(self, machine: Machine, env: dict[str, str], progress: Progress) -> None:
        wanted = _pinned(self.root, "torch")
        if machine.nvidia:
            self.pip(["install", wanted], env, progress)
            return
        index = env.get(TORCH_INDEX)
        source = ["--index-url", index] if index else []
        try:
            self.pip(["install", "--no-deps", *source, f"{wanted}+cpu"], env, progress)
        except CommandFailed as problem:
            if index or "No matching distribution" not in problem.output:
                raise
            progress.say(
                f"    your package index has only the CUDA build of PyTorch, about {CUDA_GB[0]:.0f} GB to download "
                f"and {CUDA_GB[1]:.0f} GB on disk; to avoid it, stop and set {TORCH_INDEX} to PyTorch's CPU index"
            )
            check_disk(self.root, CUDA_DISK_GB)
            self.pip(["install", wanted], env, progress)

    def _forget_half_installed(self) -> None:
        """pip writes INSTALLER last, so a package without it was cut short; without its record it is put in anew."""
        for record in self.folder.glob("lib/python*/site-packages/*.dist-info"):
            if not (record / "INSTALLER").exists():
                shutil.rmtree(record)


def _pinned(root: Path, name: str) -> str:
    match = re.search(rf"^{name}==\S+", (root / "constraints.txt").read_text(), re.MULTILINE)
    if not match:
        raise SetupProblem(f"constraints.txt pins no '{name}'; restore that line.")
    return match[0]


def _base_python() -> str:
    """The Python to make a venv from: never one that lives in a venv itself, which `--clear` would remove."""
    own = os.path.join(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    return own if os.path.exists(own) else sys.executable


def _can_make_venv() -> bool:
    probe = subprocess.run([_base_python(), "-I", "-c", "import ensurepip, venv"], capture_output=True)
    return probe.returncode == 0
