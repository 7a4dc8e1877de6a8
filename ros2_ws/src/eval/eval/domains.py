"""A ROS_DOMAIN_ID that no other run on this machine uses, so that two runs never hear each other."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from touchstone.errors import TouchstoneError, UsageError

#: domains whose ports lie below Linux's ephemeral range (ROS 2 documentation, "The ROS_DOMAIN_ID"); 0 is everyone's
FREE_DOMAINS = range(1, 102)
HIGHEST_DOMAIN = 232


@contextmanager
def own_domain(env: Mapping[str, str]) -> Iterator[int]:
    """The domain that the user set, or one that is this run's until the context ends or the process dies."""
    chosen = env.get("ROS_DOMAIN_ID")
    if chosen:
        yield _checked(chosen)
        return
    folder = Path(tempfile.gettempdir()) / f"touchstone-domains-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    _clean_after_killed_runs(folder)
    # neighbours start at different places, so that they rarely meet
    for step in range(len(FREE_DOMAINS)):
        domain = FREE_DOMAINS[(os.getpid() + step) % len(FREE_DOMAINS)]
        with (folder / str(domain)).open("a+") as claim:
            if not _locked(claim):
                continue
            claim.write("in use")
            claim.flush()
            yield domain
            claim.truncate(0)
            return
    raise TouchstoneError(f"All {len(FREE_DOMAINS)} ROS domains are in use by other runs; wait until one ends.")


def free_shared_memory() -> None:
    """Removes what killed processes left in /dev/shm, with Fast DDS's own tool; what is in use is left alone."""
    wheel = Path(sys.prefix) / "tools" / "fastdds" / "fastdds.py"
    tool = [sys.executable, str(wheel)] if wheel.is_file() else [shutil.which("fastdds")]
    if tool[0] is not None:
        subprocess.run([*tool, "shm", "clean"], capture_output=True, timeout=30, check=False)


def _clean_after_killed_runs(folder: Path) -> None:
    """A claim that nobody holds and that is not empty was a run that was killed before it could clean up."""
    for path in folder.iterdir():
        with path.open("r+") as claim:
            if path.stat().st_size and _locked(claim):
                free_shared_memory()
                claim.truncate(0)


def _locked(claim: TextIO) -> bool:
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _checked(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_DOMAIN:
        raise UsageError(f"ROS_DOMAIN_ID is '{text}'; set a number of 0..{HIGHEST_DOMAIN}, or unset it.")
    return int(text)
