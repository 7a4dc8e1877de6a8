"""ROS 2: the wheels, our packages, the shared-memory profile, and an underlay that would collide."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

from touchstone.doctor.check import Check
from touchstone.doctor.probe import SET_UP, ask_python
from touchstone.environment import LEFT_UNDERLAYS, ROS_ROOT, underlays
from touchstone.registry import STACKS

PROBE = """
from importlib.metadata import version
import rclpy.utilities
print(version("ros-rclpy"), "over", rclpy.utilities.get_rmw_implementation_identifier())
"""
PROFILE = Path("share") / "eval" / "config" / "fastdds_shm.xml"
SHARED_MEMORY = Path("/dev/shm")
#: four processes with a segment of 32 MiB each
SHARED_MEMORY_MB = 128


def check_ros() -> Check:
    answer = ask_python(PROBE)
    return Check(
        name="ROS 2",
        status="missing" if answer.problem else "ok",
        detail=answer.problem or f"rclpy {answer.text}",
        fix=SET_UP if answer.problem else "",
        needed_for_main_job=True,
    )


def check_nodes() -> Check:
    stacks = sorted(point.name for point in entry_points(group=STACKS))
    return Check(
        name="ROS 2 nodes",
        status="ok" if stacks else "missing",
        detail=f"stacks: {', '.join(stacks)}" if stacks else "the packages of ros2_ws are not installed",
        fix="" if stacks else SET_UP,
        needed_for_main_job=True,
    )


def check_dds_profile(prefix: Path = Path(sys.prefix)) -> Check:
    path = prefix / PROFILE
    try:
        ElementTree.parse(path)
        problem = ""
    except (OSError, ElementTree.ParseError) as error:
        problem = f"{path} cannot be read ({getattr(error, 'strerror', None) or error})"
    free = shutil.disk_usage(SHARED_MEMORY).free / 2**20 if SHARED_MEMORY.is_dir() else 0.0
    if problem:
        status, detail, fix = "missing", problem, SET_UP
    elif free < SHARED_MEMORY_MB:
        status, detail = (
            "warning",
            f"{SHARED_MEMORY} has {free:.0f} MiB free and images need {SHARED_MEMORY_MB}",
        )
        fix = "start the container with a larger one, such as --shm-size=1g"
    else:
        status, detail, fix = "ok", f"{path}, {free:.0f} MiB of shared memory free", ""
    return Check(name="DDS profile", status=status, detail=detail, fix=fix, needed_for_main_job=True)


def check_underlay() -> Check:
    sourced = os.environ.get(LEFT_UNDERLAYS) or os.pathsep.join(underlays(os.environ))
    if sourced:
        return Check(
            name="other ROS",
            status="warning",
            detail=f"{sourced} is sourced; `make` and `touchstone` keep it out of their processes",
            fix="for plain Python, use a shell in which it is not sourced",
        )
    present = sorted(str(path) for path in Path(ROS_ROOT).glob("*") if path.is_dir())
    detail = f"{', '.join(present)} is there and not sourced" if present else f"nothing in {ROS_ROOT}"
    return Check(name="other ROS", status="ok", detail=detail)
