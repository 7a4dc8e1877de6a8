"""The machine itself: Python, packages, disk, font, graphics card."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from touchstone.doctor.check import Check
from touchstone.doctor.probe import SET_UP, ask
from touchstone.errors import MissingPart

PYTHONS = ((3, 11), (3, 12))
PACKAGES = ("torch", "mani_skill", "sapien", "opencv-python", "pin", "pyzmq", "msgpack", "av", "mcap")
#: a report of 100 episodes with pictures and films is some 0.2 GB
DISK_GB = 1.0


def check_python() -> Check:
    right = sys.version_info[:2] in PYTHONS
    return Check(
        name="Python",
        status="ok" if right else "missing",
        detail=f"{platform.python_version()} in {sys.prefix}",
        fix="" if right else "install Python 3.11 or 3.12, remove .venv and run `make setup`",
        needed_for_main_job=True,
    )


def check_packages() -> Check:
    absent = [name for name in PACKAGES if _version(name) is None]
    if absent:
        status, detail, fix = "missing", f"not installed: {', '.join(absent)}", SET_UP
    elif _version("opencv-python-headless"):
        status, detail = "warning", "opencv-python-headless lies over opencv-python, and one breaks the other"
        fix = "pip uninstall opencv-python-headless, then pip install --force-reinstall opencv-python==4.14.0.94"
    else:
        found = [f"{name} {_version(name)}" for name in ("torch", "mani_skill", "opencv-python")]
        status, detail, fix = "ok", ", ".join(found), ""
    return Check(name="packages", status=status, detail=detail, fix=fix, needed_for_main_job=True)


def check_disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    enough = free >= DISK_GB
    return Check(
        name="disk",
        status="ok" if enough else "missing",
        detail=f"{free:.1f} GB free where you are",
        fix="" if enough else f"make room: at least {DISK_GB:.0f} GB for recordings",
        needed_for_main_job=True,
    )


def check_font() -> Check:
    from touchstone.tasks.emoji.cards import emoji_font

    try:
        status, detail, fix = "ok", str(emoji_font()), ""
    except MissingPart as problem:
        status, detail = "missing", str(problem)
        fix = f"{SET_UP}; if it finds nothing missing: apt-get install --reinstall fonts-noto-color-emoji"
    return Check(name="emoji font", status=status, detail=detail, fix=fix, needed_for_main_job=True)


def check_gpu() -> Check:
    query = "--query-gpu=name,driver_version,memory.total"
    answer = ask(["nvidia-smi", query, "--format=csv,noheader"], limit_s=20.0)
    if answer.problem and Path("/proc/driver/nvidia").exists():
        return Check(
            name="GPU",
            status="warning",
            detail=f"there is an NVIDIA driver, but nvidia-smi says: {answer.problem}",
            fix="restart after a driver update; in a container, start it with the GPU's utilities",
        )
    if answer.problem:
        return Check(name="GPU", status="not needed here", detail="no NVIDIA GPU; the twin renders on the CPU")
    return Check(name="GPU", status="ok", detail="; ".join(answer.text.splitlines()))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
