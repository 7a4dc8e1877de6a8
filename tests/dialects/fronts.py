"""Our openpi front in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from policy_server.loading import load_policy
from policy_server.dialects.openpi_server import serve_at
from touchstone.errors import TouchstoneError
try:
    sys.exit(serve_at(load_policy(sys.argv[1]), sys.argv[2]))
except TouchstoneError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def start(policy: str, bind: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, policy, bind],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def serving(policy: str, options: str = "") -> Iterator[tuple[subprocess.Popen, int]]:
    """Yields the process and its port; kills it in the end."""
    process = start(policy, f"openpi://127.0.0.1:0{options}")
    try:
        line = process.stdout.readline()
        assert line.startswith("serving ") and " on openpi://127.0.0.1:" in line, f"printed {line!r}"
        yield process, int(line.rsplit(":", 1)[1])
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()
