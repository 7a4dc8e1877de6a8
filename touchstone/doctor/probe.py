"""Asking another process, with a time limit: a driver that crashes or hangs must not take the doctor with it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

from touchstone.environment import clean_environment

LIMIT_S = 60.0
#: the one place that knows every package and every line to paste
SET_UP = "run `make setup`: it installs what is missing, or prints the line to paste"


@dataclass(frozen=True)
class Answer:
    """`text`: what the process printed; `problem`: why there is no such answer, or empty."""

    text: str
    problem: str = ""


def ask(command: list[str], limit_s: float = LIMIT_S) -> Answer:
    """Runs a command in the environment that Touchstone's own processes get."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return Answer("", f"{command[0]} is not installed")
    except subprocess.TimeoutExpired:
        return Answer("", f"no answer in {limit_s:.0f} s")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or done.stdout.strip().splitlines()
        return Answer("", lines[-1] if lines else f"ended with code {done.returncode}")
    return Answer(done.stdout.strip())


def ask_python(code: str) -> Answer:
    """Runs a program in this Python, without the folders that a shell put on its path."""
    return ask([sys.executable, "-I", "-c", code])
