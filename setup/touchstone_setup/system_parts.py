"""The parts that come from the distribution: a Vulkan driver, a font, a few libraries."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .machine import Machine
from .problems import SetupProblem
from .progress import Progress

MESA = "mesa-vulkan-drivers"
#: the first Mesa whose lavapipe has VK_KHR_external_semaphore_fd, without which SAPIEN finds no device
MESA_NEEDED = (24, 3)
ALWAYS = ("libvulkan1", "libgl1", "libegl1", "libusb-1.0-0", "fonts-noto-color-emoji")
#: a headless NVIDIA driver hides its Vulkan device when this one is missing
WITH_NVIDIA = ("libxext6",)
BACKPORTS_LIST = Path("/etc/apt/sources.list.d/touchstone-backports.list")
_APT = ("apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=120")


@dataclass(frozen=True)
class Missing:
    """What has to be installed: `packages` in any version, `mesa` when its driver is absent or too old."""

    packages: tuple[str, ...]
    mesa: bool

    def __bool__(self) -> bool:
        return bool(self.packages) or self.mesa

    def names(self) -> list[str]:
        return [*([MESA] if self.mesa else []), *self.packages]


def missing(machine: Machine, also: tuple[str, ...] = ()) -> Missing:
    """Asks dpkg which parts, and which packages of `also`, are not there."""
    wanted = (*ALWAYS, *(WITH_NVIDIA if machine.nvidia else ()), *also)
    installed = _installed([*wanted, MESA])
    return Missing(
        packages=tuple(name for name in wanted if name not in installed),
        mesa=not machine.nvidia_vulkan and _version(installed.get(MESA, "")) < MESA_NEEDED,
    )


def install(machine: Machine, lacking: Missing, progress: Progress) -> None:
    """Installs with apt as root; otherwise raises SetupProblem with the line to paste."""
    if not machine.root:
        raise SetupProblem(
            f"This machine lacks {', '.join(lacking.names())}; paste this line, then run the same command again:",
            paste=paste_line(machine, lacking),
        )
    progress.say(f"Installing with apt, as root: {', '.join(lacking.names())}")
    progress.stage("system parts")
    stale = lacking.mesa and machine.codename != "bookworm" and _mesa_release() is None
    if stale or any(not _offers(name) for name in lacking.names()):
        progress.run([*_APT, "update"], _apt_env())
    if lacking.mesa:
        release = _mesa_release()
        if release is None and machine.codename == "bookworm":
            _add_backports(progress)
            release = _mesa_release()
        if release is None:
            raise _no_mesa(machine)
        progress.run(_install_command([MESA, "libvulkan1"], release), _apt_env())
    if lacking.packages:
        progress.run(_install_command(lacking.packages), _apt_env())
    progress.done()


def paste_line(machine: Machine, lacking: Missing) -> str:
    """One shell line that installs what is lacking, for someone who may use sudo."""
    steps = []
    release = _mesa_release() if lacking.mesa else None
    if lacking.mesa and release is None and machine.codename == "bookworm":
        release = "bookworm-backports"
        if not _backports_configured():
            steps.append(f"echo '{_backports_entry()}' | sudo tee {BACKPORTS_LIST}")
    if lacking.mesa and release is None and _offers(MESA):
        raise _no_mesa(machine)
    steps.append("sudo apt-get update")
    if lacking.mesa:
        steps.append(" ".join(["sudo", *_install_command([MESA, "libvulkan1"], release)]))
    if lacking.packages:
        steps.append(" ".join(["sudo", *_install_command(lacking.packages)]))
    return " && ".join(steps)


def _installed(names: list[str]) -> dict[str, str]:
    """Version of each package that is installed; dpkg-query fails when one is unknown, and still tells the rest."""
    layout = "${Package} ${db:Status-Status} ${Version}\n"
    told = _output(["dpkg-query", "-W", "-f", layout, *names])
    rows = (line.split() for line in told.splitlines())
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}


def _version(text: str) -> tuple[int, int]:
    """Major and minor of a Debian version such as `25.0.7-2~bpo12+1`; (0, 0) for none."""
    match = re.match(r"(?:\d+:)?(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _offers(name: str) -> list[tuple[str, str]]:
    """(version, release) of every package of that name that apt knows, newest first."""
    rows = [line.split("|") for line in _output(["apt-cache", "madison", name]).splitlines()]
    sources = [(row[1].strip(), row[2].split()) for row in rows if len(row) == 3]
    return [(version, source[1].split("/")[0]) for version, source in sources if source[-1] == "Packages"]


def _mesa_release() -> str | None:
    """The release, such as `bookworm-backports`, that has a Mesa new enough; None if apt knows of none."""
    return next((release for version, release in _offers(MESA) if _version(version) >= MESA_NEEDED), None)


def _targets() -> list[list[str]]:
    """[address, release, keyring] of every package index that this machine's apt is set up for."""
    told = _output(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(SIGNED_BY)"])
    return [line.split("|") for line in dict.fromkeys(told.splitlines()) if line.count("|") == 2]


def _backports_configured() -> bool:
    return any(release == "bookworm-backports" for _, release, _ in _targets())


def _backports_entry() -> str:
    """The source line for backports on the mirror that this machine already uses."""
    for address, release, keyring in _targets():
        if release == "bookworm":
            signed = f"[signed-by={keyring}] " if keyring.startswith("/") else ""
            return f"deb {signed}{address} bookworm-backports main"
    raise SetupProblem("apt has no source for Debian 12 itself; add your mirror to /etc/apt/sources.list first.")


def _add_backports(progress: Progress) -> None:
    if not _backports_configured():
        BACKPORTS_LIST.write_text(_backports_entry() + "\n")
        progress.say(f"    added {BACKPORTS_LIST}")
    progress.run([*_APT, "update"], _apt_env())


def _install_command(names, release: str | None = None) -> list[str]:
    chosen = ["-t", release] if release else []
    return ["apt-get", "install", "-y", "--no-install-recommends", *chosen, *names]


def _no_mesa(machine: Machine) -> SetupProblem:
    return SetupProblem(
        f"Rendering without an NVIDIA driver needs Mesa >= {MESA_NEEDED[0]}.{MESA_NEEDED[1]} and apt on "
        f"{machine.distribution} offers none (after `apt-get update`?); use Debian 12, or Ubuntu 24.04 with updates."
    )


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except FileNotFoundError:
        raise SetupProblem(f"'{command[0]}' was not found; Touchstone needs a Debian or Ubuntu system.") from None


def _apt_env() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
