"""Runs the stack without `ros2 launch`: starts the processes, watches them, and leaves none behind."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import NoReturn

from eval.children import Child, start, stop
from eval.domains import free_shared_memory, own_domain
from eval.private_place import private_place
from eval.progress_lines import parse_progress
from eval.stack import LEADER, NodeProcess, Stack, describe, python
from touchstone.data.disk import writable_folder
from touchstone.environment import clean_environment
from touchstone.errors import TouchstoneError, UsageError
from touchstone.evaluation.config import SessionConfig
from touchstone.evaluation.progress import SessionProgress

#: how often the processes are looked at [s]
LOOK = 0.1
#: deaths within this time belong together; the first cause is told [s]
SETTLE = 0.5


def run(config: SessionConfig, out: Path) -> int:
    """Runs a session through ROS into `out`; returns 0 when every episode is in the journal.

    Raises a TouchstoneError with the failing process's exit code, in one sentence that names the process, why it
    ended, and its log. Ctrl-C raises KeyboardInterrupt, SIGTERM SystemExit(143); nothing is left running.
    """
    logs = out / "logs"
    writable_folder(logs)
    children: list[Child] = []
    with _terminable(), own_domain(os.environ) as domain, private_place() as place:
        stack = describe(config, out, domain, place)
        try:
            children += _start(stack, logs)
            _watch(children, SessionProgress(f"{config.task} · {config.policy} · {config.world}"))
        finally:
            _clean_up(children)
    return 0


def command_line(node: NodeProcess) -> list[str]:
    """The command of a node; parameters as YAML, in which every JSON string is quoted."""
    parameters = [word for name, value in node.parameters.items() for word in ("-p", f"{name}:={dumps(value)}")]
    return [python(), "-m", node.module, "--ros-args", "-r", f"__node:={node.name}", *parameters]


def _start(stack: Stack, logs: Path) -> Iterator[Child]:
    env = {**clean_environment(os.environ), **stack.environment}
    for program in stack.programs:
        command = [python(), *program.arguments]
        yield start(program.name, program.title, command, env, logs / f"{program.name}.log", nice=program.nice)
    for node in stack.nodes:
        log = logs / f"{node.name}.log"
        yield start(node.name, node.title, command_line(node), env, log, piped=node.name == LEADER)


def _watch(children: list[Child], progress: SessionProgress) -> None:
    """Shows progress until the leader has ended well. Raises when a process failed."""
    leader = next(child for child in children if child.name == LEADER)
    lines = _Lines(leader)
    with progress:
        while all(child.code is None for child in children):
            _tell_progress(lines.read(LOOK), progress)
        deadline = time.monotonic() + SETTLE
        while leader.code is None and time.monotonic() < deadline:
            lines.read(LOOK)
        _tell_progress(lines.read(0.0), progress)
    if leader.code != 0:
        _tell(children)


def _tell_progress(lines: list[str], progress: SessionProgress) -> None:
    for line in lines:
        update = parse_progress(line)
        if update is not None:
            progress.update(*update)
        elif line.strip():
            # what the leader says to the person in front of it
            print(line, file=sys.stderr, flush=True)


def _tell(children: list[Child]) -> NoReturn:
    ended = [child for child in children if child.code is not None]
    # whoever was killed is the cause; the episode node reports what others did to it
    first = min(ended, key=lambda child: (child.code >= 0, child.code == 0, child.name == LEADER))
    code = first.code
    log = f"(log: {first.log})"
    if code < 0:
        sentence = (
            f"The {first.title} was killed by {signal.Signals(-code).name}; the journal is whole, run the same "
            f"command again to go on {log}."
        )
    elif code == 0:
        sentence = f"The {first.title} ended before the session was over; run the same command again to go on {log}."
    else:
        why = first.complaint().removeprefix("touchstone: ").rstrip(".") or f"it ended with exit code {code}"
        sentence = f"The {first.title} stopped: {why} {log}."
    error = (UsageError if code == UsageError.exit_code else TouchstoneError)(sentence)
    error.exit_code = code if 0 < code < 126 else TouchstoneError.exit_code
    raise error


def _clean_up(children: list[Child]) -> None:
    # a second Ctrl-C must not break off what leaves nothing behind
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        # the leader first: it closes the journal while the others still answer
        leaders = [child for child in children if child.name == LEADER]
        followers = [child for child in children if child.name != LEADER]
        gentle = stop(leaders) & stop(followers)
        if not gentle or any(child.code < 0 for child in children):
            free_shared_memory()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM and a closed terminal end the run as orderly as Ctrl-C does."""

    def leave(number: int, _frame) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Lines:
    """The leader's stdout, line by line, never waiting longer than asked; all of it is kept in its log too."""

    def __init__(self, child: Child) -> None:
        self._stream, self._log, self._rest = child.process.stdout, child.log, b""
        os.set_blocking(self._stream.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stream, selectors.EVENT_READ)

    def read(self, wait_s: float) -> list[str]:
        if not self._selector.get_map() or not self._selector.select(wait_s):
            return []
        data = self._stream.read()
        if data == b"":
            self._selector.unregister(self._stream)
        *lines, self._rest = (self._rest + (data or b"")).split(b"\n")
        return [line.decode(errors="replace") for line in lines]
