"""A policy in a server process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from policy_server.server import serve
from touchstone.errors import TouchstoneError
def path(k):
    return Path(sys.argv[k]) if len(sys.argv) > k else None

try:
    sys.exit(serve(sys.argv[1].split(","), sys.argv[2], key=path(3), clients=path(4)))
except TouchstoneError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def start(
    policy: str, bind: str = "tcp://127.0.0.1:0", folder: Path | None = None, keys: tuple = (), **streams
) -> subprocess.Popen:
    """policy: names with commas between them. keys: the server's key file and the folder of its clients'."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, policy, bind, *map(str, keys)],
        cwd=folder or ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        text=True,
        **streams,
    )


@contextmanager
def serving(policy: str, bind: str = "tcp://127.0.0.1:0", folder: Path | None = None, keys: tuple = ()):
    """Yields the process and the address it printed; kills it in the end."""
    process = start(policy, bind, folder, keys)
    try:
        line = process.stdout.readline()
        assert line.startswith("serving ") and " on " in line, f"printed {line!r}"
        yield process, line.split(" on ")[1].strip()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    """For what a server does beside its answers."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
