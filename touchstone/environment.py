"""Keeps a sourced ROS underlay out of Touchstone's own Python: one venv, one set of ROS libraries.

Standard library only, so that the set-up program can use it before anything is installed. As a program,
`python -I touchstone/environment.py COMMAND ...` becomes COMMAND in the cleaned environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROS_ROOT = "/opt/ros"

#: remembers, for `touchstone doctor`, which underlays were left behind
LEFT_UNDERLAYS = "TOUCHSTONE_LEFT_UNDERLAYS"

_PREFIX_VARIABLES = ("AMENT_PREFIX_PATH", "COLCON_PREFIX_PATH", "CMAKE_PREFIX_PATH")
_SEARCH_VARIABLES = ("PYTHONPATH", "LD_LIBRARY_PATH")
# the last is the wheels' mark that their libraries are set up: it is about one venv, not about its children
_DROPPED = (
    *_PREFIX_VARIABLES,
    "COLCON_CURRENT_PREFIX",
    "ROS_DISTRO",
    "ROS_VERSION",
    "ROS_PYTHON_VERSION",
    "ROS_PACKAGE_PATH",
    "RMW_IMPLEMENTATION",
    "PYTHONHOME",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
)


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """A copy of `env` without what `source setup.bash` of a ROS underlay or overlay put there.

    Entries of PYTHONPATH and LD_LIBRARY_PATH that belong to an underlay go, others stay in their order; so does
    everything else, ROS_DOMAIN_ID included. Cleaning twice changes nothing more.
    """
    found = underlays(env)
    cleaned = {name: value for name, value in env.items() if name not in _DROPPED}
    for variable in _SEARCH_VARIABLES:
        if variable in cleaned:
            kept = [entry for entry in _entries(cleaned[variable]) if _underlay_of(entry, found) is None]
            if variable == "LD_LIBRARY_PATH":  # the wheels put their own folders back in every child
                kept = [entry for entry in kept if not _is_own(entry)]
            if kept:
                cleaned[variable] = os.pathsep.join(kept)
            else:
                del cleaned[variable]
    if found:
        cleaned[LEFT_UNDERLAYS] = os.pathsep.join(found)
    return cleaned


def underlays(env: Mapping[str, str]) -> list[str]:
    """The ROS installations that `env` points at, this venv excepted, in the order in which they are named."""
    found: list[str] = []
    for variable in _PREFIX_VARIABLES[:2]:
        found += [entry for entry in _entries(env.get(variable, "")) if not _is_own(entry)]
    for variable in _SEARCH_VARIABLES:
        for entry in _entries(env.get(variable, "")):
            if not _is_own(entry) and _underlay_of(entry, found) is None:
                if _inside(entry, ROS_ROOT):
                    found.append("/".join(entry.split("/")[:4]))
                elif variable == "PYTHONPATH" and any(Path(entry).glob("rclpy*")):
                    found.append(entry)
    return list(dict.fromkeys(found))


def restart_clean() -> None:
    """Starts this Python program again in the cleaned environment if a ROS underlay is on its path.

    Returns where there is none. To be called first thing by an entry point, before anything is imported.
    """
    if underlays(os.environ):
        os.execve(sys.executable, sys.orig_argv, clean_environment(os.environ))


def _entries(value: str) -> list[str]:
    return [entry for entry in value.split(os.pathsep) if entry]


def _inside(entry: str, folder: str) -> bool:
    return entry == folder or entry.startswith(folder.rstrip("/") + "/")


def _is_own(entry: str) -> bool:
    return sys.prefix != sys.base_prefix and _inside(entry, sys.prefix)


def _underlay_of(entry: str, found: list[str]) -> str | None:
    if _inside(entry, ROS_ROOT):
        return ROS_ROOT
    return next((folder for folder in found if _inside(entry, folder)), None)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Usage: python -I touchstone/environment.py COMMAND [ARGUMENT ...]")
    try:
        os.execvpe(sys.argv[1], sys.argv[1:], clean_environment(os.environ))
    except OSError as problem:
        sys.exit(f"Cannot start '{sys.argv[1]}': {problem.strerror}.")
